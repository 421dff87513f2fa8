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

#include "pack/delta_inside.h"

#include "base/io.h"
#include "base/num.h"
#include "base/rd.h"
#include "crypto/digest.h"

#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

/* The body, unpacked as it is asked for. */
struct body {
	ZSTD_DCtx *d;
	int fd;
	uint64_t off; /* in the delta */
	ZSTD_inBuffer in;
	size_t pos, len; /* in out[] */
	bool ended;      /* the frame is complete */
	uint8_t raw[DELTA_CHUNK], out[DELTA_CHUNK];
};

struct apply {
	int old_fd, out_fd;
	uint64_t old_size, new_size, new_off;
	struct body body;
	struct delta_script space[DELTA_SPACES_MAX];
	uint32_t nspaces;
	uint64_t nruns;
	struct delta_dir dir[DELTA_DERIVED_MAX];
	uint32_t ndirs;
	uint8_t work[DELTA_CHUNK];
	size_t out_len;
	uint64_t out_off; /* in the new file, of out[0] */
	uint8_t out[DELTA_CHUNK];
};

static st_t malformed(const struct apply *a, struct err *e, const char *what)
{
	return fail(e, ST_MALFORMED, a->new_off, "delta: %s", what);
}

static st_t body_fill(struct body *b, struct err *e)
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

static st_t body_take(struct body *b, void *ret, size_t n, struct err *e)
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

/* The body ends here, its frame too, and so does the delta. */
static st_t body_end(struct body *b, struct err *e)
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

static st_t take_number(struct apply *a, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t byte;
		TRY(body_take(&a->body, &byte, 1, e));
		v |= (uint64_t)(byte & 127) << shift;
		if (byte < 128) {
			*ret = v;
			return ST_OK;
		}
	}
	return malformed(a, e, "a number of more than 63 bits");
}

/* A number of at most `max`. */
static st_t take_up_to(struct apply *a, uint64_t max, uint64_t *ret, struct err *e)
{
	uint64_t v;
	TRY(take_number(a, &v, e));
	if (v > max)
		return malformed(a, e, "a number is too large");
	*ret = v;
	return ST_OK;
}

static st_t flush(struct apply *a, struct err *e)
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

static st_t put(struct apply *a, const uint8_t *p, size_t n, struct err *e)
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
static st_t put_at(struct apply *a, uint64_t off, struct err *e)
{
	TRY(flush(a, e));
	a->out_off = off;
	return ST_OK;
}

/* Steps of an edit, one at a time, from the body or from the runs of a space. */
struct step {
	uint64_t old, keep, insert; /* records */
};

struct steps {
	const struct delta_script *space; /* NULL: in the body */
	size_t i;
	uint64_t old; /* where the last step ended */
	uint64_t left; /* records of the table that are still to be made */
};

static st_t step_of_body(struct apply *a, struct steps *s, struct step *ret, struct err *e)
{
	uint64_t jump = 0;
	TRY(take_number(a, &jump, e));
	TRY(take_up_to(a, s->left, &ret->keep, e));
	TRY(take_up_to(a, s->left - ret->keep, &ret->insert, e));
	uint64_t way = jump >> 1;
	if ((jump & 1) ? way > s->old : way > a->old_size)
		return malformed(a, e, "a jump leads out of the old file");
	if (ret->keep + ret->insert == 0)
		return malformed(a, e, "a step that makes nothing");
	ret->old = (jump & 1) ? s->old - way : s->old + way;
	s->old = ret->old + ret->keep;
	return ST_OK;
}

static st_t step_of_space(struct apply *a, struct steps *s, struct step *ret, struct err *e)
{
	if (s->i >= delta_script_n(s->space))
		return malformed(a, e, "a space is shorter than its table");
	const struct delta_run *r = delta_script_at(s->space, s->i++);
	uint64_t next = s->i < delta_script_n(s->space) ? r[1].new : s->space->new_n;
	*ret = (struct step){r->old, r->keep, next - r->new - r->keep};
	if (ret->keep > s->left || ret->insert > s->left - ret->keep)
		return malformed(a, e, "a space is longer than its table");
	return ST_OK;
}

static st_t next_step(struct apply *a, struct steps *s, struct step *ret, struct err *e)
{
	TRY(s->space ? step_of_space(a, s, ret, e) : step_of_body(a, s, ret, e));
	s->left -= ret->keep + ret->insert;
	return ST_OK;
}

