/* All matches of a pattern, part after part.
 *
 * Each part is a link that yields, in ascending order, the starts at which it matches at an allowed
 * distance from an end of the link before. Only one end needs to be remembered: starts ascend, and
 * for a start s the largest end e <= s - gap_min is the best there is. So the whole object is
 * passed once per part, without memory that grows.
 *
 * Invariants
 * 1. link.pos ascends; a start is yielded once.
 * 2. Ends of a link are handed on in ascending order: an end is held back while a later start could
 *    still give a smaller one (parts whose matches differ in length). All that are held back lie
 *    within RING_BITS; the ends of a start farther off wait in `next`.
 * 3. A link with nothing left stays `done`.
 * 4. Starts outside [pos, last] are never tried: where the filters saw one part bounds the
 *    others. */
#include "verify/refute.h"

#include "base/num.h"
#include <string.h>

#define RING_WORDS (2 * ENDS_WORDS) /* ends of overlapping starts lie within twice the span */
#define RING_BITS (RING_WORDS * 64)

struct link {
	const struct db_part *part;
	size_t pos; /* next start to try */
	size_t last; /* to be tried */
	size_t end; /* largest usable end of the link before */
	size_t look; /* its next end, not used yet */
	bool has_end, has_look, prev_done;
	bool done;
	size_t npending; /* ends not handed on: bit (end % RING_BITS) of ring, all >= low */
	size_t low;
	uint64_t ring[RING_WORDS];
	struct ends next; /* of the start before pos, if has_next */
	bool has_next;
};

struct chain {
	struct view *v;
	const struct db_pattern *p;
	struct place_range range;
	struct link *link;
	struct ends ends; /* of the start just yielded */
};

size_t link_size(void)
{
	return sizeof(struct link);
}

static bool next_start(struct chain *c, size_t k, size_t *ret);

/* Is the neighbour at `at` (and, for wide patterns, its zero byte) a letter or digit? */
static bool word_at(const struct view *v, const struct db_pattern *p, size_t at)
{
	if (!(p->flags & DB_PAT_WIDE))
		return at < v->size && is_alnum(v->data[at]);
	return v->size >= 2 && at <= v->size - 2 && is_alnum(v->data[at]) && v->data[at + 1] == 0;
}

bool pattern_start_allowed(const struct view *v, const struct db_pattern *p, size_t s)
{
	size_t unit = p->flags & DB_PAT_WIDE ? 2 : 1;
	if ((p->flags & DB_PAT_FULLWORD) && s >= unit && word_at(v, p, s - unit))
		return false;
	return p->off_kind != DB_OFF_VERSION_INFO || is_version_key(v, s, p->off_shift);
}

bool pattern_end_allowed(const struct view *v, const struct db_pattern *p, const struct ends *e)
{
	for (uint32_t i = 0; i <= e->span; i++) {
		size_t end = e->base + i;
		if (!(e->bit[i / 64] >> (i % 64) & 1))
			continue;
		if (!(p->flags & DB_PAT_FULLWORD) || !word_at(v, p, end))
			return true;
	}
	return false;
}

bool part_find(struct view *v, const struct db_part *part, size_t from, size_t to, size_t *ret,
               struct ends *ret_ends)
{
	if (part->min_len > v->size)
		return false;
	to = num_min_size(to, v->size - part->min_len);
	const struct find_what what = {.lit = v->db->code + part->lit, .n = part->lit_len,
	                               .rare = {part->rare[0], part->rare[1]},
	                               .folded = part->lit_folded};
	for (size_t s = from; s <= to && !view_tick(v); s++) {
		if (part->lit_len) {
			size_t at = v->find(v->data, s + part->lit_off, to + part->lit_off, &what);
			if (at == FIND_NONE)
				return false;
			s = at - part->lit_off;
		}
		if (part_match(v, part, s, ret_ends)) {
			*ret = s;
			return true;
		}
	}
	return false;
}

/* Puts the ends of a start into the ring. */
static void hold_ends(struct link *l, const struct ends *e)
{
	for (uint32_t i = 0; i <= e->span; i++) {
		if (!(e->bit[i / 64] >> (i % 64) & 1))
			continue;
		size_t at = (e->base + i) % RING_BITS;
		uint64_t bit = UINT64_C(1) << (at % 64);
		if (l->npending == 0 || e->base + i < l->low)
			l->low = e->base + i;
		l->npending += !(l->ring[at / 64] & bit);
		l->ring[at / 64] |= bit;
	}
}

static bool pending_at(const struct link *l, size_t end)
{
	size_t at = end % RING_BITS;
	return l->ring[at / 64] >> (at % 64) & 1;
}

