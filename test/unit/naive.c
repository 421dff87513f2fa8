#include "naive.h"

#include <stdlib.h>
#include <string.h>

/* Ends of matches as one flag per offset. */
struct offsets {
	size_t n;
	bool *at;
	size_t low, high; /* flags set since offsets_clear() lie in [low, high] */
};

static struct offsets offsets_new(size_t size)
{
	return (struct offsets){size + 1, calloc(size + 1, 1), SIZE_MAX, 0};
}

static void offsets_set(struct offsets *o, size_t pos)
{
	o->at[pos] = true;
	o->low = pos < o->low ? pos : o->low;
	o->high = pos > o->high ? pos : o->high;
}

static void offsets_clear(struct offsets *o)
{
	for (size_t i = o->low; i <= o->high && i < o->n; i++)
		o->at[i] = false;
	o->low = SIZE_MAX;
	o->high = 0;
}

static bool alnum(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

static void elems(const struct naive_object *o, const struct ir_elem *el, uint32_t n, bool first,
                  size_t pos, struct offsets *ends);

static bool byte_ok(const struct ir_elem *el, uint8_t b)
{
	return el->kind == IR_SET ? el->set[b / 64] >> (b % 64) & 1 : (b & el->mask) == el->value;
}

static bool has(const char *set, size_t n, uint8_t b)
{
	return memchr(set, b, n) != NULL;
}

/* Boundary at the edge of a run: 0 before, 1 behind. */
static bool edge(const struct naive_object *o, uint8_t kind, int side, size_t pos)
{
	if (side == 0 ? pos == 0 : pos == o->size)
		return true;
	uint8_t b = o->data[side == 0 ? pos - 1 : pos];
	if (kind == 'W')
		return !alnum(b);
	if (kind == 'B')
		return side == 0 ? has(" -./<@_", 7, b) : has("\n\r \"'-/=>_", 10, b);
	return b == '\n' || (side == 1 && b == '\r' && pos + 1 < o->size && o->data[pos + 1] == '\n');
}

static bool near(const struct naive_object *o, const struct ir_elem *el, size_t pos)
{
	for (int64_t d = el->min; d <= el->max; d++) {
		int64_t at = el->side == 0 ? (int64_t)pos - d - 1 : (int64_t)pos + d;
		if (at >= 0 && at < (int64_t)o->size && (o->data[at] & el->mask) == el->value)
			return true;
	}
	return false;
}

static void alternatives(const struct naive_object *o, const struct ir_elem *el, uint32_t n,
                         size_t pos, struct offsets *ends)
{
	struct offsets mid = offsets_new(o->size);
	for (uint32_t k = 0; k < el->nalts; k++)
		elems(o, el->alts[k].elems, el->alts[k].nelems, true, pos, &mid);
	size_t len = el->nalts ? el->alts[0].nelems : 0;
	for (size_t p = 0; p <= o->size; p++) {
		bool go = el->negated ? p == pos + len && !mid.at[p] : mid.at[p];
		if (go)
			elems(o, el + 1, n - 1, false, p, ends);
	}
	free(mid.at);
}

static void elems(const struct naive_object *o, const struct ir_elem *el, uint32_t n, bool first,
                  size_t pos, struct offsets *ends)
{
	if (n == 0) {
		offsets_set(ends, pos);
		return;
	}
	if (el->kind == IR_BOUND) {
		if (edge(o, el->bound, !first, pos))
			elems(o, el + 1, n - 1, false, pos, ends);
		return;
	}
	if (el->kind == IR_NEAR) {
		if (near(o, el, pos))
			elems(o, el + 1, n - 1, first, pos, ends);
		return;
	}
	if (el->kind == IR_STRS || el->kind == IR_ALT) {
		alternatives(o, el, n, pos, ends);
		return;
	}
	if (pos < o->size && byte_ok(el, o->data[pos]))
		elems(o, el + 1, n - 1, false, pos + 1, ends);
}

/* [first, last] of the pattern's start. */
static bool range(const struct ir_pattern *p, const struct naive_object *o, int64_t *first,
                  int64_t *last)
{
	const struct exe_layout *x = o->exe && o->exe->valid ? o->exe : NULL;
	int64_t size = (int64_t)o->size, n = p->offset.n, at;
	uint32_t sec = p->offset.kind == IR_OFF_LAST_SECTION && x ? x->nsections - 1
	                                                          : p->offset.section;
	bool has_sec = x && x->nsections > 0 && sec < x->nsections;
	switch (p->offset.kind) {
	case IR_OFF_ANY:
		*first = 0;
		*last = size;
		return true;
	case IR_OFF_ABS:
		at = n;
		break;
	case IR_OFF_EOF:
		at = size - n;
		break;
	case IR_OFF_EP:
		if (!x || !x->has_ep)
			return false;
		at = (int64_t)x->ep + n;
		break;
	case IR_OFF_IN_SECTION:
		if (!has_sec)
			return false;
		*first = (int64_t)x->sections[sec].off;
		*last = *first + (int64_t)x->sections[sec].size + p->offset.maxshift;
		return true;
	default:
		if (!has_sec)
			return false;
		at = (int64_t)x->sections[sec].off + n;
	}
	*first = at;
	*last = at + p->offset.maxshift;
	return at >= 0;
}

static bool word(const struct naive_object *o, bool wide, int64_t at)
{
	if (at < 0 || at + wide >= (int64_t)o->size)
		return false;
	return alnum(o->data[at]) && (!wide || o->data[at + 1] == 0);
}

/* Starts of part k that are reached from any of `from` (ends of part k - 1, or all if NULL). */
static bool reached(const struct ir_part *p, const struct offsets *from, size_t s)
{
	if (!from)
		return true;
	for (size_t e = from->low; e <= s && e <= from->high; e++)
		if (from->at[e] && s - e >= p->gap_min && (p->gap_max == IR_GAP_INF || s - e <= p->gap_max))
			return true;
	return false;
}

static uint64_t pattern_starts(const struct ir_pattern *p, const struct naive_object *o)
{
	int64_t first, last;
	if (!range(p, o, &first, &last))
		return 0;
	struct offsets from = {0};
	uint64_t count = 0;
	for (uint32_t k = 0; k < p->nparts; k++) {
		struct offsets ends = offsets_new(o->size);
		struct offsets one = offsets_new(o->size);
		count = 0;
		for (size_t s = 0; s <= o->size; s++) {
			bool in = k > 0 || ((int64_t)s >= first && (int64_t)s <= last);
			if (k == 0 && p->fullword && word(o, p->wide, (int64_t)s - 1 - p->wide))
				in = false;
			if (!in || !reached(&p->parts[k], k ? &from : NULL, s))
				continue;
			elems(o, p->parts[k].elems, p->parts[k].nelems, true, s, &one);
			bool any = false;
			for (size_t e = one.low; e <= one.high && e <= o->size; e++) {
				bool ok = one.at[e];
				if (ok && k + 1 == p->nparts)
					ok = !(p->fullword && word(o, p->wide, (int64_t)e));
				if (ok)
					offsets_set(&ends, e);
				any |= ok;
			}
			count += any;
			offsets_clear(&one);
		}
		free(one.at);
		free(from.at);
		from = ends;
	}
	free(from.at);
	return count;
}

struct value {
	bool truth;
	uint64_t sum, ids; /* bit i: sub-signature i */
};

static struct value join(const struct value *in, uint32_t n, bool all)
{
	struct value r = {.truth = all};
	for (uint32_t i = 0; i < n; i++) {
		r.truth = all ? r.truth && in[i].truth : r.truth || in[i].truth;
		r.sum += in[i].sum;
		r.ids |= in[i].ids;
	}
	return all && !r.truth ? (struct value){0} : r;
}

static struct value compare(struct value x, const struct ir_cond *c, const struct ir_cond *before)
{
	bool holds = c->op == IR_COND_CMP_EQ   ? x.sum == c->a
	             : c->op == IR_COND_CMP_GT ? x.sum > c->a
	                                       : x.sum < c->a;
	if (before->op == IR_COND_ID)
		return holds ? (struct value){true, x.sum, UINT64_C(1) << before->a} : (struct value){0};
	if (!holds || (uint32_t)__builtin_popcountll(x.ids) < c->b)
		return (struct value){0};
	return (struct value){.truth = true, .sum = x.sum};
}

static struct value shape(uint64_t x, const struct ir_cond *c, bool known)
{
	return (struct value){.truth = known && x >= c->a && x <= c->b};
}

static struct value push(const struct ir_sig *s, const struct naive_object *o,
                         const struct ir_cond *c)
{
	const struct exe_layout *x = o->exe && o->exe->valid ? o->exe : NULL;
	if (c->op == IR_COND_FILESIZE)
		return shape(o->size, c, true);
	if (c->op == IR_COND_EP)
		return shape(x ? x->ep : 0, c, x && x->has_ep);
	if (c->op == IR_COND_SECTIONS)
		return shape(x ? x->nsections : 0, c, x);
	if (c->op == IR_COND_ROOT)
		return (struct value){.truth = o->facts->nlayers == 0};
	if (c->op == IR_COND_LAYER)
		return (struct value){.truth = o->facts->nlayers >= c->b &&
		                               (c->a == UINT32_MAX || o->facts->layers[c->b - 1] == c->a)};
	uint64_t n = 0;
	for (uint32_t k = 0; k < s->subsigs[c->a].npatterns; k++)
		n += pattern_starts(&s->subsigs[c->a].patterns[k], o);
	return (struct value){n > 0, n, (uint64_t)(n > 0) << c->a};
}

bool naive_match(const struct ir_sig *s, const struct naive_object *o)
{
	struct value st[128];
	uint32_t n = 0;
	if (s->target != 0 && s->target != o->target)
		return false;
	for (uint32_t i = 0; i < s->nconds; i++) {
		const struct ir_cond *c = &s->conds[i];
		if (c->op == IR_COND_AND || c->op == IR_COND_OR) {
			n -= c->a;
			st[n] = join(st + n, c->a, c->op == IR_COND_AND);
			n++;
		} else if (c->op >= IR_COND_CMP_EQ && c->op <= IR_COND_CMP_LT) {
			st[n - 1] = compare(st[n - 1], c, c - 1);
		} else {
			st[n++] = push(s, o, c);
		}
	}
	return st[0].truth;
}
