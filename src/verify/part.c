/* Does a part match here, and where does it end?
 *
 * A program is run on a set of positions at once (ends.base + bit), so that alternatives of unequal
 * length cost the number of their bytes and never a product of them. */
#include "verify/view.h"

#include "base/rd.h"

#include <string.h>
#include <time.h>

bool view_clock(struct view *v)
{
	struct timespec t;
	if (v->deadline_ns == 0 || v->over)
		return v->over;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t now = (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
	v->over = now > v->deadline_ns;
	return v->over;
}

bool view_tick(struct view *v)
{
	if ((++v->ticks & 4095) != 0)
		return v->over;
	return view_clock(v);
}

static bool masked_equal(const uint8_t *p, const uint8_t *value, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] & mask[i]) != value[i])
			return false;
	return true;
}

static void ends_single(struct ends *e, size_t base)
{
	e->base = base;
	e->span = 0;
	e->bit[0] = 1;
}

static bool ends_empty(const struct ends *e)
{
	for (uint32_t w = 0; w <= e->span / 64; w++)
		if (e->bit[w])
			return false;
	return true;
}

/* Adds the ends of `from` to `to`; both bases move to the smaller one. */
static void ends_merge(struct ends *to, const struct ends *from)
{
	size_t base = to->base < from->base ? to->base : from->base;
	struct ends r = {.base = base};
	const struct ends *const part[2] = {to, from};
	for (unsigned k = 0; k < 2; k++) {
		for (uint32_t i = 0; i <= part[k]->span; i++) {
			size_t at = part[k]->base - base + i;
			if (!(part[k]->bit[i / 64] >> (i % 64) & 1) || at > DB_PART_SPAN)
				continue;
			r.bit[at / 64] |= UINT64_C(1) << (at % 64);
			if (at > r.span)
				r.span = (uint32_t)at;
		}
	}
	*to = r;
}

/* One op on one position. */
struct step {
	uint8_t op;
	uint16_t n, m;
	const uint8_t *arg;
};

/* doc/format/signatures.md, "Boundaries": the sets are ClamAV's. */
static bool boundary(const struct view *v, uint8_t kind, uint8_t side, size_t pos)
{
	static const char word_before[] = " -./<@_", word_behind[] = "\n\r \"'-/=>_";
	if (side == 0 ? pos == 0 : pos >= v->size)
		return true;
	uint8_t b = v->data[side == 0 ? pos - 1 : pos];
	if (kind == 'W')
		return !is_alnum(b);
	if (kind == 'B') {
		const char *set = side == 0 ? word_before : word_behind;
		return memchr(set, b, side == 0 ? 7 : 10) != NULL;
	}
	if (side == 1 && b == '\r')
		return pos + 1 < v->size && v->data[pos + 1] == '\n';
	return b == '\n';
}

/* A byte of "[x-y]": arg is side, nearest, farthest, value, mask. */
static bool near_holds(const struct view *v, const uint8_t *arg, size_t pos)
{
	for (size_t d = arg[1]; d <= arg[2]; d++) {
		size_t at = arg[0] == 0 ? pos - d - 1 : pos + d; /* before the start it wraps: too large */
		if (at < v->size && (v->data[at] & arg[4]) == arg[3])
			return true;
	}
	return false;
}

static bool none_equal(const uint8_t *p, const struct step *s)
{
	const uint8_t *alt = s->arg;
	for (uint16_t k = 0; k < s->n; k++, alt += 2 * (size_t)s->m)
		if (masked_equal(p, alt, alt + s->m, s->m))
			return false;
	return true;
}

/* Bytes that the op takes. */
static size_t step_len(const struct step *s)
{
	switch (s->op) {
	case DB_OP_BYTES:
	case DB_OP_MASKED:
	case DB_OP_SKIP:
		return s->n;
	case DB_OP_SET:
		return 1;
	case DB_OP_NOT:
		return s->m;
	default:
		return 0;
	}
}