static st_t read_old(struct apply *a, uint64_t off, size_t n, struct err *e)
{
	size_t got;
	if (off > a->old_size || n > a->old_size - off)
		return malformed(a, e, "a table lies outside of the old file");
	TRY(io_pread_full(a->old_fd, a->work, n, off, &got, e));
	return got == n ? ST_OK : fail(e, ST_IO, off, "delta: the old file became shorter");
}

/* Corrections of a run: records by their number, changed by XOR. */
struct patches {
	uint64_t left, at; /* the next one's record */
};

static st_t next_patch(struct apply *a, struct patches *p, uint64_t from, uint64_t keep,
                       struct err *e)
{
	uint64_t gap = 0;
	if (p->left == 0)
		return ST_OK;
	TRY(take_number(a, &gap, e));
	if (from >= keep || gap >= keep - from)
		return malformed(a, e, "a correction behind the end of its run");
	p->at = from + gap;
	return ST_OK;
}

/* Applies those to records [done, done + n), which are in work[]. */
static st_t patch(struct apply *a, struct patches *p, uint32_t stride, uint64_t done, size_t n,
                  uint64_t keep, struct err *e)
{
	while (p->left && p->at < done + n) {
		uint8_t x[DELTA_STRIDE_MAX];
		uint8_t *record = a->work + (p->at - done) * stride;
		TRY(body_take(&a->body, x, stride, e));
		for (uint32_t i = 0; i < stride; i++)
			record[i] ^= x[i];
		p->left--;
		TRY(next_patch(a, p, p->at + 1, keep, e));
	}
	return ST_OK;
}

static st_t keep_run(struct apply *a, const struct delta_table *t, const struct step *s,
                     struct err *e)
{
	struct patches p = {0};
	uint64_t off, most = DELTA_CHUNK / t->stride;
	TRY(take_up_to(a, s->keep, &p.left, e));
	TRY(next_patch(a, &p, 0, s->keep, e));
	if (!num_mul_u64(s->old, t->stride, &off) || !num_add_u64(off, t->old_off, &off))
		return malformed(a, e, "a table lies outside of the old file");
	for (uint64_t done = 0; done < s->keep;) {
		size_t n = (size_t)num_min_u64(s->keep - done, most);
		TRY(read_old(a, off, n * t->stride, e));
		delta_relocate(t, a->space, a->work, n);
		TRY(patch(a, &p, t->stride, done, n, s->keep, e));
		TRY(put(a, a->work, n * t->stride, e));
		off += n * t->stride;
		done += n;
	}
	return ST_OK;
}

static st_t insert(struct apply *a, uint64_t n, struct err *e)
{
	while (n) {
		size_t k = (size_t)num_min_u64(n, sizeof a->work);
		TRY(body_take(&a->body, a->work, k, e));
		TRY(put(a, a->work, k, e));
		n -= k;
	}
	return ST_OK;
}

static st_t take_space(struct apply *a, uint64_t *ret, struct err *e)
{
	TRY(take_number(a, ret, e));
	return *ret < a->nspaces ? ST_OK : malformed(a, e, "there is no such space");
}

static st_t take_ref(struct apply *a, uint32_t stride, struct delta_ref *ret, struct err *e)
{
	uint64_t field = 0, space = 0, bits = 0;
	TRY(take_number(a, &field, e));
	TRY(take_space(a, &space, e));
	TRY(take_up_to(a, 32, &bits, e));
	TRY(take_up_to(a, UINT32_MAX, &ret->old_base, e));
	TRY(take_up_to(a, UINT32_MAX, &ret->new_base, e));
	if (stride < 4 || field > stride - 4 || bits == 0)
		return malformed(a, e, "a reference outside of its record");
	ret->field = (uint32_t)field;
	ret->space = (uint32_t)space;
	ret->bits = (uint32_t)bits;
	return ST_OK;
}

static st_t take_table(struct apply *a, struct delta_table *ret, struct steps *ret_steps,
                       struct err *e)
{
	uint64_t stride = 0, nrefs = 0, script = 0;
	TRY(take_number(a, &ret->old_off, e));
	TRY(take_up_to(a, a->new_size - a->new_off, &ret->new_len, e));
	TRY(take_up_to(a, DELTA_STRIDE_MAX, &stride, e));
	TRY(take_up_to(a, DELTA_REFS_MAX, &nrefs, e));
	TRY(take_up_to(a, a->nspaces, &script, e));
	if (stride == 0 || ret->new_len % stride)
		return malformed(a, e, "a table is no whole number of records");
	ret->stride = (uint32_t)stride;
	ret->nrefs = (uint32_t)nrefs;
	for (uint32_t i = 0; i < ret->nrefs; i++)
		TRY(take_ref(a, ret->stride, &ret->ref[i], e));
	*ret_steps = (struct steps){.space = script ? &a->space[script - 1] : NULL,
	                            .left = ret->new_len / stride};
	return ST_OK;
}

