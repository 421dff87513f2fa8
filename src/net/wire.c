#include "net/wire.h"

#include "base/num.h"

#include <string.h>

static void write_field(const struct wire_field *d, const char *p, struct buf *b)
{
	struct rd rest;
	size_t n;
	switch (d->kind) {
	case WIRE_U32:
		buf_u32le(b, load_u32le(p));
		return;
	case WIRE_U64:
		buf_u64le(b, load_u64le(p));
		return;
	case WIRE_BYTES:
	case WIRE_BOOLS:
		buf_add(b, p, (size_t)d->max);
		return;
	case WIRE_REST:
		memcpy(&rest, p, sizeof rest);
		if (rest.len)
			buf_add(b, rest.base, rest.len);
		return;
	default:
		n = strnlen(p, (size_t)d->max - 1);
		buf_u32le(b, (uint32_t)n);
		buf_add(b, p, n);
	}
}

void wire_write(const struct wire_field *fields, const void *from, struct buf *b)
{
	for (const struct wire_field *d = fields; d->kind != WIRE_END; d++)
		write_field(d, (const char *)from + d->off, b);
}

bool wire_is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

static bool read_text(struct rd *r, const struct wire_field *d, char *dst)
{
	uint32_t n = rd_u32le(r);
	if (r->bad || n >= d->max)
		return false;
	rd_copy(r, dst, n);
	dst[n] = '\0';
	return d->kind == WIRE_LINE ? wire_is_printable(dst, n) : !memchr(dst, '\0', n);
}

static bool read_u32(struct rd *r, char *dst, const struct wire_field *d)
{
	uint32_t v = rd_u32le(r);
	memcpy(dst, &v, sizeof v);
	return v >= d->min && v <= d->max;
}

static bool read_u64(struct rd *r, char *dst, const struct wire_field *d)
{
	uint64_t v = rd_u64le(r);
	memcpy(dst, &v, sizeof v);
	return v <= d->max;
}

static bool read_rest(struct rd *r, char *dst, const struct wire_field *d)
{
	struct rd rest = rd_sub(r, rd_left(r));
	memcpy(dst, &rest, sizeof rest);
	return rest.len >= d->min && rest.len <= d->max;
}

static bool read_bools(struct rd *r, char *dst, const struct wire_field *d)
{
	for (size_t i = 0; i < d->max; i++) {
		uint8_t v = rd_u8(r);
		bool set = v == 1;
		memcpy(dst + i, &set, sizeof set);
		if (v > 1)
			return false;
	}
	return !r->bad;
}

static bool read_field(struct rd *r, const struct wire_field *d, char *dst)
{
	switch (d->kind) {
	case WIRE_U32:
		return read_u32(r, dst, d);
	case WIRE_U64:
		return read_u64(r, dst, d);
	case WIRE_BYTES:
		rd_copy(r, dst, (size_t)d->max);
		return !r->bad;
	case WIRE_BOOLS:
		return read_bools(r, dst, d);
	case WIRE_REST:
		return read_rest(r, dst, d);
	default:
		return read_text(r, d, dst);
	}
}

bool wire_read(const struct wire_field *fields, struct rd *in, void *ret)
{
	for (const struct wire_field *d = fields; d->kind != WIRE_END; d++)
		if (!read_field(in, d, (char *)ret + d->off))
			return false;
	return !in->bad && rd_left(in) == 0;
}
