/* Inside of cvd/: text fields and unpacking. */
#ifndef VITRINE_CVD_INSIDE_H
#define VITRINE_CVD_INSIDE_H

#include "cvd/cvd.h"

/* A piece of text; not NUL-terminated. */
struct piece {
	const char *p;
	size_t n;
};

/* Takes what stands before the next `c` (all of it if there is none) off `rest`; false if there is
 * none. */
bool piece_cut(struct piece *rest, char c, struct piece *ret);

/* 1 to 19 decimal digits and nothing else. */
bool piece_u64(struct piece s, uint64_t *ret);
bool piece_u32(struct piece s, uint32_t *ret);

/* 2n hex digits, lower or upper case. */
bool piece_hex(struct piece s, uint8_t *ret, size_t n);

/* Copies printable ASCII that fits, with NUL. */
bool piece_text(struct piece s, char *ret, size_t cap);

/* The same for a file name: letters, digits, '.', '_', '-'; the first no '.' or '-'. */
bool piece_name(struct piece s, char ret[CVD_NAME_MAX]);

/* Header fields from a line with colons; blanks behind are not part of it. */
st_t cvd_header_fields(struct piece line, struct cvd_header *ret, struct err *e);

/* Unpacks one gzip stream that fills [p, p + n). */
st_t cvd_gunzip(const void *p, size_t n, struct buf *ret, struct err *e);

#endif
