/* Where a log puts what it serves: objects by the paths of C2SP tlog-tiles. A folder now
 * (log_store_open_folder()); an object store has the same few operations.
 *
 * What every implementation promises
 * 1. An object appears whole or not at all to who reads meanwhile; put() replaces what is there.
 * 2. After barrier() everything put since the last one survives a power cut, under its name.
 *    Before, any part of it may be missing, short or torn.
 * 3. replace() is atomic, also across a power cut: the old object or the new one; the new one for
 *    sure once it is back. It does not order what was put before: barrier() does.
 * After any failure of put(), barrier() or replace() nothing is known about what is durable; the
 * writer stops and starts anew from what it finds. */
#ifndef VITRINE_LOG_STORE_H
#define VITRINE_LOG_STORE_H

#include "base/buf.h"
#include "log/io.h"

/* Longest path of an object with its NUL. */
#define LOG_PATH_MAX 256

struct log_store_ops {
	/* ST_NOT_FOUND; ST_LIMIT: longer than max. Fills an empty buffer, the caller's. */
	st_t (*get)(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e);
	st_t (*put)(void *ctx, const char *path, const void *p, size_t n, struct err *e);
	st_t (*barrier)(void *ctx, struct err *e);
	st_t (*replace)(void *ctx, const char *path, const void *p, size_t n, struct err *e);
	/* ST_OK also where nothing is. Not durable by itself: for what may as well be there. */
	st_t (*remove)(void *ctx, const char *path, struct err *e);
	/* The names of objects right below "folder". None, also if there is no such folder: ST_OK. */
	st_t (*list)(void *ctx, const char *folder, void (*each)(void *arg, const char *name),
	             void *arg, struct err *e);
	void (*free)(void *ctx);
};

struct log_store {
	const struct log_store_ops *ops;
	void *ctx;
	uint64_t syncs; /* waits for the disk so far, for who measures */
};

/* The folder open as `dir` (owned by the caller, used until log_store_free()). Removes what an
 * unfinished put() left. */
st_t log_store_open_folder(const struct log_io *io, int dir, struct log_store **ret, struct err *e);
void log_store_free(struct log_store *s);

#endif
