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
	GROUP_RUN_THREADS = 512,
	GROUP_STDIO = 1024,
	GROUP_TALK = 2048,
	GROUP_LOOK_UP = 4096,
	GROUP_WRITE_FILES = 8192,
	GROUP_CONNECT = 16384,
	GROUP_ACCEPT = 32768,
	GROUP_RANDOM = 65536,
	GROUP_SIGNALS = 131072,
};

/* What a role keeps of what the others lose. */
enum sandbox_keep {
	KEEP_NET = 1,        /* the network namespace, and Landlock's right to connect */
	KEEP_ROOT = 2,       /* the root folder: Landlock says what of it can be opened */
	KEEP_THREADS = 4,    /* RLIMIT_NPROC as it is: it counts all processes of the user */
	KEEP_STATE_ROOT = 8, /* paths.rw[0] instead of the empty root */
};

/* What a build with sanitizers needs beyond a role: nothing in every other build. */
struct sandbox_extra {
	uint32_t groups;
	bool no_data_limit; /* the shadow memory of ASan alone exceeds it */
	void (*entered)(void); /* called when the jail has closed; may be NULL */
};
extern const struct sandbox_extra sandbox_extra;

/* Allows the groups and kills the process at anything else. */
st_t seccomp_enter(uint32_t groups, struct err *e);

/* Forbids every file, TCP and signal right that the kernel's Landlock knows, but for what lies
 * below `paths` (may be NULL) and, with `connect`, TCP connections outwards. *ret_abi is 0 where
 * there is no Landlock. */
st_t landlock_enter(const struct sandbox_paths *paths, bool connect, uint32_t *ret_abi,
                    struct err *e);

/* Own user, network, IPC, UTS and mount namespaces and an empty root folder, as far as allowed, and
 * but for `keep` (enum sandbox_keep). state_fd: the root for KEEP_STATE_ROOT. Returns the layers
 * missing. */
uint32_t namespace_enter(uint32_t keep, int state_fd);

/* Gives up all capabilities. */
st_t caps_drop(struct err *e);

#endif
