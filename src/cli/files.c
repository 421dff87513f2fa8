#include "cli/files.h"

#include "base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

st_t file_read(const char *path, size_t max, struct buf *ret, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t before = ret->len;
	if (fd < 0)
		return fail_errno(e, "%s", path);
	TRY(io_read_up_to(fd, max + 1, path, ret, e));
	if (ret->len - before > max)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", path, max);
	return ST_OK;
}

st_t file_replace(const char *path, const struct buf *b, struct err *e)
{
	char tmp[PATH_MAX];
	int k = snprintf(tmp, sizeof tmp, "%s.tmp.%ld", path, (long)getpid());
	if (k < 0 || (size_t)k >= sizeof tmp)
		return fail(e, ST_LIMIT, 0, "%s: name too long", path);
	AUTO_FD fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return fail_errno(e, "%s", tmp);
	st_t st = io_write_all(fd, b->data, b->len, e);
	if (st == ST_OK && (fsync(fd) || rename(tmp, path)))
		st = fail_errno(e, "%s", path);
	if (st != ST_OK)
		unlink(tmp);
	return st;
}
