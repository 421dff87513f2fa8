/* The table of roles and the way into the jail.
 *
 * Order matters: namespaces need capabilities in themselves and reset the parent-death signal, so
 * they come first; seccomp forbids all the calls that set up the rest, so it comes last. */
#include "sandbox/roles.h"

#include "sandbox/jail.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((rlim_t)1 << 20)

/* Private memory of a scan worker. The 400 MiB that are scanned of one file may be there twice
 * (compressed and taken apart) with the dictionaries of the decompressors (xz: 64 MiB and more, 7z
 * up to 1.5 times its dictionary); the database is mapped and does not count. */
#define SCAN_DATA_MAX (1536 * MIB)

/* 4 million signatures need less than 1 GiB to compile; four times the usual set must do. */
#define COMPILE_DATA_MAX (4096 * MIB)

/* A database of four million hashes has some 200 MiB. */
#define COMPILE_FILE_MAX (16384 * MIB)

/* Two databases of four million names and what stands under each, or a file and its matches. */
#define INSPECT_DATA_MAX (4096 * MIB)

/* Standard ones, socket, database or output, the file at hand; a few while they are passed. */
#define JAIL_FDS 16

struct role {
	int last_fd;      /* descriptors above are closed */
	uint32_t groups;  /* enum sandbox_group */
	rlim_t data, file_size;
};

static const struct role roles[ROLES] = {
	/* Landlock: no right in any. */
	[ROLE_SCAN] = {
		.last_fd = SANDBOX_FD_SOCK,
		.groups = GROUP_MEMORY | GROUP_INPUT | GROUP_SOCKET | GROUP_TIME | GROUP_THREADS |
		          GROUP_END,
		.data = SCAN_DATA_MAX,
		.file_size = 0,
	},
	[ROLE_SCAN_JIT] = {
		.last_fd = SANDBOX_FD_SOCK,
		.groups = GROUP_MEMORY | GROUP_INPUT | GROUP_SOCKET | GROUP_TIME | GROUP_THREADS |
		          GROUP_END | GROUP_JIT,
		.data = SCAN_DATA_MAX,
		.file_size = 0,
	},
	[ROLE_COMPILE] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUP_MEMORY | GROUP_INPUT | GROUP_SOCKET | GROUP_OUTPUT | GROUP_TIME |
		          GROUP_THREADS | GROUP_END,
		.data = COMPILE_DATA_MAX,
		.file_size = COMPILE_FILE_MAX,
	},
	[ROLE_INSPECT] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUP_MEMORY | GROUP_INPUT | GROUP_SOCKET | GROUP_OUTPUT | GROUP_TIME |
		          GROUP_THREADS | GROUP_END,
		.data = INSPECT_DATA_MAX,
		.file_size = 0, /* the answer goes to a pipe */
	},
};

/* Standard descriptors lead nowhere; nothing else but the role's own stays. */
static st_t reduce_fds(const struct role *r, struct err *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fail_errno(e, "/dev/null");
	int last = sandbox_extra.groups & GROUP_SANITIZER ? 1 : 2;
	for (int fd = 0; fd <= last; fd++)
		if (dup2(null, fd) < 0)
			return fail_errno(e, "dup2");
	if (close_range((unsigned)r->last_fd + 1, ~0u, 0) != 0)
		return fail_errno(e, "close_range");
	return ST_OK;
}

static st_t limit(int which, rlim_t n, struct err *e)
{
	struct rlimit l = {.rlim_cur = n, .rlim_max = n};
	return setrlimit(which, &l) ? fail_errno(e, "setrlimit") : ST_OK;
}

/* No limit of processor time: the broker measures real time and kills. No limit of address space:
 * the database and the files are mapped. */
static st_t limit_resources(const struct role *r, struct err *e)
{
	TRY(limit(RLIMIT_CORE, 0, e)); /* a dump would hold users' files */
	TRY(limit(RLIMIT_NOFILE, JAIL_FDS, e));
	TRY(limit(RLIMIT_NPROC, 0, e));
	TRY(limit(RLIMIT_MEMLOCK, 0, e));
	TRY(limit(RLIMIT_FSIZE, r->file_size, e));
	return sandbox_extra.no_data_limit ? ST_OK : limit(RLIMIT_DATA, r->data, e);
}

static st_t set_process_flags(struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) /* nor ptrace by the same user */
		return fail_errno(e, "prctl: dumpable");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return fail_errno(e, "prctl: parent death signal");
	return ST_OK;
}

st_t sandbox_enter(enum sandbox_role role, struct sandbox_report *ret, struct err *e)
{
	const struct role *r = &roles[role];
	struct sandbox_report rep = {0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(e, "prctl: no new privileges");
	TRY(reduce_fds(r, e));
	rep.missing = namespace_enter();
	TRY(landlock_enter(&rep.landlock_abi, e));
	if (rep.landlock_abi == 0)
		rep.missing |= SANDBOX_NO_LANDLOCK;
	TRY(limit_resources(r, e));
	TRY(caps_drop(e));
	TRY(set_process_flags(e));
	TRY(seccomp_enter(r->groups | sandbox_extra.groups, e));
	*ret = rep;
	return ST_OK;
}
