/* Directories of a database, which follow from what they list (doc/format/database.md, HASH and
 * Names): they are made, not moved. */
#include "pack/delta_inside.h"

#include "base/io.h"
#include "base/num.h"
#include "base/sum64.h"

#include <stdlib.h>

st_t delta_in_take(struct delta_in *in, void *ret, size_t n, struct err *e)
{
	uint8_t *to = ret;
	while (n) {
		if (in->pos == in->len) {
			size_t want = (size_t)num_min_u64(sizeof in->buf, in->end - in->off), got;
			TRY(io_pread_full(in->fd, in->buf, want, in->off, &got, e));
			if (got == 0)
				return fail(e, ST_TRUNCATED, in->off, "delta: a table ends too early");
			in->off += got;
			in->len = got;
			in->pos = 0;
		}
		size_t k = num_min_size(n, in->len - in->pos);
		memcpy(to, in->buf + in->pos, k);
		in->pos += k;
		to += k;
		n -= k;
	}
	return ST_OK;
}

st_t delta_names_next(struct delta_names *x, struct err *e)
{
	uint8_t head[3];
	TRY(delta_in_take(&x->in, head, sizeof head, e));
	size_t shared = head[0], rest = load_u16le(head + 1);
	if (shared > x->len || rest > DELTA_NAME_MAX - shared)
		return fail(e, ST_MALFORMED, x->in.off, "delta: names are no names");
	TRY(delta_in_take(&x->in, x->name + shared, rest, e));
	x->len = (uint16_t)(shared + rest);
	return ST_OK;
}

void delta_name_put(const uint8_t *before, size_t before_len, const uint8_t *name, size_t len,
                    struct buf *out)
{
	size_t max = before ? num_min_size(num_min_size(before_len, len), UINT8_MAX) : 0, n = 0;
	while (n < max && before[n] == name[n])
		n++;
	buf_u8(out, (uint8_t)n);
	buf_u16le(out, (uint16_t)(len - n));
	buf_add(out, name + n, len - n);
}

uint64_t delta_dir_len(const struct delta_dir *d)
{
	if (d->kind == DELTA_HASH_DIR)
		return ((UINT64_C(1) << d->log2) + 1) * 8;
	return (d->from_n / DELTA_NAME_BLOCK + (d->from_n % DELTA_NAME_BLOCK != 0) + 1) * 8;
}

struct dir_out {
	delta_dir_sink *sink;
	void *ctx;
};

static st_t put_entry(const struct dir_out *o, uint64_t start, const void *p, size_t n,
                      struct err *e)
{
	uint32_t entry[2] = {(uint32_t)start, (uint32_t)sum64(p, n)};
	return o->sink(o->ctx, (const uint8_t *)entry, e);
}

/* The number that a digest's first bits are. */
static uint64_t bucket_of(const uint8_t *row, uint32_t log2)
{
	uint64_t top = 0;
	for (unsigned i = 0; i < 8; i++)
		top = top << 8 | row[i];
	return log2 ? top >> (64 - log2) : 0;
}

/* Rows gather in `b` until the first one of a later bucket comes. */
static st_t hash_dir(struct delta_in *in, const struct delta_dir *d, const struct dir_out *o,
                     struct buf *b, struct err *e)
{
	uint64_t open = 0, first = 0, last = UINT64_C(1) << d->log2;
	for (uint64_t i = 0; i < d->from_n; i++) {
		uint8_t row[DELTA_ROW_MAX];
		TRY(delta_in_take(in, row, d->stride, e));
		uint64_t bucket = bucket_of(row, d->log2);
		for (; open < bucket; open++, first = i, b->len = 0)
			TRY(put_entry(o, first, b->data, b->len, e));
		if (b->len + d->stride > DELTA_BUCKET_MAX)
			return fail(e, ST_LIMIT, d->off, "delta: a bucket of more than %u bytes",
			            DELTA_BUCKET_MAX);
		buf_add(b, row, d->stride);
		TRY(buf_check(b, e, "delta"));
	}
	for (; open <= last; open++, first = d->from_n, b->len = 0)
		TRY(put_entry(o, first, b->data, b->len, e));
	return ST_OK;
}

/* Blocks are cut every DELTA_NAME_BLOCK names; `raw` is the block that is open. */
static st_t name_dir(struct delta_in *in, const struct delta_dir *d, const struct dir_out *o,
                     struct buf *raw, struct err *e)
{
	uint64_t start = 0, at = 0;
	for (uint64_t i = 0; i < d->from_n; i++) {
		uint8_t head[3];
		if (i && i % DELTA_NAME_BLOCK == 0) {
			TRY(put_entry(o, start, raw->data, raw->len, e));
			start = at;
			raw->len = 0;
		}
		TRY(delta_in_take(in, head, sizeof head, e));
		size_t rest = load_u16le(head + 1);
		if (rest > DELTA_NAME_MAX)
			return fail(e, ST_MALFORMED, d->off, "delta: names are no names");
		buf_add(raw, head, sizeof head);
		uint8_t *room = buf_room(raw, rest);
		TRY(buf_check(raw, e, "delta"));
		TRY(delta_in_take(in, room, rest, e));
		raw->len += rest;
		at += sizeof head + rest;
	}
	if (d->from_n)
		TRY(put_entry(o, start, raw->data, raw->len, e));
	uint32_t end[2] = {(uint32_t)at, 0};
	return o->sink(o->ctx, (const uint8_t *)end, e);
}

st_t delta_dir_make(int fd, const struct delta_dir *d, delta_dir_sink *sink, void *ctx,
                    struct err *e)
{
	struct delta_in in = {.fd = fd, .off = d->from, .end = d->from + d->from_len};
	struct dir_out o = {sink, ctx};
	struct buf open = {0};
	st_t st = d->kind == DELTA_HASH_DIR ? hash_dir(&in, d, &o, &open, e)
	                                    : name_dir(&in, d, &o, &open, e);
	buf_done(&open);
	return st;
}
