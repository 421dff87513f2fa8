/* Inside of src/sandbox: the layers that roles.c puts together. */
#ifndef VITRINE_SANDBOX_JAIL_H
#define VITRINE_SANDBOX_JAIL_H

#include "base/st.h"
#include "sandbox/roles.h"

#include <stdbool.h>
#include <stdint.h>

/* System calls by purpose; the table with the reasons is in seccomp.c. */
enum sandbox_group {
	GROUP_MEMORY = 1,
	GROUP_INPUT = 2,
	GROUP_SOCKET = 4,
	GROUP_OUTPUT = 8,
	GROUP_TIME = 16,
	GROUP_THREADS = 32,
	GROUP_END = 64,
	GROUP_SANITIZER = 128,
	GROUP_JIT = 256,
};

/* What a build with sanitizers needs beyond a role: nothing in every other build. */
struct sandbox_extra {
	uint32_t groups;
	bool no_data_limit; /* the shadow memory of ASan alone exceeds it */
};
extern const struct sandbox_extra sandbox_extra;

/* Allows the groups and kills the process at anything else. */
st_t seccomp_enter(uint32_t groups, struct err *e);

/* Forbids every file, TCP and signal right that the kernel's Landlock knows. *ret_abi is 0 where
 * there is no Landlock. */
st_t landlock_enter(uint32_t *ret_abi, struct err *e);

/* Own user, network, IPC, UTS and mount namespaces and an empty root folder, as far as allowed.
 * Returns the layers missing. */
uint32_t namespace_enter(void);

/* Gives up all capabilities. */
st_t caps_drop(struct err *e);

#endif
