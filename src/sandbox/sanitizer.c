/* A build with AddressSanitizer or UBSan: their run-time needs more than the code they check. */
#include "sandbox/jail.h"

const struct sandbox_extra sandbox_extra = {.groups = GROUP_SANITIZER, .no_data_limit = true};
