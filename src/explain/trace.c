#include "explain/trace.h"

#include "base/num.h"
#include "explain/words.h"

#include <inttypes.h>
#include <stdlib.h>

/* Matches whose places are shown, and places named of a part that is there, but not where it must
 * be. */
#define MATCHES_SHOWN 5u
#define PLACES_SHOWN 3u

/* Places of one part that are followed up: a part that is at more is not worth the memory. */
#define SPOTS_KEPT 10000u

/* Parts whose places are named for one match. */
#define PARTS_SHOWN 16u

/* A start of a part at an allowed distance behind a spot of the part before (`prev`). */
struct spot {
	size_t start;
	uint32_t prev;
};

/* An end of a spot. */
struct stop {
	size_t end;
	uint32_t spot;
};

struct level {
	struct spot *spot;
	uint32_t n;
};

struct trace_run {
	struct out *o;
	struct view *v;
	const struct db_pattern *p;
	struct place_range range;
	struct level *level; /* one for each part */
	struct buf stops;    /* struct stop[] of the level at hand */
	bool cut;            /* some part is at more places than are kept */
};

static const struct db_part *part_of(const struct trace_run *t, uint32_t k)
{
	return &t->v->db->part[t->p->part + k];
}

static const struct stop *stops_of(const struct trace_run *t, size_t *ret_n)
{
	*ret_n = t->stops.len / sizeof(struct stop);
	return (const struct stop *)(const void *)t->stops.data;
}

static int by_end(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->spot < y->spot ? -1 : x->spot > y->spot;
}

static st_t add_spot(struct level *l, size_t start, uint32_t prev)
{
	if (l->n % 1024 == 0) {
		struct spot *p = realloc(l->spot, (l->n + 1024) * sizeof *p);
		if (!p)
			return ST_NOMEM;
		l->spot = p;
	}
	l->spot[l->n++] = (struct spot){start, prev};
	return ST_OK;
}

static void add_stops(struct buf *to, const struct ends *e, uint32_t spot)
{
	for (uint32_t i = 0; i <= e->span; i++) {
		if (!(e->bit[i / 64] >> (i % 64) & 1))
			continue;
		struct stop s = {e->base + i, spot};
		buf_add(to, &s, sizeof s);
	}
}

/* The largest end from which `part` may start at s, or NULL. */
static const struct stop *stop_for(const struct stop *stops, size_t n, const struct db_part *part,
                                   size_t s)
{
	size_t lo = 0, hi = n;
	if (s < part->gap_min)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (stops[mid].end <= s - part->gap_min)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	const struct stop *best = &stops[lo - 1];
	return part->gap_max == UINT32_MAX || s - best->end <= part->gap_max ? best : NULL;
}

/* All spots of part k, given the stops of the part before; t->stops are those of k afterwards. */
static st_t find_spots(struct trace_run *t, uint32_t k)
{
	const struct db_part *part = part_of(t, k);
	struct level *l = &t->level[k];
	struct buf next = {0};
	struct ends ends;
	size_t n, s, last = k == 0 ? t->range.last : t->v->size;
	const struct stop *stops = stops_of(t, &n);
	st_t st = ST_OK;
	for (size_t from = k == 0 ? t->range.first : 0;
	     st == ST_OK && part_find(t->v, part, from, last, &s, &ends); from = s + 1) {
		const struct stop *before = k ? stop_for(stops, n, part, s) : NULL;
		bool last_part = k + 1u == t->p->nparts;
		if (k == 0 ? !pattern_start_allowed(t->v, t->p, s) : !before)
			continue;
		if (last_part && !pattern_end_allowed(t->v, t->p, &ends))
			continue;
		t->cut |= l->n >= SPOTS_KEPT;
		if (l->n >= SPOTS_KEPT)
			break;
		add_stops(&next, &ends, l->n);
		st = add_spot(l, s, before ? before->spot : 0);
	}
	buf_done(&t->stops);
	t->stops = next;
	if (next.oom)
		return ST_NOMEM;
	if (next.len)
		qsort(t->stops.data, next.len / sizeof(struct stop), sizeof(struct stop), by_end);
	return st;
}

