/* Zstandard (RFC 8878) through libzstd, in pieces: memory is the window and two buffers, whatever
 * the file's length. A frame that wants a larger window is refused. */
#include "pack/zstd.h"

#include "base/io.h"
#include "base/num.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Log2 of the window, 8 MiB: "it's recommended for decoders to support values of Window_Size up to
 * 8 MB" (RFC 8878, 3.1.1.1.2). More would make verification need more memory. */
#define WINDOW_LOG 23
#define CHUNK ((size_t)128 << 10)

struct pump {
	int in_fd, out_fd;
	uint64_t in_size, in_done, out_done;
	uint8_t *in, *out;
	ZSTD_inBuffer ib;
};

static st_t pump_init(struct pump *p, int in_fd, uint64_t in_size, int out_fd, struct err *e)
{
	*p = (struct pump){.in_fd = in_fd, .in_size = in_size, .out_fd = out_fd};
	p->in = malloc(CHUNK);
	p->out = malloc(CHUNK);
	if (!p->in || !p->out)
		return fail(e, ST_NOMEM, 0, "zstd: out of memory");
	p->ib.src = p->in;
	return ST_OK;
}

static void pump_done(struct pump *p)
{
	free(p->in);
	free(p->out);
}

/* Refills the input where it is used up; at the end of the file it stays empty. */
static st_t pump_fill(struct pump *p, struct err *e)
{
	size_t got;
	if (p->ib.pos < p->ib.size)
		return ST_OK;
	size_t n = (size_t)num_min_u64(CHUNK, p->in_size - p->in_done);
	TRY(io_pread_full(p->in_fd, p->in, n, p->in_done, &got, e));
	if (got < n)
		return fail(e, ST_TRUNCATED, p->in_done, "zstd: the file became shorter");
	p->in_done += n;
	p->ib.size = n;
	p->ib.pos = 0;
	return ST_OK;
}

static bool pump_empty(const struct pump *p)
{
	return p->in_done == p->in_size && p->ib.pos == p->ib.size;
}

static st_t pump_write(struct pump *p, size_t n, struct err *e)
{
	TRY(io_write_all(p->out_fd, p->out, n, e));
	p->out_done += n;
	return ST_OK;
}

static st_t zstd_fail(size_t code, uint64_t off, struct err *e)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return fail(e, ST_NOMEM, off, "zstd: out of memory");
	case ZSTD_error_frameParameter_windowTooLarge:
		return fail(e, ST_LIMIT, off, "zstd: a window of more than 8 MiB");
	default:
		return fail(e, ST_MALFORMED, off, "zstd: %s", ZSTD_getErrorName(code));
	}
}

static size_t compress_setup(ZSTD_CCtx *c, uint64_t size, int level)
{
	size_t bad = ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(bad))
		bad = ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, WINDOW_LOG);
	return ZSTD_isError(bad) ? bad : ZSTD_CCtx_setPledgedSrcSize(c, size);
}

static st_t compress_run(ZSTD_CCtx *c, struct pump *p, struct err *e)
{
	size_t left = 1;
	while (left) {
		TRY(pump_fill(p, e));
		ZSTD_outBuffer ob = {p->out, CHUNK, 0};
		bool last = p->in_done == p->in_size;
		size_t k = ZSTD_compressStream2(c, &ob, &p->ib, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(k))
			return zstd_fail(k, p->in_done, e);
		TRY(pump_write(p, ob.pos, e));
		left = last ? k : 1;
	}
	return ST_OK;
}

st_t pack_compress(int in_fd, uint64_t size, int level, int out_fd, uint64_t *ret_size,
                   struct err *e)
{
	struct pump p;
	ZSTD_CCtx *c = ZSTD_createCCtx();
	st_t st = c ? pump_init(&p, in_fd, size, out_fd, e) : fail(e, ST_NOMEM, 0, "zstd");
	if (!c)
		return st;
	size_t bad = st == ST_OK ? compress_setup(c, size, level) : 0;
	if (ZSTD_isError(bad))
		st = zstd_fail(bad, 0, e);
	if (st == ST_OK)
		st = compress_run(c, &p, e);
	if (st == ST_OK)
		*ret_size = p.out_done;
	pump_done(&p);
	ZSTD_freeCCtx(c);
	return st;
}

/* One frame: it begins with its magic number ("skippable frames" do not), ends where the file does,
 * and has `size` bytes in it. */
static st_t decompress_run(ZSTD_DCtx *d, struct pump *p, uint64_t size, struct err *e)
{
	size_t left = 1;
	while (left) {
		TRY(pump_fill(p, e));
		/* A byte more than is expected, so that a longer one is seen. */
		uint64_t room = size - p->out_done;
		ZSTD_outBuffer ob = {p->out, room < CHUNK ? (size_t)room + 1 : CHUNK, 0};
		bool empty = pump_empty(p);
		left = ZSTD_decompressStream(d, &ob, &p->ib);
		if (ZSTD_isError(left))
			return zstd_fail(left, p->in_done, e);
		if (ob.pos > room)
			return fail(e, ST_LIMIT, p->in_done, "zstd: more than the %llu bytes expected",
			            (unsigned long long)size);
		TRY(pump_write(p, ob.pos, e));
		if (left && empty && ob.pos == 0)
			return fail(e, ST_TRUNCATED, p->in_done, "zstd: the frame is cut off");
	}
	if (!pump_empty(p))
		return fail(e, ST_MALFORMED, p->in_done, "zstd: bytes behind the frame");
	if (p->out_done != size)
		return fail(e, ST_MALFORMED, p->in_done, "zstd: %llu bytes instead of %llu",
		            (unsigned long long)p->out_done, (unsigned long long)size);
	return ST_OK;
}

/* ZSTD_MAGICNUMBER, little-endian; skippable frames and older formats have others. */
static st_t check_magic(struct pump *p, struct err *e)
{
	TRY(pump_fill(p, e));
	if (p->ib.size < 4)
		return fail(e, ST_TRUNCATED, 0, "zstd: shorter than its magic number");
	if (load_u32le(p->in) != ZSTD_MAGICNUMBER)
		return fail(e, ST_MALFORMED, 0, "zstd: not a Zstandard frame");
	return ST_OK;
}

st_t pack_decompress(int in_fd, uint64_t in_size, uint64_t size, int out_fd, struct err *e)
{
	struct pump p;
	ZSTD_DCtx *d = ZSTD_createDCtx();
	st_t st = d ? pump_init(&p, in_fd, in_size, out_fd, e) : fail(e, ST_NOMEM, 0, "zstd");
	if (!d)
		return st;
	size_t bad = st == ST_OK ? ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG) : 0;
	if (ZSTD_isError(bad))
		st = zstd_fail(bad, 0, e);
	if (st == ST_OK)
		st = check_magic(&p, e);
	if (st == ST_OK)
		st = decompress_run(d, &p, size, e);
	pump_done(&p);
	ZSTD_freeDCtx(d);
	return st;
}
