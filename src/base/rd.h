/* Bounded reader: the only way that Vitrine touches bytes it did not make itself.
 *
 * Invariants
 * 1. pos <= len, and no read ever leaves [base, base + len).
 * 2. Reading past the end returns zeroes and sets `bad`; it stays set ("sticky"), so a parser reads
 *    a whole structure and checks once with rd_check() before a value steers anything.
 * 3. A child made by rd_sub() or rd_at() cannot reach outside its own region.
 * One read per statement: the order of evaluation inside initialisers is unspecified. */
#ifndef VITRINE_BASE_RD_H
#define VITRINE_BASE_RD_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *base;
	size_t len;
	size_t pos;
	bool bad;
};

struct rd rd_make(const void *base, size_t len);

static inline size_t rd_left(const struct rd *r)
{
	return r->len - r->pos;
}

/* Takes n bytes: a pointer to them, or NULL (and bad) when fewer are left. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	if (r->bad || n > rd_left(r)) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->base + r->pos;
	r->pos += n;
	return p;
}

/* Byte i of the region, 0 behind its end; neither moves nor sets bad. For loops over every byte. */
static inline uint8_t rd_byte(const struct rd *r, size_t i)
{
	return i < r->len ? r->base[i] : 0;
}

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16le(struct rd *r);
uint32_t rd_u32le(struct rd *r);
uint64_t rd_u64le(struct rd *r);
uint16_t rd_u16be(struct rd *r);
uint32_t rd_u32be(struct rd *r);
uint64_t rd_u64be(struct rd *r);

void rd_skip(struct rd *r, size_t n);

/* Moves to an absolute offset; past the end sets bad. */
void rd_seek(struct rd *r, uint64_t off);

/* Takes the next n bytes as a reader of their own; an empty, bad reader when fewer are left. */
struct rd rd_sub(struct rd *r, size_t n);

/* A reader of [off, off + n) of the same region, `r` does not move; an empty, bad one if
 * outside. */
struct rd rd_at(const struct rd *r, uint64_t off, uint64_t n);

/* True if the region of `inner` lies in that of `outer`. */
bool rd_within(const struct rd *outer, const struct rd *inner);

/* Where in `outer` the region of `inner` starts, which lies in it. */
static inline size_t rd_offset(const struct rd *outer, const struct rd *inner)
{
	return (size_t)(inner->base - outer->base);
}

/* Copies the next n bytes; zeroes and bad when fewer are left. */
void rd_copy(struct rd *r, void *ret_dst, size_t n);

/* True if the next n bytes exist and equal s; does not move and never sets bad. */
bool rd_peek(const struct rd *r, const void *s, size_t n);

/* ST_OK, or ST_TRUNCATED with "WHAT: truncated" if the reader went bad. */
st_t rd_check(const struct rd *r, struct err *e, const char *what);

#endif