/* -- matches -------------------------------------------------------------------------------- */

static void put_match(struct trace_run *t, uint32_t spot)
{
	size_t start[PARTS_SHOWN] = {0}, first = 0;
	for (uint32_t k = t->p->nparts; k-- > 0;) {
		first = t->level[k].spot[spot].start;
		if (k < PARTS_SHOWN)
			start[k] = first;
		spot = t->level[k].spot[spot].prev;
	}
	out_say(t->o, "at offset %zu (0x%zx)", first, first);
	for (uint32_t k = 1; k < t->p->nparts && k < PARTS_SHOWN; k++)
		out_say(t->o, ", part %" PRIu32 " at %zu", k + 1, start[k]);
	out_open(t->o, "matches");
	out_num(t->o, "offset", first);
	out_close(t->o);
}

static void put_matches(struct trace_run *t, uint64_t count)
{
	const struct level *l = &t->level[t->p->nparts - 1];
	uint32_t shown = (uint32_t)num_min_u64(l->n, MATCHES_SHOWN);
	for (uint32_t i = 0; i < shown; i++)
		put_match(t, i);
	if (count > shown) {
		out_say(t->o, "and %" PRIu64 " more", count - shown);
		out_remark(t->o);
	}
}

/* -- reasons -------------------------------------------------------------------------------- */

static void put_reason(struct trace_run *t)
{
	out_item(t->o, "reasons");
}

static const char *of_part(const struct trace_run *t)
{
	return t->p->nparts > 1 ? "of part " : "";
}

static void say_part(struct trace_run *t, uint32_t k)
{
	if (t->p->nparts > 1)
		out_say(t->o, "part %" PRIu32, k + 1);
	else
		out_say(t->o, "it");
}

/* "its bytes are nowhere", or the first places of the part wherever they are. */
static bool say_places(struct trace_run *t, uint32_t k)
{
	size_t s, from = 0;
	struct ends ends;
	unsigned n = 0;
	for (; n <= PLACES_SHOWN && part_find(t->v, part_of(t, k), from, t->v->size, &s, &ends); n++) {
		if (n == PLACES_SHOWN) {
			out_say(t->o, ", ...");
			return true;
		}
		if (n == 0)
			say_part(t, k);
		out_say(t->o, n ? ", %zu" : " is in the file at offset %zu", s);
		from = s + 1;
	}
	return n > 0;
}

static void say_nowhere(struct trace_run *t, uint32_t k)
{
	out_say(t->o, "the bytes ");
	if (t->p->nparts > 1)
		out_say(t->o, "%s%" PRIu32 " ", of_part(t), k + 1);
	out_say(t->o, "are nowhere in the file");
}

static void say_allowed_place(struct trace_run *t)
{
	if (t->p->off_kind == DB_OFF_VERSION_INFO) {
		uint32_t n = t->v->exe->nversion_keys;
		out_say(t->o, "; it must start at one of %" PRIu32 " keys of the version information", n);
		if (t->p->off_shift)
			out_say(t->o, " or up to %" PRIu32 " bytes later", t->p->off_shift);
		return;
	}
	if (t->range.first == t->range.last)
		out_say(t->o, "; it must start at offset %zu", t->range.first);
	else
		out_say(t->o, "; it must start at offset %zu to %zu", t->range.first, t->range.last);
}

static void say_allowed_gap(struct trace_run *t, uint32_t k)
{
	const struct db_part *p = part_of(t, k);
	const struct level *before = &t->level[k - 1];
	out_say(t->o, ", but ");
	if (p->gap_max == UINT32_MAX)
		out_say(t->o, "not %" PRIu32 " bytes or more", p->gap_min);
	else if (p->gap_min == p->gap_max)
		out_say(t->o, "not exactly %" PRIu32 " byte%s", p->gap_min, p->gap_min == 1 ? "" : "s");
	else
		out_say(t->o, "not within %" PRIu32 " to %" PRIu32 " bytes", p->gap_min, p->gap_max);
	out_say(t->o, " behind part %" PRIu32 " (which is at %zu%s)", k, before->spot[0].start,
	        before->n > 1 ? ", ..." : "");
}

