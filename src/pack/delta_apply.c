/* Applying a delta, in pieces: the body is read once, front to back; the old file where the delta
 * says; the new file is written front to back but for the directories, which are made at the end
 * of what was written.
 *
 * Invariants
 * 1. Old bytes are read only within the old file, new ones written only within the announced
 *    length, each exactly once.
 * 2. Memory: the window of the body, runs of the spaces (DELTA_RUNS_MAX), some buffers.
 * 3. Every step of the body makes at least one record, or is one of a bounded number.
 *
 * Runs in the jailed vitrine-verifier. */
#include "pack/delta.h"

#include "pack/delta_apply.h"

#include "base/io.h"
#include "base/num.h"
#include "base/rd.h"
#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

st_t delta_malformed(const struct delta_apply *a, struct err *e, const char *what)
{
	return fail(e, ST_MALFORMED, a->new_off, "delta: %s", what);
}

static st_t flush(struct delta_apply *a, struct err *e)
{
	size_t done = 0;
	while (done < a->out_len) {
		ssize_t k = pwrite(a->out_fd, a->out + done, a->out_len - done,
		                   (off_t)(a->out_off + done));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "delta: write");
		done += (size_t)k;
	}
	a->out_off += a->out_len;
	a->out_len = 0;
	return ST_OK;
}

st_t delta_put(struct delta_apply *a, const uint8_t *p, size_t n, struct err *e)
{
	while (n) {
		if (a->out_len == sizeof a->out)
			TRY(flush(a, e));
		size_t k = num_min_size(n, sizeof a->out - a->out_len);
		memcpy(a->out + a->out_len, p, k);
		a->out_len += k;
		p += k;
		n -= k;
	}
	return ST_OK;
}

/* Where the new file goes on elsewhere. */
static st_t put_at(struct delta_apply *a, uint64_t off, struct err *e)
{
	TRY(flush(a, e));
	a->out_off = off;
	return ST_OK;
}

/* A directory is left out for now: made of what stands behind it, maybe. */
static st_t note_dir(struct delta_apply *a, enum delta_kind kind, struct err *e)
{
	struct delta_dir d = {.kind = kind, .off = a->new_off};
	uint64_t stride = 0, log2 = 0;
	TRY(delta_take_up_to(a, a->new_size, &d.from, e));
	TRY(delta_take_up_to(a, a->new_size - d.from, &d.from_len, e));
	TRY(delta_take_up_to(a, d.from_len, &d.from_n, e));
	TRY(delta_take_up_to(a, DELTA_ROW_MAX, &stride, e));
	TRY(delta_take_up_to(a, DELTA_DIR_LOG2_MAX, &log2, e));
	d.stride = (uint32_t)stride;
	d.log2 = (uint32_t)log2;
	if (kind == DELTA_HASH_DIR && (stride < DELTA_ROW_MIN || d.from_n * stride != d.from_len))
		return delta_malformed(a, e, "a directory of no rows");
	if (delta_dir_len(&d) > a->new_size - a->new_off)
		return delta_malformed(a, e, "a directory is longer than the file");
	if (a->ndirs == DELTA_DERIVED_MAX)
		return fail(e, ST_LIMIT, a->new_off, "delta: more than %u directories",
		            DELTA_DERIVED_MAX);
	a->dir[a->ndirs++] = d;
	a->new_off += delta_dir_len(&d);
	return put_at(a, a->new_off, e);
}

static st_t put_dir_entry(void *ctx, const uint8_t entry[8], struct err *e)
{
	return delta_put(ctx, entry, 8, e);
}

static st_t make_dirs(struct delta_apply *a, struct err *e)
{
	for (uint32_t i = 0; i < a->ndirs; i++) {
		TRY(put_at(a, a->dir[i].off, e));
		TRY(delta_dir_make(a->out_fd, &a->dir[i], put_dir_entry, a, e));
	}
	return flush(a, e);
}

static st_t apply_table(struct delta_apply *a, struct err *e)
{
	uint64_t kind = 0;
	TRY(delta_take_number(a, &kind, e));
	switch (kind) {
	case DELTA_EDIT:
		return delta_apply_edit(a, e);
	case DELTA_NAMES:
		return delta_apply_names(a, e);
	case DELTA_HASH_DIR:
	case DELTA_NAME_DIR:
		return note_dir(a, (enum delta_kind)kind, e);
	default:
		return delta_malformed(a, e, "a table of an unknown kind");
	}
}

