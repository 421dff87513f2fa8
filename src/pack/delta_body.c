/* The body of a delta, unpacked as it is asked for, front to back. Runs in the jailed
 * vitrine-verifier. */
#include "pack/delta_apply.h"

#include "base/io.h"
#include "base/num.h"

#include <string.h>
#include <zstd_errors.h>

static st_t body_fill(struct delta_body *b, struct err *e)
{
	b->pos = b->len = 0;
	while (b->len == 0) {
		if (b->ended)
			return fail(e, ST_TRUNCATED, b->off, "delta: the body ends too early");
		if (b->in.pos == b->in.size) {
			b->in.pos = 0;
			TRY(io_pread_full(b->fd, b->raw, sizeof b->raw, b->off, &b->in.size, e));
			b->off += b->in.size;
		}
		bool empty = b->in.size == 0;
		ZSTD_outBuffer ob = {b->out, sizeof b->out, 0};
		size_t left = ZSTD_decompressStream(b->d, &ob, &b->in);
		if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
			return fail(e, ST_NOMEM, b->off, "delta: out of memory");
		if (ZSTD_isError(left))
			return fail(e, ST_MALFORMED, b->off, "delta: %s", ZSTD_getErrorName(left));
		if (empty && ob.pos == 0)
			return fail(e, ST_TRUNCATED, b->off, "delta: the body is cut off");
		b->len = ob.pos;
		b->ended = left == 0;
	}
	return ST_OK;
}

st_t delta_body_take(struct delta_body *b, void *ret, size_t n, struct err *e)
{
	uint8_t *to = ret;
	while (n) {
		if (b->pos == b->len)
			TRY(body_fill(b, e));
		size_t k = num_min_size(n, b->len - b->pos);
		memcpy(to, b->out + b->pos, k);
		b->pos += k;
		to += k;
		n -= k;
	}
	return ST_OK;
}

st_t delta_body_end(struct delta_body *b, struct err *e)
{
	uint8_t more;
	struct err why = {0};
	size_t got;
	if (b->pos == b->len && !b->ended) {
		st_t st = body_fill(b, &why); /* the end of the frame may be left to read */
		if (st < 0)
			return fail(e, st, b->off, "%s", why.text);
		if (st == ST_OK || !b->ended)
			return fail(e, ST_MALFORMED, b->off, "delta: the body does not end with the new file");
	}
	TRY(io_pread_full(b->fd, &more, 1, b->off, &got, e));
	if (b->pos < b->len || b->in.pos < b->in.size || got)
		return fail(e, ST_MALFORMED, b->off, "delta: bytes behind its end");
	return ST_OK;
}

st_t delta_take_number(struct delta_apply *a, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t byte;
		TRY(delta_body_take(&a->body, &byte, 1, e));
		v |= (uint64_t)(byte & 127) << shift;
		if (byte < 128) {
			*ret = v;
			return ST_OK;
		}
	}
	return delta_malformed(a, e, "a number of more than 63 bits");
}

st_t delta_take_up_to(struct delta_apply *a, uint64_t max, uint64_t *ret, struct err *e)
{
	uint64_t v;
	TRY(delta_take_number(a, &v, e));
	if (v > max)
		return delta_malformed(a, e, "a number is too large");
	*ret = v;
	return ST_OK;
}

st_t delta_take_space(struct delta_apply *a, uint64_t *ret, struct err *e)
{
	TRY(delta_take_number(a, ret, e));
	return *ret < a->nspaces ? ST_OK : delta_malformed(a, e, "there is no such space");
}
