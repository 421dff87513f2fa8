/* The jails. Each role is one row of the table in roles.c: what a process of that role may still do
 * after sandbox_enter(). doc/sandbox.md explains it for people. */
#ifndef VITRINE_SANDBOX_ROLES_H
#define VITRINE_SANDBOX_ROLES_H

#include "base/st.h"

#include <stdint.h>

/* ROLE_SCAN_JIT is ROLE_SCAN with memory that may be executed, for who asked for it by name. */
enum sandbox_role { ROLE_SCAN, ROLE_SCAN_JIT, ROLE_COMPILE, ROLE_INSPECT, ROLES };

/* Descriptors that a jailed process is started with. */
#define SANDBOX_FD_SOCK 3 /* to the broker */
#define SANDBOX_FD_OUT 4  /* ROLE_COMPILE, ROLE_INSPECT: the file to write */

/* Layers that this kernel or its administrator refused. The others hold without them. */
enum sandbox_missing {
	SANDBOX_NO_LANDLOCK = 1,
	SANDBOX_NO_NAMESPACES = 2,
	SANDBOX_NO_EMPTY_ROOT = 4, /* file names can be asked for by stat, though nothing opened */
	SANDBOX_MISSING_ALL = 7,
};

struct sandbox_report {
	uint32_t missing;      /* enum sandbox_missing */
	uint32_t landlock_abi; /* 0: none */
};

/* Makes libc, iconv and locale load now what they would open files for later. Sets the locale to
 * C.UTF-8 and the time zone to UTC. Call before sandbox_enter(); the process is single-threaded. */
st_t sandbox_preload(struct err *e);

/* Enters the jail for good. On any failure the caller must end without touching foreign bytes. */
st_t sandbox_enter(enum sandbox_role role, struct sandbox_report *ret, struct err *e);

#endif
