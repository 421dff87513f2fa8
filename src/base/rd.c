#include "base/rd.h"

#include <string.h>

struct rd rd_make(const void *base, size_t len)
{
	/* No bytes at no address: NULL + 0 is not defined, so the empty string stands for it. */
	return (struct rd){.base = base ? base : "", .len = base ? len : 0};
}

static uint64_t le(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	uint64_t v = 0;
	for (size_t i = n; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static uint64_t be(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	uint64_t v = 0;
	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)le(r, 1);
}

uint16_t rd_u16le(struct rd *r)
{
	return (uint16_t)le(r, 2);
}

uint32_t rd_u32le(struct rd *r)
{
	return (uint32_t)le(r, 4);
}

uint64_t rd_u64le(struct rd *r)
{
	return le(r, 8);
}

uint16_t rd_u16be(struct rd *r)
{
	return (uint16_t)be(r, 2);
}

uint32_t rd_u32be(struct rd *r)
{
	return (uint32_t)be(r, 4);
}

uint64_t rd_u64be(struct rd *r)
{
	return be(r, 8);
}

void rd_skip(struct rd *r, size_t n)
{
	(void)rd_take(r, n);
}

void rd_seek(struct rd *r, uint64_t off)
{
	if (off > r->len) {
		r->bad = true;
		return;
	}
	r->pos = (size_t)off;
}

static struct rd bad_reader(void)
{
	return (struct rd){.base = (const uint8_t *)"", .bad = true};
}

struct rd rd_sub(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	return p ? rd_make(p, n) : bad_reader();
}

struct rd rd_at(const struct rd *r, uint64_t off, uint64_t n)
{
	if (off > r->len || n > r->len - off)
		return bad_reader();
	return rd_make(r->base + off, (size_t)n);
}

bool rd_within(const struct rd *outer, const struct rd *inner)
{
	uintptr_t from = (uintptr_t)outer->base, at = (uintptr_t)inner->base;
	return at >= from && at - from <= outer->len && inner->len <= outer->len - (at - from);
}

void rd_copy(struct rd *r, void *ret_dst, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	if (p)
		memcpy(ret_dst, p, n);
	else
		memset(ret_dst, 0, n);
}

bool rd_peek(const struct rd *r, const void *s, size_t n)
{
	return !r->bad && n <= rd_left(r) && memcmp(r->base + r->pos, s, n) == 0;
}

st_t rd_check(const struct rd *r, struct err *e, const char *what)
{
	if (!r->bad)
		return ST_OK;
	return fail(e, ST_TRUNCATED, r->pos, "%s: truncated", what);
}