static size_t take_lowest(struct link *l)
{
	size_t end = l->low, at = end % RING_BITS;
	l->ring[at / 64] &= ~(UINT64_C(1) << (at % 64));
	l->npending--;
	while (l->npending && !pending_at(l, l->low))
		l->low++;
	return end;
}

/* May a start that is not in the ring give a smaller end than the ring? */
static bool is_open(const struct link *l)
{
	size_t next = l->pos - l->has_next; /* the smallest such start */
	return !l->npending || l->low > next + l->part->min_len;
}

/* Are ends farther off than the ring reaches? */
static bool is_far(const struct link *l, const struct ends *e)
{
	return l->npending && e->base + e->span >= l->low + RING_BITS;
}

/* Takes in the ends of one more start of link k. False if there is none, or if it waits in `next`
 * until those of the ring are used up. */
static bool take_start(struct chain *c, size_t k)
{
	struct link *l = &c->link[k];
	size_t s;
	if (l->has_next) {
		if (is_far(l, &l->next))
			return false;
		hold_ends(l, &l->next);
		l->has_next = false;
		return true;
	}
	if (!next_start(c, k, &s))
		return false;
	if (is_far(l, &c->ends)) {
		l->next = c->ends;
		l->has_next = true;
		return false;
	}
	hold_ends(l, &c->ends);
	return true;
}

/* The next end of link k, ascending. */
static bool next_end(struct chain *c, size_t k, size_t *ret)
{
	struct link *l = &c->link[k];
	while (is_open(l) && take_start(c, k))
		;
	if (!l->npending)
		return false;
	*ret = take_lowest(l);
	return true;
}

static void fetch_look(struct chain *c, size_t k)
{
	struct link *l = &c->link[k];
	if (l->has_look || l->prev_done)
		return;
	l->has_look = next_end(c, k - 1, &l->look);
	l->prev_done = !l->has_look;
}

/* The first stretch [*ret_from, *ret_to] of starts >= l->pos that one end of link k - 1 allows. */
static bool allowed(struct chain *c, size_t k, size_t *ret_from, size_t *ret_to)
{
	struct link *l = &c->link[k];
	const size_t min = l->part->gap_min, max = l->part->gap_max;
	for (;;) {
		if (!l->has_end || max != UINT32_MAX)
			fetch_look(c, k);
		bool use_look = l->has_look && (!l->has_end || l->look + min <= l->pos ||
		                                l->pos > l->end + max);
		if (l->has_end && max == UINT32_MAX)
			use_look = false;
		if (!use_look)
			break;
		l->end = l->look;
		l->has_end = true;
		l->has_look = false;
	}
	if (!l->has_end)
		return false;
	*ret_from = l->pos > l->end + min ? l->pos : l->end + min;
	*ret_to = max == UINT32_MAX ? SIZE_MAX : l->end + max;
	return *ret_from <= *ret_to;
}

static bool first_start(struct chain *c, size_t *ret)
{
	struct link *l = &c->link[0];
	while (l->pos <= c->range.last &&
	       part_find(c->v, l->part, l->pos, c->range.last, ret, &c->ends)) {
		l->pos = *ret + 1;
		if (pattern_start_allowed(c->v, c->p, *ret))
			return true;
	}
	return false;
}

static bool later_start(struct chain *c, size_t k, size_t *ret)
{
	struct link *l = &c->link[k];
	size_t from, to;
	while (!c->v->over && allowed(c, k, &from, &to)) {
		if (part_find(c->v, l->part, from, num_min_size(to, l->last), ret, &c->ends)) {
			l->pos = *ret + 1;
			return true;
		}
		if (to >= l->last)
			return false;
		l->pos = to + 1;
	}
	return false;
}

/* The next start of link k; c->ends holds its ends. */
static bool next_start(struct chain *c, size_t k, size_t *ret)
{
	struct link *l = &c->link[k];
	if (l->done)
		return false;
	bool got = k == 0 ? first_start(c, ret) : later_start(c, k, ret);
	l->done = !got;
	return got;
}

/* Part k starts in [lo, hi]: where do the parts before it? False if nowhere. */
static bool narrow_left(struct chain *c, size_t k, size_t lo, size_t hi)
{
	for (; k > 0; k--) {
		const struct db_part *here = c->link[k].part, *before = c->link[k - 1].part;
		size_t nearest = (size_t)here->gap_min + before->min_len;
		size_t farthest = (size_t)here->gap_max + before->max_len;
		if (hi < nearest)
			return false;
		hi -= nearest;
		lo = here->gap_max == UINT32_MAX || lo < farthest ? 0 : lo - farthest;
		c->link[k - 1].pos = lo;
		c->link[k - 1].last = hi;
	}
	return true;
}

