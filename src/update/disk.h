/* Small files in a folder, put in place by one rename: what the state and the store of metadata
 * are made of. Inside src/update. */
#ifndef VITRINE_UPDATE_DISK_H
#define VITRINE_UPDATE_DISK_H

#include "base/rd.h"
#include "log/io.h"

/* Where a file is written before it takes its place; who opens a folder for writing removes it. */
#define DISK_NEW ".new"

/* ST_NOT_FOUND; ST_LIMIT: longer than max. */
st_t disk_read(const struct log_io *io, int dir, const char *path, size_t max, struct buf *ret,
               struct err *e);

/* A new file, durable but for its name. ST_CONFLICT: there is one. */
st_t disk_create(const struct log_io *io, int dir, const char *name, struct rd bytes,
                 struct err *e);

/* Replaces or makes folder/name, whole or not at all; durable once this is back. `to`: the folder
 * in which it gets its name, of the same file system. */
st_t disk_put(const struct log_io *io, int dir, int to, const char *name, struct rd bytes,
              struct err *e);

/* ST_OK also if there is none. */
st_t disk_remove(const struct log_io *io, int dir, const char *name, struct err *e);
st_t disk_sync(const struct log_io *io, int fd, const char *what, struct err *e);

/* Opens the folder `name`, which is made, durable, if `make`; ST_NOT_FOUND. The caller closes
 * it. */
st_t disk_folder(const struct log_io *io, int dir, const char *name, bool make, int *ret,
                 struct err *e);

#endif
