/* Small files by their paths: what a user names, read whole or written whole. */
#ifndef VITRINE_CLI_FILES_H
#define VITRINE_CLI_FILES_H

#include "base/buf.h"
#include "base/st.h"

/* Appends the file. ST_LIMIT: more than `max` bytes. The message names it. */
st_t file_read(const char *path, size_t max, struct buf *ret, struct err *e);

/* In place of what is there, whole or not at all, durably. */
st_t file_replace(const char *path, const struct buf *b, struct err *e);

#endif
