#include "update/disk.h"

#include <fcntl.h>

st_t disk_read(const struct log_io *io, int dir, const char *path, size_t max, struct buf *ret,
               struct err *e)
{
	int fd = io->open(io->ctx, dir, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(e, ST_NOT_FOUND, 0, "%s: not there", path);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	st_t st = log_io_read(io, fd, path, max, ret, e);
	io->close(io->ctx, fd);
	return st;
}

st_t disk_sync(const struct log_io *io, int fd, const char *what, struct err *e)
{
	return io->sync(io->ctx, fd) ? fail_errno(e, "%s: sync", what) : ST_OK;
}

st_t disk_create(const struct log_io *io, int dir, const char *name, struct rd bytes,
                 struct err *e)
{
	int fd = io->open(io->ctx, dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 && errno == EEXIST)
		return fail(e, ST_CONFLICT, 0, "%s: there already", name);
	if (fd < 0)
		return fail_errno(e, "%s: cannot create", name);
	st_t st = log_io_write(io, fd, name, bytes.base + bytes.pos, rd_left(&bytes), e);
	if (st == ST_OK)
		st = disk_sync(io, fd, name, e);
	io->close(io->ctx, fd);
	return st;
}

st_t disk_put(const struct log_io *io, int dir, int to, const char *name, struct rd bytes,
              struct err *e)
{
	/* What an earlier one that failed has left. */
	TRY(disk_remove(io, dir, DISK_NEW, e));
	TRY(disk_create(io, dir, DISK_NEW, bytes, e));
	if (io->rename(io->ctx, dir, DISK_NEW, to, name))
		return fail_errno(e, "%s: rename", name);
	return disk_sync(io, to, name, e);
}

st_t disk_remove(const struct log_io *io, int dir, const char *name, struct err *e)
{
	if (io->unlink(io->ctx, dir, name, 0) && errno != ENOENT)
		return fail_errno(e, "%s: cannot remove", name);
	return ST_OK;
}

static int open_folder(const struct log_io *io, int dir, const char *name)
{
	return io->open(io->ctx, dir, name, O_RDONLY | O_DIRECTORY, 0);
}

st_t disk_folder(const struct log_io *io, int dir, const char *name, bool make, int *ret,
                 struct err *e)
{
	int fd = open_folder(io, dir, name);
	if (fd < 0 && errno == ENOENT && make) {
		if (io->mkdir(io->ctx, dir, name))
			return fail_errno(e, "%s: cannot make the folder", name);
		TRY(disk_sync(io, dir, name, e));
		fd = open_folder(io, dir, name);
	}
	if (fd < 0 && errno == ENOENT)
		return fail(e, ST_NOT_FOUND, 0, "%s: no such folder", name);
	if (fd < 0)
		return fail_errno(e, "%s: cannot open the folder", name);
	*ret = fd;
	return ST_OK;
}