/* Steps of a space: jumps go forward only, so that numbers can be mapped. */
static st_t take_runs(struct delta_apply *a, struct delta_script *s, struct err *e)
{
	uint64_t n = 0, old = 0, new = 0;
	TRY(delta_take_number(a, &n, e));
	if (n > DELTA_RUNS_MAX - a->nruns)
		return fail(e, ST_LIMIT, 0, "delta: more than %u runs", DELTA_RUNS_MAX);
	a->nruns += n;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t jump = 0, keep = 0, more = 0;
		TRY(delta_take_up_to(a, UINT32_MAX - old, &jump, e));
		TRY(delta_take_up_to(a, num_min_u64(UINT32_MAX - old - jump, UINT32_MAX - new), &keep, e));
		TRY(delta_take_up_to(a, UINT32_MAX - new - keep, &more, e));
		struct delta_run r = {(uint32_t)(old + jump), (uint32_t)new, (uint32_t)keep};
		buf_add(&s->runs, &r, sizeof r);
		old += jump + keep;
		new += keep + more;
	}
	s->new_n = new;
	return buf_check(&s->runs, e, "delta");
}

static st_t apply_body(struct delta_apply *a, struct err *e)
{
	uint64_t nspaces = 0, ntables = 0;
	TRY(delta_take_up_to(a, DELTA_SPACES_MAX, &nspaces, e));
	for (; a->nspaces < nspaces; a->nspaces++)
		TRY(take_runs(a, &a->space[a->nspaces], e));
	TRY(delta_take_up_to(a, DELTA_TABLES_MAX, &ntables, e));
	for (uint64_t i = 0; i < ntables; i++)
		TRY(apply_table(a, e));
	if (a->new_off != a->new_size)
		return delta_malformed(a, e, "its tables are not as long as the new file");
	TRY(flush(a, e));
	TRY(delta_body_end(&a->body, e));
	return make_dirs(a, e);
}

/* The head: for this old file, and a new one that is allowed. */
static st_t check_head(struct delta_apply *a, uint64_t max, struct err *e)
{
	uint8_t head[DELTA_HEAD], sum[32];
	uint64_t size;
	size_t got;
	TRY(io_pread_full(a->body.fd, head, sizeof head, 0, &got, e));
	struct rd r = rd_make(head, got);
	if (!rd_peek(&r, DELTA_MAGIC, 8))
		return fail(e, got < 8 ? ST_TRUNCATED : ST_MALFORMED, 0, "delta: this is none");
	rd_skip(&r, 8);
	struct rd want = rd_sub(&r, sizeof sum);
	a->old_size = rd_u64le(&r);
	a->new_size = rd_u64le(&r);
	TRY(rd_check(&r, e, "delta"));
	if (a->new_size > max)
		return fail(e, ST_LIMIT, 0, "delta: the new file has %llu bytes, more than the %llu "
		                            "expected",
		            (unsigned long long)a->new_size, (unsigned long long)max);
	TRY(digest_file(DIGEST_SHA256, a->old_fd, sum, &size, e));
	if (size != a->old_size || memcmp(sum, want.base, sizeof sum))
		return fail(e, ST_CONFLICT, 0, "delta: it was made for another old file");
	return ST_OK;
}

static st_t run(struct delta_apply *a, uint64_t max, struct err *e)
{
	TRY(check_head(a, max, e));
	a->body.off = DELTA_HEAD;
	a->body.in.src = a->body.raw;
	a->body.d = ZSTD_createDCtx();
	if (!a->body.d ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(a->body.d, ZSTD_d_windowLogMax, DELTA_WINDOW_LOG)))
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	return apply_body(a, e);
}

st_t delta_apply(int old_fd, int delta_fd, uint64_t max, int out_fd, struct err *e)
{
	struct delta_apply *a = calloc(1, sizeof *a);
	if (!a)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	a->old_fd = old_fd;
	a->out_fd = out_fd;
	a->body.fd = delta_fd;
	st_t st = run(a, max, e);
	ZSTD_freeDCtx(a->body.d);
	for (uint32_t i = 0; i < DELTA_SPACES_MAX; i++)
		buf_done(&a->space[i].runs);
	free(a);
	return st;
}