static st_t apply_edit(struct apply *a, struct err *e)
{
	struct delta_table t;
	struct steps steps = {0};
	struct step s;
	TRY(take_table(a, &t, &steps, e));
	while (steps.left) {
		TRY(next_step(a, &steps, &s, e));
		TRY(keep_run(a, &t, &s, e));
		TRY(insert(a, s.insert * t.stride, e));
	}
	a->new_off += t.new_len;
	return ST_OK;
}

/* Names that are written: the one before, how many, room that is left. */
struct name_out {
	uint8_t name[DELTA_NAME_MAX];
	size_t len;
	uint64_t n, left;
	struct buf record;
};

static st_t put_name(struct apply *a, struct name_out *o, const uint8_t *name, size_t len,
                     struct err *e)
{
	o->record.len = 0;
	delta_name_put(o->n++ % DELTA_NAME_BLOCK ? o->name : NULL, o->len, name, len, &o->record);
	TRY(buf_check(&o->record, e, "delta"));
	if (o->record.len > o->left)
		return malformed(a, e, "more names than the table has room for");
	o->left -= o->record.len;
	memmove(o->name, name, len);
	o->len = len;
	return put(a, o->record.data, o->record.len, e);
}

/* A name of the delta: what it shares with the one before, then the rest. */
static st_t new_name(struct apply *a, struct name_out *o, struct err *e)
{
	uint8_t name[DELTA_NAME_MAX];
	uint64_t shared = 0, rest = 0;
	TRY(take_up_to(a, o->len, &shared, e));
	TRY(take_up_to(a, DELTA_NAME_MAX - shared, &rest, e));
	memcpy(name, o->name, shared);
	TRY(body_take(&a->body, name + shared, rest, e));
	return put_name(a, o, name, shared + rest, e);
}

static st_t names_run(struct apply *a, struct delta_names *old, uint64_t *old_at,
                      const struct step *s, struct name_out *o, struct err *e)
{
	for (; *old_at < s->old; (*old_at)++)
		TRY(delta_names_next(old, e));
	for (uint64_t i = 0; i < s->keep; i++, (*old_at)++) {
		TRY(delta_names_next(old, e));
		TRY(put_name(a, o, old->name, old->len, e));
	}
	for (uint64_t i = 0; i < s->insert; i++)
		TRY(new_name(a, o, e));
	return ST_OK;
}

static st_t names_all(struct apply *a, struct delta_names *old, const struct delta_script *space,
                      struct name_out *o, struct err *e)
{
	struct steps steps = {.space = space, .left = space->new_n};
	uint64_t at = 0;
	while (steps.left) {
		struct step s;
		TRY(next_step(a, &steps, &s, e));
		TRY(names_run(a, old, &at, &s, o, e));
	}
	return o->left == 0 ? ST_OK : malformed(a, e, "fewer names than the table has room for");
}

static st_t apply_names(struct apply *a, struct err *e)
{
	uint64_t off = 0, len = 0, new_len = 0, space = 0;
	TRY(take_up_to(a, a->old_size, &off, e));
	TRY(take_up_to(a, a->old_size - off, &len, e));
	TRY(take_up_to(a, a->new_size - a->new_off, &new_len, e));
	TRY(take_space(a, &space, e));
	struct delta_names *old = calloc(1, sizeof *old);
	if (!old)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	old->in = (struct delta_in){.fd = a->old_fd, .off = off, .end = off + len};
	struct name_out o = {.left = new_len};
	st_t st = names_all(a, old, &a->space[space], &o, e);
	free(old);
	buf_done(&o.record);
	a->new_off += new_len;
	return st;
}

/* A directory is left out for now: made of what stands behind it, maybe. */
static st_t note_dir(struct apply *a, enum delta_kind kind, struct err *e)
{
	struct delta_dir d = {.kind = kind, .off = a->new_off};
	uint64_t stride = 0, log2 = 0;
	TRY(take_up_to(a, a->new_size, &d.from, e));
	TRY(take_up_to(a, a->new_size - d.from, &d.from_len, e));
	TRY(take_up_to(a, d.from_len, &d.from_n, e));
	TRY(take_up_to(a, DELTA_ROW_MAX, &stride, e));
	TRY(take_up_to(a, DELTA_DIR_LOG2_MAX, &log2, e));
	d.stride = (uint32_t)stride;
	d.log2 = (uint32_t)log2;
	if (kind == DELTA_HASH_DIR && (stride < DELTA_ROW_MIN || d.from_n * stride != d.from_len))
		return malformed(a, e, "a directory of no rows");
	if (delta_dir_len(&d) > a->new_size - a->new_off)
		return malformed(a, e, "a directory is longer than the file");
	if (a->ndirs == DELTA_DERIVED_MAX)
		return fail(e, ST_LIMIT, a->new_off, "delta: more than %u directories",
		            DELTA_DERIVED_MAX);
	a->dir[a->ndirs++] = d;
	a->new_off += delta_dir_len(&d);
	return put_at(a, a->new_off, e);
}

