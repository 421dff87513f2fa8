/* An ordinary build: a role is what its row says. */
#include "sandbox/jail.h"

const struct sandbox_extra sandbox_extra = {.groups = 0};
