/* A build with AddressSanitizer or UBSan: their run-time needs more than the code they check. */
#include "sandbox/jail.h"

static bool jailed;

/* LeakSanitizer asks this at the end of a process (sanitizer/lsan_interface.h). It would look for
 * leaks with a process that traces this one, which no jail allows. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return jailed;
}

static void note_jail(void)
{
	jailed = true;
}

const struct sandbox_extra sandbox_extra = {
	.groups = GROUP_SANITIZER, .no_data_limit = true, .entered = note_jail};
