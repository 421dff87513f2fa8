/* Unpacking of one gzip stream in one go; its length stands at its end and is checked. */
#include "cvd/inside.h"

#include <libdeflate.h>

/* Deflate unfolds a byte to 1,032 at most, so a claim beyond that is a lie and costs no memory. */
#define DEFLATE_RATIO_MAX 1040

/* The last four bytes: the unpacked length modulo 2^32. */
static uint64_t claimed_length(const void *p, size_t n)
{
	struct rd r = rd_make(p, n);
	rd_seek(&r, n < 4 ? 0 : n - 4);
	return rd_u32le(&r);
}

st_t cvd_gunzip(const void *p, size_t n, struct buf *ret, struct err *e)
{
	uint64_t size = claimed_length(p, n);
	if (size > CVD_UNPACKED_MAX)
		return fail(e, ST_LIMIT, 0, "unfolds to more than %zu bytes", CVD_UNPACKED_MAX);
	if (size / DEFLATE_RATIO_MAX > n)
		return fail(e, ST_MALFORMED, 0, "gzip stream claims an impossible length");
	void *to = buf_room(ret, size ? (size_t)size : 1);
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	size_t in = 0, out = 0;
	if (!to || !d) {
		libdeflate_free_decompressor(d);
		return fail(e, ST_NOMEM, 0, "unpacking: out of memory");
	}
	enum libdeflate_result got =
	    libdeflate_gzip_decompress_ex(d, p, n, to, (size_t)size, &in, &out);
	libdeflate_free_decompressor(d);
	if (got != LIBDEFLATE_SUCCESS || in != n || out != size)
		return fail(e, ST_MALFORMED, 0, "gzip stream is broken");
	ret->len += out;
	return ST_OK;
}
