#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

static size_t next_cap(size_t cap, size_t need)
{
	size_t n = cap ? cap : 256;
	while (n < need && n <= SIZE_MAX / 2)
		n *= 2;
	return n < need ? need : n;
}

void *buf_room(struct buf *b, size_t n)
{
	if (b->oom || n > SIZE_MAX - b->len) {
		b->oom = true;
		return NULL;
	}
	if (b->len + n > b->cap || !b->data) {
		size_t cap = next_cap(b->cap, b->len + n);
		uint8_t *p = realloc(b->data, cap);
		if (!p) {
			b->oom = true;
			return NULL;
		}
		b->data = p;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	void *dst = buf_room(b, n);
	if (!dst || n == 0)
		return;
	memcpy(dst, p, n);
	b->len += n;
}

void buf_text(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_fill(struct buf *b, uint8_t v, size_t n)
{
	void *dst = buf_room(b, n);
	if (!dst)
		return;
	memset(dst, v, n);
	b->len += n;
}

static void add_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t tmp[8];
	for (size_t i = 0; i < n; i++)
		tmp[i] = (uint8_t)(v >> (8 * i));
	buf_add(b, tmp, n);
}

void buf_u16le(struct buf *b, uint16_t v)
{
	add_le(b, v, 2);
}

void buf_u32le(struct buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void buf_u64le(struct buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

void buf_align(struct buf *b, size_t align)
{
	size_t over = b->len & (align - 1);
	if (over)
		buf_fill(b, 0, align - over);
}

st_t buf_check(const struct buf *b, struct err *e, const char *what)
{
	return b->oom ? fail(e, ST_NOMEM, b->len, "%s: out of memory", what) : ST_OK;
}
