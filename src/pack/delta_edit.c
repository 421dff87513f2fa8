/* A table made of old records: kept, corrected, inserted, with their numbers moved. Runs in the
 * jailed vitrine-verifier. */
#include "pack/delta_apply.h"

#include "base/io.h"
#include "base/num.h"

static st_t step_of_body(struct delta_apply *a, struct delta_steps *s, struct delta_step *ret,
                         struct err *e)
{
	uint64_t jump = 0;
	TRY(delta_take_number(a, &jump, e));
	TRY(delta_take_up_to(a, s->left, &ret->keep, e));
	TRY(delta_take_up_to(a, s->left - ret->keep, &ret->insert, e));
	uint64_t way = jump >> 1;
	if ((jump & 1) ? way > s->old : way > a->old_size)
		return delta_malformed(a, e, "a jump leads out of the old file");
	if (ret->keep + ret->insert == 0)
		return delta_malformed(a, e, "a step that makes nothing");
	ret->old = (jump & 1) ? s->old - way : s->old + way;
	s->old = ret->old + ret->keep;
	return ST_OK;
}

static st_t step_of_space(struct delta_apply *a, struct delta_steps *s, struct delta_step *ret,
                          struct err *e)
{
	if (s->i >= delta_script_n(s->space))
		return delta_malformed(a, e, "a space is shorter than its table");
	const struct delta_run *r = delta_script_at(s->space, s->i++);
	uint64_t next = s->i < delta_script_n(s->space) ? r[1].new : s->space->new_n;
	*ret = (struct delta_step){r->old, r->keep, next - r->new - r->keep};
	if (ret->keep > s->left || ret->insert > s->left - ret->keep)
		return delta_malformed(a, e, "a space is longer than its table");
	return ST_OK;
}

st_t delta_next_step(struct delta_apply *a, struct delta_steps *s, struct delta_step *ret,
                     struct err *e)
{
	TRY(s->space ? step_of_space(a, s, ret, e) : step_of_body(a, s, ret, e));
	s->left -= ret->keep + ret->insert;
	return ST_OK;
}

static st_t read_old(struct delta_apply *a, uint64_t off, size_t n, struct err *e)
{
	size_t got;
	if (off > a->old_size || n > a->old_size - off)
		return delta_malformed(a, e, "a table lies outside of the old file");
	TRY(io_pread_full(a->old_fd, a->work, n, off, &got, e));
	return got == n ? ST_OK : fail(e, ST_IO, off, "delta: the old file became shorter");
}

/* Corrections of a run: records by their number, changed by XOR. */
struct patches {
	uint64_t left, at; /* the next one's record */
};

static st_t next_patch(struct delta_apply *a, struct patches *p, uint64_t from, uint64_t keep,
                       struct err *e)
{
	uint64_t gap = 0;
	if (p->left == 0)
		return ST_OK;
	TRY(delta_take_number(a, &gap, e));
	if (from >= keep || gap >= keep - from)
		return delta_malformed(a, e, "a correction behind the end of its run");
	p->at = from + gap;
	return ST_OK;
}

/* Applies those to records [done, done + n), which are in work[]. */
static st_t patch(struct delta_apply *a, struct patches *p, uint32_t stride, uint64_t done,
                  size_t n, uint64_t keep, struct err *e)
{
	while (p->left && p->at < done + n) {
		uint8_t x[DELTA_STRIDE_MAX];
		uint8_t *record = a->work + (p->at - done) * stride;
		TRY(delta_body_take(&a->body, x, stride, e));
		for (uint32_t i = 0; i < stride; i++)
			record[i] ^= x[i];
		p->left--;
		TRY(next_patch(a, p, p->at + 1, keep, e));
	}
	return ST_OK;
}

static st_t keep_run(struct delta_apply *a, const struct delta_table *t, const struct delta_step *s,
                     struct err *e)
{
	struct patches p = {0};
	uint64_t off, most = DELTA_CHUNK / t->stride;
	TRY(delta_take_up_to(a, s->keep, &p.left, e));
	TRY(next_patch(a, &p, 0, s->keep, e));
	if (!num_mul_u64(s->old, t->stride, &off) || !num_add_u64(off, t->old_off, &off))
		return delta_malformed(a, e, "a table lies outside of the old file");
	for (uint64_t done = 0; done < s->keep;) {
		size_t n = (size_t)num_min_u64(s->keep - done, most);
		TRY(read_old(a, off, n * t->stride, e));
		delta_relocate(t, a->space, a->work, n);
		TRY(patch(a, &p, t->stride, done, n, s->keep, e));
		TRY(delta_put(a, a->work, n * t->stride, e));
		off += n * t->stride;
		done += n;
	}
	return ST_OK;
}

static st_t insert(struct delta_apply *a, uint64_t n, struct err *e)
{
	while (n) {
		size_t k = (size_t)num_min_u64(n, sizeof a->work);
		TRY(delta_body_take(&a->body, a->work, k, e));
		TRY(delta_put(a, a->work, k, e));
		n -= k;
	}
	return ST_OK;
}

static st_t take_ref(struct delta_apply *a, uint32_t stride, struct delta_ref *ret, struct err *e)
{
	uint64_t field = 0, space = 0, bits = 0;
	TRY(delta_take_number(a, &field, e));
	TRY(delta_take_space(a, &space, e));
	TRY(delta_take_up_to(a, 32, &bits, e));
	TRY(delta_take_up_to(a, UINT32_MAX, &ret->old_base, e));
	TRY(delta_take_up_to(a, UINT32_MAX, &ret->new_base, e));
	if (stride < 4 || field > stride - 4 || bits == 0)
		return delta_malformed(a, e, "a reference outside of its record");
	ret->field = (uint32_t)field;
	ret->space = (uint32_t)space;
	ret->bits = (uint32_t)bits;
	return ST_OK;
}

static st_t take_table(struct delta_apply *a, struct delta_table *ret,
                       struct delta_steps *ret_steps, struct err *e)
{
	uint64_t stride = 0, nrefs = 0, script = 0;
	TRY(delta_take_number(a, &ret->old_off, e));
	TRY(delta_take_up_to(a, a->new_size - a->new_off, &ret->new_len, e));
	TRY(delta_take_up_to(a, DELTA_STRIDE_MAX, &stride, e));
	TRY(delta_take_up_to(a, DELTA_REFS_MAX, &nrefs, e));
	TRY(delta_take_up_to(a, a->nspaces, &script, e));
	if (stride == 0 || ret->new_len % stride)
		return delta_malformed(a, e, "a table is no whole number of records");
	ret->stride = (uint32_t)stride;
	ret->nrefs = (uint32_t)nrefs;
	for (uint32_t i = 0; i < ret->nrefs; i++)
		TRY(take_ref(a, ret->stride, &ret->ref[i], e));
	*ret_steps = (struct delta_steps){.space = script ? &a->space[script - 1] : NULL,
	                                  .left = ret->new_len / stride};
	return ST_OK;
}

st_t delta_apply_edit(struct delta_apply *a, struct err *e)
{
	struct delta_table t;
	struct delta_steps steps = {0};
	struct delta_step s;
	TRY(take_table(a, &t, &steps, e));
	while (steps.left) {
		TRY(delta_next_step(a, &steps, &s, e));
		TRY(keep_run(a, &t, &s, e));
		TRY(insert(a, s.insert * t.stride, e));
	}
	a->new_off += t.new_len;
	return ST_OK;
}
