/* A repository in a folder: a mounted disk, a mirror on the same host. Whoever filled it may have
 * put links, pipes and devices there: nothing outside is opened, and nothing but regular files is
 * read. */
#include "base/io.h"
#include "base/num.h"
#include "log/io.h"
#include "update/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE ((size_t)64 << 10)

struct folder {
	int dir;
	uint8_t piece[PIECE];
};

static st_t not_opened(const char *path, struct err *e)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(e, ST_NOT_FOUND, 0, "%s: not there", path);
	if (errno == ELOOP || errno == EXDEV || errno == ENXIO)
		return fail(e, ST_MALFORMED, 0, "%s: a link or special file, not a regular one", path);
	return fail_errno(e, "%s", path);
}

static st_t open_file(const struct folder *f, const char *path, int *ret_fd, uint64_t *ret_size,
                      struct err *e)
{
	struct stat sb;
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	AUTO_FD fd = log_io_system.open(NULL, f->dir, path, flags, 0);
	if (fd < 0)
		return not_opened(path, e);
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "%s", path);
	if (!S_ISREG(sb.st_mode))
		return fail(e, ST_MALFORMED, 0, "%s: not a regular file", path);
	*ret_size = (uint64_t)sb.st_size;
	*ret_fd = fd;
	fd = -1;
	return ST_OK;
}

/* "log/ORIGIN/..." of a repository that has one log as "log/...". */
static const char *own_log(const char *path, char ret[UPDATE_PATH_MAX])
{
	const char *rest = strncmp(path, "log/", 4) ? NULL : strchr(path + 4, '/');
	if (!rest)
		return NULL;
	memcpy(ret, "log", 3);
	memcpy(ret + 3, rest, strlen(rest) + 1);
	return ret;
}

static st_t find_file(const struct folder *f, const char *path, int *ret_fd, uint64_t *ret_size,
                      struct err *e)
{
	char other[UPDATE_PATH_MAX];
	const char *own = own_log(path, other);
	struct err why = {0};
	st_t st = open_file(f, path, ret_fd, ret_size, &why);
	if (st == ST_NOT_FOUND && own)
		st = open_file(f, own, ret_fd, ret_size, NULL);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "%s", why.text);
}

static st_t read_all(struct folder *f, int fd, uint64_t at, uint64_t end, update_sink *sink,
                     void *ctx, struct err *e)
{
	size_t n;
	for (; at < end; at += n) {
		TRY(io_pread_full(fd, f->piece, (size_t)num_min_u64(PIECE, end - at), at, &n, e));
		if (n == 0)
			return fail(e, ST_TRUNCATED, at, "a file that became shorter");
		TRY(sink(ctx, f->piece, n, e));
	}
	return ST_OK;
}

static st_t folder_stream(void *ctx, const char *path, uint64_t from, uint64_t max,
                          update_sink *sink, void *sink_ctx, struct err *e)
{
	struct folder *f = ctx;
	AUTO_FD fd = -1;
	uint64_t size = 0;
	TRY(find_file(f, path, &fd, &size, e));
	if (from > size)
		return fail(e, ST_TRUNCATED, size, "%s: only %llu bytes", path, (unsigned long long)size);
	if (size - from > max)
		return fail(e, ST_LIMIT, 0, "%s: %llu bytes, %llu are allowed", path,
		            (unsigned long long)(size - from), (unsigned long long)max);
	return read_all(f, fd, from, size, sink, sink_ctx, e);
}

static void folder_free(void *ctx)
{
	free(ctx);
}

static const struct update_source_ops folder_ops = {.stream = folder_stream, .free = folder_free};

st_t update_source_open_folder(int dir_fd, struct update_source *ret, struct err *e)
{
	struct folder *f = malloc(sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, "repository: out of memory");
	f->dir = dir_fd;
	*ret = (struct update_source){.ops = &folder_ops, .ctx = f};
	return ST_OK;
}
