/* The table of roles and the way into the jail.
 *
 * Order matters: namespaces need capabilities in themselves and reset the parent-death signal, so
 * they come first; seccomp forbids all the calls that set up the rest, so it comes last. */
#include "sandbox/roles.h"

#include "base/io.h"
#include "sandbox/jail.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
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

/* 64 transfers at a time of at most a few hundred kilobytes, what waits for its turn (a window of
 * requests), what the client has not read yet, stacks of resolver threads. */
#define FETCH_DATA_MAX (1024 * MIB)
#define FETCH_FDS 256

/* Some thousand connections of at most 64 KiB each and their requests' bodies; threads. */
#define SERVE_DATA_MAX (1024 * MIB)
#define SERVE_FDS 8192
#define WITNESS_DATA_MAX (2048 * MIB)

/* What is read ahead of a log of any size is bounded by who reads; hashes of a batch or of the left
 * edge of a tree take little. */
#define CHECK_DATA_MAX (4096 * MIB)
#define CHECK_FDS 1024

/* Trees of metadata (TUF_MEMORY_MAX, 10 MiB) with the files that they are of, or a window of
 * Zstandard (8 MiB); large files are moved and unpacked in pieces. An ordinary release needs less
 * than 10 MiB, one with 22,000 targets 20. */
#define VERIFY_DATA_MAX (32 * MIB)
/* The largest database and its sources. */
#define VERIFY_FILE_MAX (16384 * MIB)

struct role {
	int last_fd;      /* descriptors above are closed */
	uint32_t groups;  /* enum sandbox_group */
	uint32_t keep;    /* enum sandbox_keep */
	rlim_t data, file_size;
	rlim_t fds;       /* 0: JAIL_FDS */
};

/* What threads that compute, and a socket to the fetcher, need. */
#define GROUPS_COMPUTE                                                                        \
	(GROUP_MEMORY | GROUP_INPUT | GROUP_TIME | GROUP_THREADS | GROUP_END | GROUP_RUN_THREADS | \
	 GROUP_RANDOM)

static const struct role roles[ROLES] = {
	/* Landlock: no right in the first four. */
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
	[ROLE_FETCH] = {
		.last_fd = SANDBOX_FD_SOCK,
		.groups = GROUPS_COMPUTE | GROUP_TALK | GROUP_CONNECT | GROUP_LOOK_UP,
		.keep = KEEP_NET | KEEP_ROOT | KEEP_THREADS,
		.data = FETCH_DATA_MAX,
		.file_size = 0,
		.fds = FETCH_FDS,
	},
	/* Writes to its standard output and error only, which may be files. */
	[ROLE_LOG_SERVE] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUPS_COMPUTE | GROUP_ACCEPT | GROUP_LOOK_UP | GROUP_SIGNALS | GROUP_STDIO,
		.keep = KEEP_THREADS,
		.data = SERVE_DATA_MAX,
		.file_size = RLIM_INFINITY,
		.fds = SERVE_FDS,
	},
	[ROLE_WITNESS] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUPS_COMPUTE | GROUP_ACCEPT | GROUP_LOOK_UP | GROUP_WRITE_FILES |
		          GROUP_SIGNALS | GROUP_STDIO,
		.keep = KEEP_THREADS | KEEP_STATE_ROOT,
		.data = WITNESS_DATA_MAX,
		.file_size = RLIM_INFINITY,
		.fds = SERVE_FDS,
	},
	[ROLE_CHECK] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUPS_COMPUTE | GROUP_TALK | GROUP_LOOK_UP | GROUP_STDIO,
		.keep = KEEP_THREADS,
		.data = CHECK_DATA_MAX,
		.file_size = RLIM_INFINITY,
		.fds = CHECK_FDS,
	},
	[ROLE_LOG_WRITE] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUPS_COMPUTE | GROUP_TALK | GROUP_LOOK_UP | GROUP_WRITE_FILES | GROUP_STDIO,
		.keep = KEEP_THREADS,
		.data = CHECK_DATA_MAX,
		.file_size = RLIM_INFINITY,
		.fds = CHECK_FDS,
	},
	/* No threads: GROUP_THREADS is for locks. */
	[ROLE_VERIFY] = {
		.last_fd = SANDBOX_FD_OUT,
		.groups = GROUP_MEMORY | GROUP_INPUT | GROUP_TIME | GROUP_THREADS | GROUP_END |
		          GROUP_TALK | GROUP_LOOK_UP | GROUP_WRITE_FILES | GROUP_STDIO,
		.data = VERIFY_DATA_MAX,
		.file_size = VERIFY_FILE_MAX,
		.fds = 0,
	},
};

static st_t point_stdio_nowhere(struct err *e)
{
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fail_errno(e, "/dev/null");
	int last = sandbox_extra.groups & GROUP_SANITIZER ? 1 : 2;
	for (int fd = 0; fd <= last; fd++)
		if (dup2(null, fd) < 0)
			return fail_errno(e, "dup2");
	return ST_OK;
}

/* The descriptors that stay. */
struct keep_list {
	int fd[SANDBOX_KEEP_MAX + 1];
	size_t n;
};