static bool step_holds(const struct view *v, const struct step *s, size_t pos)
{
	if (s->op == DB_OP_BOUND)
		return boundary(v, s->arg[0], s->arg[1], pos);
	if (s->op == DB_OP_NEAR)
		return near_holds(v, s->arg, pos);
	size_t n = step_len(s);
	if (pos > v->size || n > v->size - pos)
		return false;
	const uint8_t *p = v->data + pos;
	switch (s->op) {
	case DB_OP_BYTES:
		return memcmp(p, s->arg, n) == 0;
	case DB_OP_MASKED:
		return masked_equal(p, s->arg, s->arg + n, n);
	case DB_OP_SET:
		return s->arg[*p / 8] >> (*p % 8) & 1;
	case DB_OP_NOT:
		return none_equal(p, s);
	default:
		return true;
	}
}

/* Keeps the positions where the op holds and moves them behind it. */
static void step_all(const struct view *v, const struct step *s, struct ends *e)
{
	for (uint32_t i = 0; i <= e->span; i++)
		if ((e->bit[i / 64] >> (i % 64) & 1) && !step_holds(v, s, e->base + i))
			e->bit[i / 64] &= ~(UINT64_C(1) << (i % 64));
	e->base += step_len(s);
}

static struct step read_step(struct rd *r)
{
	struct step s = {.op = rd_u8(r)};
	switch (s.op) {
	case DB_OP_BYTES:
	case DB_OP_SKIP:
		s.n = rd_u16le(r);
		s.arg = s.op == DB_OP_BYTES ? rd_take(r, s.n) : NULL;
		break;
	case DB_OP_MASKED:
		s.n = rd_u16le(r);
		s.arg = rd_take(r, 2 * (size_t)s.n);
		break;
	case DB_OP_SET:
		s.arg = rd_take(r, 32);
		break;
	case DB_OP_NOT:
		s.n = rd_u16le(r);
		s.m = rd_u16le(r);
		s.arg = rd_take(r, 2 * (size_t)s.n * s.m);
		break;
	case DB_OP_BOUND:
		s.arg = rd_take(r, 2);
		break;
	case DB_OP_NEAR:
		s.arg = rd_take(r, 5);
		break;
	default:
		break;
	}
	return s;
}

/* Runs from r->pos to the END (returns its offset) or to a JUMP (returns its target). */
static size_t run(struct view *v, struct rd *r, unsigned depth, struct ends *e);

/* ALT at `at`: every branch on the same positions; all jump to one place, where r goes on. */
static void run_alt(struct view *v, struct rd *r, size_t at, unsigned depth, struct ends *e)
{
	struct ends all = {.base = SIZE_MAX / 2}, in = *e;
	uint16_t n = rd_u16le(r);
	struct rd table = rd_sub(r, 2 * (size_t)n);
	for (uint16_t k = 0; k < n && depth < DB_ALT_DEPTH; k++) {
		struct ends branch = in;
		rd_seek(r, at + rd_u16le(&table));
		size_t behind = run(v, r, depth + 1, &branch);
		if (!ends_empty(&branch))
			ends_merge(&all, &branch);
		rd_seek(r, behind);
	}
	*e = all;
}

static size_t run(struct view *v, struct rd *r, unsigned depth, struct ends *e)
{
	while (!r->bad && !view_tick(v)) {
		size_t at = r->pos;
		struct step s = read_step(r);
		if (s.op == DB_OP_END)
			return at;
		if (s.op == DB_OP_JUMP)
			return at + rd_u16le(r);
		if (s.op == DB_OP_ALT)
			run_alt(v, r, at, depth, e);
		else
			step_all(v, &s, e);
		if (depth == 0 && ends_empty(e))
			break;
	}
	return r->pos;
}

bool part_match(struct view *v, const struct db_part *part, size_t pos, struct ends *ret)
{
	if (pos > v->size || part->min_len > v->size - pos)
		return false;
	const uint8_t *code = v->db->code + part->code;
	const uint8_t *p = v->data + pos;
	if (part->kind == DB_PART_PROGRAM) {
		*ret = (struct ends){.base = pos, .bit = {1}};
		struct rd r = rd_make(code, part->code_len);
		run(v, &r, 0, ret);
		return !ends_empty(ret);
	}
	ends_single(ret, pos + part->min_len);
	if (part->kind == DB_PART_LITERAL)
		return memcmp(p, code, part->min_len) == 0;
	return masked_equal(p, code, code + part->min_len, part->min_len);
}
