/* A log in a folder. Whoever made it may have put links, pipes and devices there: nothing outside
 * of the folder is opened, and nothing but regular files is read.
 *
 * A file is opened, and the kernel told to read it ahead, when it is asked for, so that a disk has
 * several to fetch at a time; it is read when it is taken, in the order of asking. */
#include "base/io.h"
#include "base/num.h"
#include "log/source_inside.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Files open at a time, below what RLIMIT_NOFILE usually is; the others wait as paths. */
#define OPEN_MAX_AHEAD 64

struct asked {
	char path[TILE_PATH_MAX];
	size_t max, slot;
	bool tried; /* to open it: fd or error */
	int fd;
	int error;
};

/* A ring of those that wait. */
struct folder {
	int dir;
	struct asked *v;
	size_t cap, first, n;
	size_t open;
};

static struct asked *at(struct folder *f, size_t i)
{
	return &f->v[(f->first + i) & (f->cap - 1)];
}

/* Without links and without a way out. A kernel before 5.6 has no openat2(): there only the last
 * component is checked for being a link, and the paths, which are ours, have no "..". */
static int open_beneath(int dir, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(dir, path, (int)how.flags | O_NOFOLLOW);
	return (int)fd;
}

static void open_asked(struct folder *f, struct asked *a)
{
	a->tried = true;
	a->fd = open_beneath(f->dir, a->path);
	a->error = a->fd < 0 ? errno : 0;
	if (a->fd < 0)
		return;
	f->open++;
	(void)!posix_fadvise(a->fd, 0, 0, POSIX_FADV_WILLNEED);
}

static st_t grow(struct folder *f, struct err *e)
{
	size_t cap = f->cap ? 2 * f->cap : 16;
	struct asked *v = calloc(cap, sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	for (size_t i = 0; i < f->n; i++)
		v[i] = *at(f, i);
	free(f->v);
	f->v = v;
	f->cap = cap;
	f->first = 0;
	return ST_OK;
}

static st_t folder_ask(void *ctx, const char *path, size_t max, size_t slot, struct err *e)
{
	struct folder *f = ctx;
	if (f->n == f->cap)
		TRY(grow(f, e));
	struct asked *a = at(f, f->n++);
	*a = (struct asked){.max = max, .slot = slot, .fd = -1};
	memcpy(a->path, path, strlen(path) + 1);
	if (f->open < OPEN_MAX_AHEAD)
		open_asked(f, a);
	return ST_OK;
}

static st_t open_failed(const struct asked *a, struct err *e)
{
	errno = a->error;
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(e, ST_NOT_FOUND, 0, "not there");
	if (errno == ELOOP || errno == EXDEV || errno == ENXIO)
		return fail(e, ST_MALFORMED, 0, "a link or special file, not a regular one");
	return fail_errno(e, "cannot be opened");
}

static st_t read_asked(const struct asked *a, struct buf *ret, struct err *e)
{
	struct stat st;
	size_t n;
	if (a->fd < 0)
		return open_failed(a, e);
	if (fstat(a->fd, &st))
		return fail_errno(e, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return fail(e, ST_MALFORMED, 0, "not a regular file");
	if ((uint64_t)st.st_size > a->max)
		return fail(e, ST_LIMIT, 0, "%llu bytes, at most %zu are possible",
		            (unsigned long long)st.st_size, a->max);
	size_t size = (size_t)st.st_size;
	void *p = buf_room(ret, size);
	TRY(buf_check(ret, e, "log"));
	TRY(io_pread_full(a->fd, p, size, 0, &n, e));
	ret->len = n;
	return ST_OK;
}

static st_t folder_take(void *ctx, struct source_answer *ret, struct err *e)
{
	struct folder *f = ctx;
	if (f->n == 0)
		return fail(e, ST_NOT_FOUND, 0, "log: nothing was asked for");
	struct asked *a = at(f, 0);
	if (!a->tried)
		open_asked(f, a);
	ret->slot = a->slot;
	ret->st = read_asked(a, &ret->body, &ret->e);
	if (a->fd >= 0)
		f->open--;
	fd_closep(&a->fd);
	f->first = (f->first + 1) & (f->cap - 1);
	f->n--;
	return ST_OK;
}

static void folder_free(void *ctx)
{
	struct folder *f = ctx;
	for (size_t i = 0; i < f->n; i++)
		fd_closep(&at(f, i)->fd);
	free(f->v);
	free(f);
}

static const struct source_ops folder_ops = {folder_ask, folder_take, folder_free};

st_t log_source_new_folder(int dir_fd, struct log_source **ret, struct err *e)
{
	struct folder *f = calloc(1, sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	f->dir = dir_fd;
	return log_source_new(&folder_ops, f, ret, e);
}