static void add_kept(struct keep_list *l, const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++, l->n++)
		if (l->n < SANDBOX_KEEP_MAX)
			l->fd[l->n] = fd[i];
}

/* Fails if there are too many: none may be forgotten, for then it would be closed unseen. */
static st_t list_kept(const struct sandbox_paths *paths, const int *keep, size_t nkeep,
                      struct keep_list *ret, struct err *e)
{
	ret->n = 0;
	add_kept(ret, keep, nkeep);
	if (paths) {
		add_kept(ret, paths->ro, paths->nro);
		add_kept(ret, paths->rw, paths->nrw);
	}
	return ret->n <= SANDBOX_KEEP_MAX ? ST_OK : fail(e, ST_LIMIT, 0, "too many descriptors");
}

static int by_number(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static st_t close_between(int above, int below, struct err *e)
{
	if (below - above < 2)
		return ST_OK;
	if (close_range((unsigned)above + 1, (unsigned)below - 1, 0) != 0)
		return fail_errno(e, "close_range");
	return ST_OK;
}

/* Closes what is above `last` and not in the list. */
static st_t close_others(int last, struct keep_list *l, struct err *e)
{
	qsort(l->fd, l->n, sizeof l->fd[0], by_number);
	for (size_t i = 0; i < l->n; i++) {
		if (l->fd[i] <= last)
			continue;
		TRY(close_between(last, l->fd[i], e));
		last = l->fd[i];
	}
	return close_between(last, INT_MAX, e);
}

/* A limit that is lower already stays. */
static st_t limit(int which, rlim_t n, struct err *e)
{
	struct rlimit l;
	if (getrlimit(which, &l))
		return fail_errno(e, "getrlimit");
	rlim_t v = n < l.rlim_max ? n : l.rlim_max;
	l = (struct rlimit){.rlim_cur = v, .rlim_max = v};
	return setrlimit(which, &l) ? fail_errno(e, "setrlimit") : ST_OK;
}

/* No limit of processor time: the broker measures real time and kills. No limit of address space:
 * the database and the files are mapped. */
static st_t limit_resources(const struct role *r, struct err *e)
{
	TRY(limit(RLIMIT_CORE, 0, e)); /* a dump would hold users' files */
	TRY(limit(RLIMIT_NOFILE, r->fds ? r->fds : JAIL_FDS, e));
	if (!(r->keep & KEEP_THREADS))
		TRY(limit(RLIMIT_NPROC, 0, e));
	TRY(limit(RLIMIT_MEMLOCK, 0, e));
	TRY(limit(RLIMIT_FSIZE, r->file_size, e));
	return sandbox_extra.no_data_limit ? ST_OK : limit(RLIMIT_DATA, r->data, e);
}

/* `child`: started by one of our processes, which it does not outlive. */
static st_t set_process_flags(bool child, struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) /* nor ptrace by the same user */
		return fail_errno(e, "prctl: dumpable");
	if (child && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return fail_errno(e, "prctl: parent death signal");
	return ST_OK;
}

/* All that comes behind the descriptors. */
static st_t close_jail(const struct role *r, const struct sandbox_paths *paths, bool child,
                       struct sandbox_report *ret, struct err *e)
{
	struct sandbox_report rep = {0};
	int state = paths && paths->nrw ? paths->rw[0] : -1;
	if (r->keep & KEEP_STATE_ROOT && (state < 0 || fchdir(state) != 0))
		return fail_errno(e, "folder of the state");
	rep.missing = namespace_enter(r->keep, state);
	TRY(landlock_enter(paths, r->keep & KEEP_NET, &rep.landlock_abi, e));
	if (rep.landlock_abi == 0)
		rep.missing |= SANDBOX_NO_LANDLOCK;
	TRY(limit_resources(r, e));
	TRY(caps_drop(e));
	TRY(set_process_flags(child, e));
	TRY(seccomp_enter(r->groups | sandbox_extra.groups, e));
	if (sandbox_extra.entered)
		sandbox_extra.entered();
	*ret = rep;
	return ST_OK;
}

static st_t no_new_privileges(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(e, "prctl: no new privileges");
	return ST_OK;
}

st_t sandbox_enter_with(enum sandbox_role role, const struct sandbox_paths *paths,
                        struct sandbox_report *ret, struct err *e)
{
	const struct role *r = &roles[role];
	struct keep_list kept;
	TRY(no_new_privileges(e));
	TRY(point_stdio_nowhere(e));
	TRY(list_kept(paths, NULL, 0, &kept, e));
	TRY(close_others(r->last_fd, &kept, e));
	return close_jail(r, paths, true, ret, e);
}

st_t sandbox_enter(enum sandbox_role role, struct sandbox_report *ret, struct err *e)
{
	return sandbox_enter_with(role, NULL, ret, e);
}

st_t sandbox_enter_self(enum sandbox_role role, const struct sandbox_paths *paths, const int *keep,
                        size_t nkeep, struct sandbox_report *ret, struct err *e)
{
	const struct role *r = &roles[role];
	struct keep_list kept;
	TRY(no_new_privileges(e));
	TRY(list_kept(paths, keep, nkeep, &kept, e));
	TRY(close_others(STDERR_FILENO, &kept, e));
	return close_jail(r, paths, false, ret, e);
}
