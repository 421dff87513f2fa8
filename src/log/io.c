/* struct log_io by the kernel, and whole files over any. Runs in whatever has a log or the state of
 * an update. */
#include "log/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sys_open(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;
	/* "EAGAIN: the kernel could not ensure that a .. component didn't escape": try again. */
	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd;
}

static int sys_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static ssize_t sys_pread(void *ctx, int fd, void *ret, size_t n, uint64_t off)
{
	(void)ctx;
	return pread(fd, ret, n, (off_t)off);
}

static ssize_t sys_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	(void)ctx;
	return pwrite(fd, p, n, (off_t)off);
}

static int sys_start(void *ctx, int fd)
{
	(void)ctx;
	return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int sys_sync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd);
}

static int sys_sync_data(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd);
}

static int sys_truncate(void *ctx, int fd, uint64_t size)
{
	(void)ctx;
	return ftruncate(fd, (off_t)size);
}

static int sys_size(void *ctx, int fd, uint64_t *ret)
{
	(void)ctx;
	struct stat s;
	if (fstat(fd, &s))
		return -1;
	*ret = (uint64_t)s.st_size;
	return 0;
}

static int sys_rename(void *ctx, int from, const char *old, int to, const char *name)
{
	(void)ctx;
	return renameat(from, old, to, name);
}

static int sys_unlink(void *ctx, int dir, const char *name, int flags)
{
	(void)ctx;
	return unlinkat(dir, name, flags);
}

static int sys_symlink(void *ctx, const char *target, int dir, const char *name)
{
	(void)ctx;
	return symlinkat(target, dir, name);
}

static ssize_t sys_readlink(void *ctx, int dir, const char *name, char *ret, size_t n)
{
	(void)ctx;
	return readlinkat(dir, name, ret, n);
}

static int sys_mkdir(void *ctx, int dir, const char *name)
{
	(void)ctx;
	return mkdirat(dir, name, 0777);
}

static int sys_list(void *ctx, int fd, void (*each)(void *arg, const char *name), void *arg)
{
	(void)ctx;
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d) {
		if (own >= 0)
			close(own);
		return -1;
	}
	struct dirent *ent;
	while (errno = 0, (ent = readdir(d)))
		if (strcmp(ent->d_name, ".") && strcmp(ent->d_name, ".."))
			each(arg, ent->d_name);
	int error = errno;
	closedir(d);
	errno = error;
	return error ? -1 : 0;
}

/* An OFD lock: it belongs to the open file, so that two writers in one process exclude each other
 * too, and ends with it, however the process ends. */
static int sys_lock(void *ctx, int fd)
{
	(void)ctx;
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_SETLK, &l);
}

static void *sys_map(void *ctx, int fd, size_t n)
{
	(void)ctx;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int sys_sync_map(void *ctx, void *p, size_t n)
{
	(void)ctx;
	return msync(p, n, MS_SYNC);
}

static void sys_unmap(void *ctx, void *p, size_t n)
{
	(void)ctx;
	munmap(p, n);
}

const struct log_io log_io_system = {
	.open = sys_open,
	.close = sys_close,
	.pread = sys_pread,
	.pwrite = sys_pwrite,
	.start = sys_start,
	.sync = sys_sync,
	.sync_data = sys_sync_data,
	.truncate = sys_truncate,
	.size = sys_size,
	.rename = sys_rename,
	.unlink = sys_unlink,
	.symlink = sys_symlink,
	.readlink = sys_readlink,
	.mkdir = sys_mkdir,
	.list = sys_list,
	.lock = sys_lock,
	.map = sys_map,
	.sync_map = sys_sync_map,
	.unmap = sys_unmap,
};

st_t log_io_read(const struct log_io *io, int fd, const char *what, size_t max, struct buf *ret,
                 struct err *e)
{
	uint64_t size;
	if (io->size(io->ctx, fd, &size))
		return fail_errno(e, "%s", what);
	if (size > max)
		return fail(e, ST_LIMIT, max, "%s: longer than %zu bytes", what, max);
	uint8_t *p = buf_room(ret, (size_t)size);
	if (!p)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	size_t got = 0;
	while (got < size) {
		ssize_t k = io->pread(io->ctx, fd, p + got, (size_t)size - got, got);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "%s: read", what);
		if (k == 0)
			break;
		got += (size_t)k;
	}
	ret->len += got;
	return ST_OK;
}

st_t log_io_write(const struct log_io *io, int fd, const char *what, const void *p, size_t n,
                  struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = io->pwrite(io->ctx, fd, (const char *)p + done, n - done, done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "%s: write", what);
		done += (size_t)k;
	}
	return ST_OK;
}
