#include "cli/quarantine.h"

#include "base/io.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names tried for one target: NAME, NAME.001, … NAME.999. */
#define NAMES_MAX 1000

/* Bytes of one copy step where the kernel cannot copy by itself. */
#define COPY_STEP 65536

/* The kernel's name of a descriptor. */
static st_t real_path(int fd, char *ret, size_t n, struct err *e)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t k = readlink(link, ret, n - 1);
	if (k < 0)
		return fail_errno(e, "real path");
	ret[k] = '\0';
	if ((size_t)k >= n - 1 || ret[0] != '/')
		return fail(e, ST_UNSUPPORTED, 0, "the file has no usable path");
	return ST_OK;
}

st_t quarantine_init(struct quarantine *q, enum quarantine_action action, const char *folder,
                     struct err *e)
{
	*q = (struct quarantine){.action = action, .dir = -1};
	if (!folder)
		return ST_OK;
	q->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (q->dir < 0)
		return fail_errno(e, "%s", folder);
	TRY(real_path(q->dir, q->path, sizeof q->path, e));
	if (faccessat(q->dir, ".", W_OK | X_OK, AT_EACCESS))
		return fail_errno(e, "%s", folder);
	return ST_OK;
}

void quarantine_done(struct quarantine *q)
{
	fd_closep(&q->dir);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Opens the folder that holds the file, with no link on the way. */
static st_t open_parent(char *real, const char **ret_name, int *ret_fd, struct err *e)
{
	char *slash = strrchr(real, '/');
	struct open_how how = {
	    .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	*slash = '\0';
	long fd = syscall(SYS_openat2, AT_FDCWD, slash == real ? "/" : real, &how, sizeof how);
	*slash = '/';
	if (fd < 0)
		return fail_errno(e, "folder of %s", real);
	*ret_name = slash + 1;
	*ret_fd = (int)fd;
	return ST_OK;
}

static st_t check_entry(int parent, const char *name, const struct stat *scanned, struct err *e)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return fail_errno(e, "the scanned file is no longer there");
	if (!same_file(&st, scanned))
		return fail(e, ST_UNSUPPORTED, 0, "another file has taken the place of the scanned one");
	return ST_OK;
}

static st_t copy_by_hand(int from, int to, uint64_t off, struct err *e)
{
	char step[COPY_STEP];
	for (;;) {
		size_t n = 0;
		TRY(io_pread_full(from, step, sizeof step, off, &n, e));
		if (n == 0)
			return ST_OK;
		TRY(io_write_all(to, step, n, e));
		off += n;
	}
}

static st_t copy_content(int from, int to, struct err *e)
{
	off_t off = 0;
	ssize_t n;
	do {
		n = copy_file_range(from, &off, to, NULL, (size_t)1 << 30, 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		TRY(copy_by_hand(from, to, (uint64_t)off, e));
	return fsync(to) ? fail_errno(e, "quarantine") : ST_OK;
}

/* Creates NAME or the first NAME.nnn that is free; ret_name has NAME_MAX + 1 bytes. */
static st_t create_target(int dir, const char *name, char *ret_name, int *ret_fd, struct err *e)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		if (i == 0)
			snprintf(ret_name, NAME_MAX + 1, "%s", name);
		else
			snprintf(ret_name, NAME_MAX + 1, "%.*s.%03d", NAME_MAX - 4, name, i);
		*ret_fd = openat(dir, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		                 0600);
		if (*ret_fd >= 0)
			return ST_OK;
		if (errno != EEXIST)
			return fail_errno(e, "quarantine: %s", ret_name);
	}
	return fail(e, ST_LIMIT, 0, "quarantine: all names like %s are taken", name);
}

static st_t copy_out(const struct quarantine *q, int fd, const char *name, char *ret_name,
                     struct err *e)
{
	AUTO_FD to = -1;
	TRY(create_target(q->dir, name, ret_name, &to, e));
	st_t st = copy_content(fd, to, e);
	if (st == ST_OK && fsync(q->dir))
		st = fail_errno(e, "quarantine");
	if (st != ST_OK)
		unlinkat(q->dir, ret_name, 0);
	return st;
}

/* A quarantine inside the scanned tree is walked too: what lies in it stays there. */
static st_t check_outside(const struct quarantine *q, int parent, struct err *e)
{
	struct stat a, b;
	if (q->dir < 0)
		return ST_OK;
	if (fstat(q->dir, &a) || fstat(parent, &b))
		return fail_errno(e, "fstat");
	return same_file(&a, &b) ? fail(e, ST_UNSUPPORTED, 0, "already in the quarantine folder")
	                         : ST_OK;
}

static st_t remove_entry(int parent, const char *name, const struct stat *scanned, struct err *e)
{
	TRY(check_entry(parent, name, scanned, e));
	return unlinkat(parent, name, 0) ? fail_errno(e, "remove") : ST_OK;
}

st_t quarantine_file(const struct quarantine *q, int fd, struct quarantine_result *ret,
                     struct err *e)
{
	struct stat scanned;
	AUTO_FD parent = -1;
	const char *name = NULL;
	char target[NAME_MAX + 1];
	ret->target[0] = '\0';
	if (fstat(fd, &scanned))
		return fail_errno(e, "fstat");
	TRY(real_path(fd, ret->real, sizeof ret->real, e));
	TRY(open_parent(ret->real, &name, &parent, e));
	TRY(check_outside(q, parent, e));
	TRY(check_entry(parent, name, &scanned, e));
	if (q->action != ACTION_REMOVE) {
		TRY(copy_out(q, fd, name, target, e));
		snprintf(ret->target, sizeof ret->target, "%s/%s", q->path, target);
	}
	if (q->action == ACTION_COPY)
		return ST_OK;
	st_t st = remove_entry(parent, name, &scanned, e);
	if (st != ST_OK && q->action == ACTION_MOVE)
		unlinkat(q->dir, target, 0);
	return st;
}
