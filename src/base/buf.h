/* Growable byte buffer. After a failed append `oom` stays set and further appends do nothing, so a
 * writer checks once at the end. */
#ifndef VITRINE_BASE_BUF_H
#define VITRINE_BASE_BUF_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool oom;
};

/* All-zero is a valid empty buffer. */
void buf_done(struct buf *b);

/* Makes room for n more bytes and returns where they go (len is not moved), or NULL. */
void *buf_room(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *p, size_t n);

/* The bytes of a string, without its NUL. */
void buf_text(struct buf *b, const char *s);

/* Inline: views are written byte by byte. */
static inline void buf_u8(struct buf *b, uint8_t v)
{
	if (b->len < b->cap && !b->oom)
		b->data[b->len++] = v;
	else
		buf_add(b, &v, 1);
}

void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_fill(struct buf *b, uint8_t v, size_t n);

/* Zero bytes up to the next multiple of `align` (a power of two). */
void buf_align(struct buf *b, size_t align);

st_t buf_check(const struct buf *b, struct err *e, const char *what);

#endif
