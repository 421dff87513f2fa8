/* Tar archives that are the same bytes for the same files: source bundles and update bundles
 * (doc/format/updates.md). POSIX.1-1988 ustar, regular files only.
 *
 * Invariants of what tar_reader_next() lets pass
 * 1. One spelling: header fields are what tar_header_make() writes for that name and size, padding
 *    is zero, names ascend strictly (bytewise) and so differ.
 * 2. Names are relative, printable ASCII without "\" and "//", no part is "." or "..", and fit
 *    TAR_NAME_MAX.
 * 3. Two zero blocks end it and nothing stands behind them. */
#ifndef VITRINE_PACK_TAR_H
#define VITRINE_PACK_TAR_H

#include "base/buf.h"
#include "base/st.h"

#include <stdbool.h>
#include <stdint.h>

#define TAR_BLOCK 512u
#define TAR_NAME_MAX 255 /* name and prefix of ustar, bytes without NUL */
#define TAR_SIZE_MAX ((uint64_t)8 << 30) /* eleven octal digits */
#define TAR_MEMBERS_MAX 100000u

/* The block before a member. ST_MALFORMED, ST_LIMIT: name or size. */
st_t tar_header_make(const char *name, uint64_t size, uint8_t ret[TAR_BLOCK], struct err *e);

/* Bytes of zero behind a member of that size. */
uint32_t tar_padding(uint64_t size);

struct tar_member {
	char name[TAR_NAME_MAX + 1];
	uint64_t off, size; /* of the content, in the archive */
};

/* An archive behind a descriptor, the caller's; all-zero but for fd and size: its start. */
struct tar_reader {
	int fd;
	uint64_t size; /* of the file */
	uint64_t off;  /* of the next header */
	uint32_t n;
	char last[TAR_NAME_MAX + 1];
};

/* The next member; contents are read by pread(). *ret_more false: the end, and it is a good one.
 * ST_MALFORMED, ST_TRUNCATED, ST_LIMIT, negative. `free_first`: the first name
 * need not be lower than the second one (a bundle's "vitrine-bundle"). */
st_t tar_reader_next(struct tar_reader *t, bool free_first, struct tar_member *ret, bool *ret_more,
                     struct err *e);

#endif