static st_t put_dir_entry(void *ctx, const uint8_t entry[8], struct err *e)
{
	return put(ctx, entry, 8, e);
}

static st_t make_dirs(struct apply *a, struct err *e)
{
	for (uint32_t i = 0; i < a->ndirs; i++) {
		TRY(put_at(a, a->dir[i].off, e));
		TRY(delta_dir_make(a->out_fd, &a->dir[i], put_dir_entry, a, e));
	}
	return flush(a, e);
}

static st_t apply_table(struct apply *a, struct err *e)
{
	uint64_t kind = 0;
	TRY(take_number(a, &kind, e));
	switch (kind) {
	case DELTA_EDIT:
		return apply_edit(a, e);
	case DELTA_NAMES:
		return apply_names(a, e);
	case DELTA_HASH_DIR:
	case DELTA_NAME_DIR:
		return note_dir(a, (enum delta_kind)kind, e);
	default:
		return malformed(a, e, "a table of an unknown kind");
	}
}

/* Steps of a space: jumps go forward only, so that numbers can be mapped. */
static st_t take_runs(struct apply *a, struct delta_script *s, struct err *e)
{
	uint64_t n = 0, old = 0, new = 0;
	TRY(take_number(a, &n, e));
	if (n > DELTA_RUNS_MAX - a->nruns)
		return fail(e, ST_LIMIT, 0, "delta: more than %u runs", DELTA_RUNS_MAX);
	a->nruns += n;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t jump = 0, keep = 0, more = 0;
		TRY(take_up_to(a, UINT32_MAX - old, &jump, e));
		TRY(take_up_to(a, num_min_u64(UINT32_MAX - old - jump, UINT32_MAX - new), &keep, e));
		TRY(take_up_to(a, UINT32_MAX - new - keep, &more, e));
		struct delta_run r = {(uint32_t)(old + jump), (uint32_t)new, (uint32_t)keep};
		buf_add(&s->runs, &r, sizeof r);
		old += jump + keep;
		new += keep + more;
	}
	s->new_n = new;
	return buf_check(&s->runs, e, "delta");
}

static st_t apply_body(struct apply *a, struct err *e)
{
	uint64_t nspaces = 0, ntables = 0;
	TRY(take_up_to(a, DELTA_SPACES_MAX, &nspaces, e));
	for (; a->nspaces < nspaces; a->nspaces++)
		TRY(take_runs(a, &a->space[a->nspaces], e));
	TRY(take_up_to(a, DELTA_TABLES_MAX, &ntables, e));
	for (uint64_t i = 0; i < ntables; i++)
		TRY(apply_table(a, e));
	if (a->new_off != a->new_size)
		return malformed(a, e, "its tables are not as long as the new file");
	TRY(flush(a, e));
	TRY(body_end(&a->body, e));
	return make_dirs(a, e);
}

st_t delta_digest(int fd, uint8_t ret[32], uint64_t *ret_size, struct err *e)
{
	uint8_t chunk[4096 * 4];
	struct digest d = {0};
	uint64_t off = 0;
	size_t got = sizeof chunk;
	st_t st = digest_init(&d, DIGEST_SHA256, e);
	while (st == ST_OK && got == sizeof chunk) {
		st = io_pread_full(fd, chunk, sizeof chunk, off, &got, e);
		if (st == ST_OK)
			st = digest_add(&d, chunk, got, e);
		off += got;
	}
	if (st == ST_OK)
		st = digest_end(&d, ret, e);
	digest_done(&d);
	*ret_size = off;
	return st;
}

/* The head: for this old file, and a new one that is allowed. */
static st_t check_head(struct apply *a, uint64_t max, struct err *e)
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
	TRY(delta_digest(a->old_fd, sum, &size, e));
	if (size != a->old_size || memcmp(sum, want.base, sizeof sum))
		return fail(e, ST_CONFLICT, 0, "delta: it was made for another old file");
	return ST_OK;
}

static st_t run(struct apply *a, uint64_t max, struct err *e)
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
	struct apply *a = calloc(1, sizeof *a);
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