/* The same for the parts behind it; they end where the object does. */
static void narrow_right(struct chain *c, size_t k, size_t lo, size_t hi)
{
	for (; k + 1u < c->p->nparts; k++) {
		const struct db_part *here = c->link[k].part, *next = c->link[k + 1].part;
		lo += (size_t)next->gap_min + here->min_len;
		hi += (size_t)next->gap_max + here->max_len;
		hi = next->gap_max == UINT32_MAX ? c->v->size : num_min_size(hi, c->v->size);
		c->link[k + 1].pos = lo;
		c->link[k + 1].last = hi;
	}
}

/* Takes into account where the filters saw a part of the pattern. */
static bool narrow(struct chain *c)
{
	const struct trace *t = &c->v->trace;
	struct link *first = &c->link[0];
	if (t->part >= c->p->part && t->part - c->p->part < c->p->nparts) {
		size_t k = t->part - c->p->part;
		c->link[k].pos = t->first;
		c->link[k].last = t->last;
		narrow_right(c, k, t->first, t->last);
		if (!narrow_left(c, k, t->first, t->last))
			return false;
	}
	first->pos = (size_t)num_max_u64(first->pos, c->range.first);
	c->range.last = num_min_size(c->range.last, first->last);
	return first->pos <= c->range.last;
}

/* Takes into account which literals were looked for in the object. */
static bool refuted(struct chain *c)
{
	for (uint32_t k = 0; c->v->refute && k < c->p->nparts; k++) {
		struct link *l = &c->link[k];
		size_t first = refute_first(c->v->refute, c->p->part + k);
		if (first == FIND_NONE)
			return true;
		if (first > l->part->lit_off)
			l->pos = (size_t)num_max_u64(l->pos, first - l->part->lit_off);
	}
	return c->link[0].pos > c->range.last;
}

/* False if the pattern cannot match. */
static bool chain_start(struct chain *c, const struct db_pattern *p)
{
	if (!pattern_range(c->v, p, &c->range))
		return false;
	c->p = p;
	for (size_t k = 0; k < p->nparts; k++)
		c->link[k] = (struct link){.part = &c->v->db->part[p->part + k], .last = c->v->size};
	return narrow(c) && !refuted(c);
}

/* The next match: where its last part starts. */
static bool next_match(struct chain *c, size_t *ret)
{
	while (next_start(c, c->p->nparts - 1u, ret))
		if (pattern_end_allowed(c->v, c->p, &c->ends))
			return true;
	return false;
}

uint64_t pattern_count(struct view *v, const struct db_pattern *p, uint64_t enough,
                       struct link *links)
{
	struct chain c = {.v = v, .link = links};
	if (!chain_start(&c, p))
		return 0;
	uint64_t n = 0;
	size_t s;
	while (n < enough && next_match(&c, &s))
		n++;
	return n;
}

/* Does a match that starts at `start` have its last part at `last`? */
static bool joins(struct chain *c, const struct db_pattern *p, size_t start, size_t last)
{
	size_t s;
	if (!chain_start(c, p) || start < c->link[0].pos || start > c->range.last)
		return false;
	c->link[0].pos = c->range.last = start;
	struct link *end = &c->link[p->nparts - 1u];
	end->pos = (size_t)num_max_u64(end->pos, last);
	end->last = num_min_size(end->last, last);
	return end->pos <= end->last && next_match(c, &s) && s == last;
}

/* The earliest start of a match whose last part is at `last`. Each start of the first part is
 * tried: only comparisons on patterns of several parts get here. */
static bool earliest(struct chain *c, const struct db_pattern *p, size_t last, size_t *ret)
{
	size_t from = 0;
	while (chain_start(c, p)) {
		c->link[0].pos = (size_t)num_max_u64(c->link[0].pos, from);
		if (!first_start(c, ret) || *ret > last)
			return false;
		from = *ret + 1;
		if (joins(c, p, *ret, last))
			return true;
	}
	return false;
}

bool pattern_last(struct view *v, const struct db_pattern *p, struct link *links,
                  struct last_match *ret)
{
	struct chain c = {.v = v, .link = links};
	bool found = false;
	size_t s;
	if (!chain_start(&c, p))
		return false;
	while (next_match(&c, &s)) {
		found = true;
		*ret = (struct last_match){.start = s, .last_part = s};
	}
	return found && (p->nparts == 1 || earliest(&c, p, ret->last_part, &ret->start));
}
