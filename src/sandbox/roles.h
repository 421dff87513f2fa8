/* The jails. Each role is one row of the table in roles.c: what a process of that role may still do
 * after sandbox_enter(). doc/sandbox.md explains it for people. */
#ifndef VITRINE_SANDBOX_ROLES_H
#define VITRINE_SANDBOX_ROLES_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* ROLE_SCAN_JIT is ROLE_SCAN with memory that may be executed, for who asked for it by name. */
enum sandbox_role {
	ROLE_SCAN,
	ROLE_SCAN_JIT,
	ROLE_COMPILE,
	ROLE_INSPECT,
	ROLE_FETCH,     /* the network, outwards, and the resolver's settings; no other file */
	ROLE_LOG_SERVE, /* accepts on a socket it was given, reads below paths.ro */
	ROLE_WITNESS,   /* accepts on a socket it was given, keeps its state in paths.rw[0] */
	ROLE_CHECK,     /* reads below paths.ro, computes in threads, asks the fetcher */
	ROLE_LOG_WRITE, /* ROLE_CHECK, and writes below paths.rw */
	ROLE_VERIFY,    /* updates: reads below paths.ro, writes below paths.rw, asks the fetcher */
	ROLES,
};

/* Descriptors that a jailed process is started with. */
#define SANDBOX_FD_SOCK 3 /* to the broker; ROLE_LOG_SERVE, ROLE_WITNESS: to accept on */
#define SANDBOX_FD_OUT 4  /* ROLE_COMPILE, ROLE_INSPECT: the file to write; ROLE_FETCH: the
                           * certificates to trust; ROLE_LOG_SERVE, ROLE_WITNESS: their folder;
                           * ROLE_VERIFY: the fetcher */

/* Layers that this kernel or its administrator refused. The others hold without them. */
enum sandbox_missing {
	SANDBOX_NO_LANDLOCK = 1,
	SANDBOX_NO_NAMESPACES = 2,
	SANDBOX_NO_EMPTY_ROOT = 4, /* file names can be asked for by stat, though nothing opened */
	SANDBOX_MISSING_ALL = 7,
};

/* What stays of the file system: folders and files by descriptors (O_PATH will do), which stay the
 * caller's. Nothing is reached by a path of the system: open relative to the folders. */
struct sandbox_paths {
	const int *ro; /* read only */
	size_t nro;
	const int *rw; /* ROLE_WITNESS, ROLE_LOG_WRITE, ROLE_VERIFY */
	size_t nrw;
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

/* The same for a role with paths. Descriptors above the role's last one are closed, so those of
 * `paths` are looked at before that. ROLE_WITNESS: paths.rw[0] becomes the working folder and,
 * where the kernel allows, the root. */
st_t sandbox_enter_with(enum sandbox_role role, const struct sandbox_paths *paths,
                        struct sandbox_report *ret, struct err *e);

/* For a program that a person started and that jails itself before it reads foreign bytes: standard
 * descriptors stay what they are, as do those of `paths` and keep[0..nkeep); all others are closed.
 * It does not die with its parent. The process must still be single-threaded; threads that it
 * starts later are in the same jail. At most SANDBOX_KEEP_MAX descriptors altogether. */
#define SANDBOX_KEEP_MAX 64
st_t sandbox_enter_self(enum sandbox_role role, const struct sandbox_paths *paths, const int *keep,
                        size_t nkeep, struct sandbox_report *ret, struct err *e);

#endif