/* Part k has no spot. */
static void put_why_part(struct trace_run *t, uint32_t k)
{
	bool word = t->p->flags & DB_PAT_FULLWORD;
	if (!say_places(t, k)) {
		say_nowhere(t, k);
	} else if (k == 0) {
		if (t->p->off_kind != DB_OFF_ANY)
			say_allowed_place(t);
		else if (!word)
			out_say(t->o, ", but too close to the end for the rest");
	} else {
		say_allowed_gap(t, k);
	}
	if (word && (k == 0 || k + 1u == t->p->nparts))
		out_say(t->o, " (and no letter or digit may stand beside the whole)");
	put_reason(t);
}

static void put_why_section(struct trace_run *t)
{
	const struct db_pattern *p = t->p;
	uint32_t n = t->v->exe->nsections;
	if (p->off_kind == DB_OFF_LAST_SECTION && n == 0)
		out_say(t->o, "the file has no sections");
	else if (p->off_kind != DB_OFF_LAST_SECTION && p->off_section >= n)
		out_say(t->o, "there is no section %" PRIu32 ": the file has %" PRIu32, p->off_section, n);
	else
		out_say(t->o, "its place lies outside of the file");
	put_reason(t);
}

/* No place in this object. */
static void put_why_nowhere(struct trace_run *t)
{
	const struct db_pattern *p = t->p;
	const struct exe_layout *exe = t->v->exe;
	bool section = p->off_kind == DB_OFF_SECTION || p->off_kind == DB_OFF_LAST_SECTION ||
	               p->off_kind == DB_OFF_IN_SECTION;
	if (p->min_len > t->v->size) {
		out_say(t->o, "the file has %zu bytes, it needs at least %" PRIu32, t->v->size, p->min_len);
		put_reason(t);
		return;
	}
	if ((section || p->off_kind == DB_OFF_EP) && !(exe && exe->valid)) {
		out_say(t->o, "its place is told by the headers of an executable, which this file lacks");
		put_reason(t);
		return;
	}
	if (section) {
		put_why_section(t);
		return;
	}
	if (p->off_kind == DB_OFF_EOF && t->v->facts && t->v->facts->in_windows) {
		out_say(t->o, "a normalised copy of text has no end to count from");
		put_reason(t);
		return;
	}
	if (p->off_kind == DB_OFF_VERSION_INFO) {
		out_say(t->o, "the file has no key of version information");
		put_reason(t);
		return;
	}
	if (p->off_kind == DB_OFF_EP && !exe->has_ep)
		out_say(t->o, "the executable has no entry point inside the file");
	else
		out_say(t->o, "its place lies outside of the file, or too close to the end");
	put_reason(t);
}

static st_t follow(struct trace_run *t, uint64_t count)
{
	for (uint32_t k = 0; k < t->p->nparts; k++) {
		if (find_spots(t, k) != ST_OK)
			return ST_NOMEM;
		if (t->v->over)
			return ST_OK;
		if (t->level[k].n > 0)
			continue;
		if (t->cut && count == 0)
			out_say(t->o, "the parts before part %" PRIu32 " are at too many places to show why",
			        k + 1);
		if (t->cut && count == 0)
			put_reason(t);
		else if (count == 0)
			put_why_part(t, k);
		else
			put_matches(t, count);
		return ST_OK;
	}
	put_matches(t, count);
	return ST_OK;
}

st_t trace_pattern(struct out *o, struct view *v, const struct db_pattern *p, uint64_t count,
                   struct err *e)
{
	struct trace_run t = {.o = o, .v = v, .p = p};
	if (!pattern_range(v, p, &t.range)) {
		put_why_nowhere(&t);
		return ST_OK;
	}
	t.level = calloc(p->nparts, sizeof *t.level);
	if (!t.level)
		return fail(e, ST_NOMEM, 0, "test: out of memory");
	st_t st = follow(&t, count);
	for (uint32_t k = 0; k < p->nparts; k++)
		free(t.level[k].spot);
	free(t.level);
	buf_done(&t.stops);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "test: out of memory");
}
