/* The system calls that the log's storage makes, in one table: what is written, synced and renamed,
 * in which order, is the log's safety, so tests replace the table by a disk that loses power
 * (test/unit/sim_disk.h).
 *
 * Every function returns -1 and sets errno on failure, like the calls behind it. */
#ifndef VITRINE_LOG_IO_H
#define VITRINE_LOG_IO_H

#include "base/buf.h"

#include <sys/types.h>

struct log_io {
	void *ctx;
	/* Path beneath the folder `dir`; no symbolic links, no "..". */
	int (*open)(void *ctx, int dir, const char *path, int flags, mode_t mode);
	int (*close)(void *ctx, int fd);
	ssize_t (*pread)(void *ctx, int fd, void *ret, size_t n, uint64_t off);
	ssize_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, uint64_t off);
	/* Starts to write the file back and does not wait. Promises nothing. */
	int (*start)(void *ctx, int fd);
	/* A file's bytes and length, or a folder's names, are durable once this is back. */
	int (*sync)(void *ctx, int fd);
	/* The same for a file of which only bytes that were there before have changed. */
	int (*sync_data)(void *ctx, int fd);
	int (*truncate)(void *ctx, int fd, uint64_t size);
	int (*size)(void *ctx, int fd, uint64_t *ret);
	int (*rename)(void *ctx, int from, const char *old, int to, const char *name);
	int (*unlink)(void *ctx, int dir, const char *name, int flags); /* as unlinkat() */
	/* A symbolic link in the folder, and what it says; its length, not ended by a NUL. */
	int (*symlink)(void *ctx, const char *target, int dir, const char *name);
	ssize_t (*readlink)(void *ctx, int dir, const char *name, char *ret, size_t n);
	int (*mkdir)(void *ctx, int dir, const char *name);
	/* Calls each() for every name in the folder but "." and "..". */
	int (*list)(void *ctx, int fd, void (*each)(void *arg, const char *name), void *arg);
	/* Takes the write lock of the whole file or fails with EAGAIN; it ends with the descriptor. */
	int (*lock)(void *ctx, int fd);
	/* The first n bytes, shared; NULL on failure. */
	void *(*map)(void *ctx, int fd, size_t n);
	int (*sync_map)(void *ctx, void *p, size_t n); /* p: of map(), or whole pages behind it */
	void (*unmap)(void *ctx, void *p, size_t n);
};

extern const struct log_io log_io_system;

/* All bytes of an open file, appended to `ret`. ST_LIMIT: longer than max. */
st_t log_io_read(const struct log_io *io, int fd, const char *what, size_t max, struct buf *ret,
                 struct err *e);

/* All n bytes, from the start of the file. */
st_t log_io_write(const struct log_io *io, int fd, const char *what, const void *p, size_t n,
                  struct err *e);

#endif
