/* The engine: anchors -> candidates -> conditions.
 *
 * 1. While the object is read, the kernels pass over it and give offsets whose gram may be in the
 *    index. A gram that is in it leads to a part of a pattern; the part is compared in place. A
 *    signature that is one such part is found; any other becomes a candidate.
 * 2. At the end, patterns bound to one place are looked at there, signatures without an anchor
 *    become candidates, and the condition of every candidate is evaluated over the whole object.
 *
 * Invariants
 * 1. Nothing is found that its condition does not say (step 2 is exact), and every signature that
 *    holds becomes a candidate (its anchors are necessary: sig/anchor.c).
 * 2. Parts are compared only where all their bytes are there: the filters stay `margin` bytes
 *    behind what was read, until everything was.
 * 3. state[] is all zero between objects.
 * 4. What one object's filters found may be taken over by a slice of it (verify/hits.h). */
#include "verify/engine.h"

#include "base/num.h"
#include "db/gram.h"
#include "match/kernels.h"
#include "verify/hits.h"
#include "verify/refute.h"
#include "verify/view.h"

#include <stdlib.h>
#include <string.h>

/* Offsets looked up together, so that the memory of one is fetched while others are worked on. */
#define BATCH 32u

enum sig_state { UNSEEN, CANDIDATE, FOUND };

struct engine {
	const struct db_view *db;
	struct kernels kernels;
	struct view view;
	const struct db_target *target;
	size_t filtered; /* bytes that the filters have passed */
	struct hits *record;      /* where to keep hits, or NULL */
	const struct hits *reuse; /* whose filters need not run again, or NULL */
	size_t margin;
	uint8_t *state;  /* of each signature */
	uint32_t *seen;  /* signatures whose state is not UNSEEN */
	size_t nseen;
	uint32_t *found;
	struct trace *trace; /* of each candidate */
	struct link *links;
	struct regexes *regexes;
	struct refute refute;
	struct nibbles *nibbles; /* of each filter that has class 2_1 */
	unsigned needs;
	struct engine_stats stats;
	uint32_t pos[MATCH_CANDIDATES];
};

/* How far behind its gram a confirmation may look. */
static size_t longest_reach(const struct db_view *db)
{
	uint32_t max = NEAR_REACH;
	for (size_t i = 0; i < db->npart; i++)
		max = db->part[i].max_len > max ? db->part[i].max_len : max;
	return max;
}

static size_t most_parts(const struct db_view *db)
{
	size_t max = 1;
	for (size_t i = 0; i < db->npattern; i++)
		max = db->pattern[i].nparts > max ? db->pattern[i].nparts : max;
	return max;
}

unsigned engine_needs_of(const struct db_view *db)
{
	unsigned needs = db->nimage ? ENGINE_NEEDS_IMAGE_HASH : 0;
	for (size_t i = 0; i < db->npattern; i++) {
		const struct db_pattern *p = &db->pattern[i];
		if (p->off_kind == DB_OFF_VERSION_INFO)
			needs |= ENGINE_NEEDS_VERSION_INFO;
		if (p->off_kind == DB_OFF_EOF && !(p->flags & DB_PAT_OTHER) &&
		    db->sig[p->sig].target == TARGET_TEXT)
			needs |= ENGINE_NEEDS_WHOLE_TEXT;
	}
	return needs;
}

static struct nibbles *make_nibbles(const struct db_view *db)
{
	struct nibbles *t = calloc(db->nfilter + 1, sizeof *t);
	for (size_t i = 0; t && i < db->nfilter; i++) {
		const struct db_class *c = &db->filter[i].cls[DB_CLASS_2_1];
		if (c->ngrams)
			nibbles_make((const uint32_t *)(const void *)(db->bloom + c->bloom), &t[i]);
	}
	return t;
}

st_t engine_new(const struct db *db, uint32_t cpumask, struct engine **ret, struct err *e)
{
	struct engine *g = calloc(1, sizeof *g);
	if (!g)
		return fail(e, ST_NOMEM, 0, "engine: out of memory");
	g->db = db_view(db);
	g->kernels = kernels_select(cpumask);
	g->margin = longest_reach(g->db) + UINT8_MAX + 1; /* a condition looks that far behind a part */
	size_t n = g->db->nsig;
	g->state = calloc(n + 1, sizeof *g->state);
	g->seen = malloc((n + 1) * sizeof *g->seen);
	g->found = malloc((n + 1) * sizeof *g->found);
	g->trace = malloc((n + 1) * sizeof *g->trace);
	g->links = calloc(most_parts(g->db), link_size());
	g->nibbles = make_nibbles(g->db);
	if (!g->state || !g->seen || !g->found || !g->trace || !g->links || !g->nibbles) {
		engine_free(g);
		return fail(e, ST_NOMEM, 0, "engine: out of memory");
	}
	st_t st = regexes_new(g->db, &g->regexes, e);
	if (st != ST_OK) {
		engine_free(g);
		return st;
	}
	g->needs = engine_needs_of(g->db);
	*ret = g;
	return ST_OK;
}

unsigned engine_needs(const struct engine *g)
{
	return g->needs;
}

void engine_regex_limits(struct engine *g, const struct regex_limits *l)
{
	regexes_limits(g->regexes, l);
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	free(g->state);
	free(g->seen);
	free(g->found);
	free(g->trace);
	free(g->links);
	free(g->nibbles);
	regexes_free(g->regexes);
	free(g);
}

static void forget(struct engine *g)
{
	for (size_t i = 0; i < g->nseen; i++)
		g->state[g->seen[i]] = UNSEEN;
	g->nseen = 0;
}

void engine_begin(struct engine *g, uint8_t target, const uint8_t *data, size_t size,
                  const struct object_facts *facts)
{
	forget(g);
	uint64_t deadline = g->view.deadline_ns;
	g->view = (struct view){.db = g->db, .data = data, .size = size, .facts = facts,
	                        .regexes = g->regexes, .find = g->kernels.find,
	                        .deadline_ns = deadline};
	size_t record = (target < DB_TARGETS ? target : 0) + (facts->nlayers ? DB_TARGETS : 0);
	g->target = &g->db->target[record];
	g->filtered = 0;
	g->record = NULL;
	g->reuse = NULL;
}

void engine_deadline(struct engine *g, uint64_t deadline_ns)
{
	g->view.deadline_ns = deadline_ns;
}

static void mark(struct engine *g, uint32_t sig, enum sig_state to)
{
	if (g->state[sig] == UNSEEN)
		g->seen[g->nseen++] = sig;
	if (g->state[sig] < to)
		g->state[sig] = (uint8_t)to;
	g->trace[sig].part = NO_TRACE;
}

/* Another gram of a candidate: its part may start here, too. */
static void extend_trace(struct trace *t, uint32_t part, uint32_t start)
{
	if (t->part != part) {
		t->part = NO_TRACE;
		return;
	}
	t->first = start < t->first ? start : t->first;
	t->last = start > t->last ? start : t->last;
}

/* One pattern of one part, anywhere, without a look at its neighbours: a match is the finding. */
static bool decides(const struct db_sig *s, const struct db_pattern *p)
{
	return (s->flags & DB_SIG_SIMPLE) && p->nparts == 1 && p->off_kind == DB_OFF_ANY &&
	       !(p->flags & DB_PAT_FULLWORD);
}

/* The gram of `slot` stands at `pos`: does the part around it match? */
static void confirm(struct engine *g, const struct db_slot *slot, size_t pos)
{
	const struct db_pattern *p = &g->db->pattern[g->db->part[slot->part].pattern];
	if (pos < slot->delta)
		return;
	size_t start = pos - slot->delta;
	if (g->state[p->sig] != UNSEEN) {
		extend_trace(&g->trace[p->sig], slot->part, (uint32_t)start);
		return;
	}
	struct ends ends;
	const struct db_sig *sig = &g->db->sig[p->sig];
	if ((sig->flags & DB_SIG_GATED) && !cond_gates_open(&g->view, sig))
		return;
	g->stats.confirms++;
	if (!part_match(&g->view, &g->db->part[slot->part], start, &ends) ||
	    !near_possible(&g->view, p, slot->part, start))
		return;
	mark(g, p->sig, decides(sig, p) ? FOUND : CANDIDATE);
	g->trace[p->sig] =
	    (struct trace){.part = slot->part, .first = (uint32_t)start, .last = (uint32_t)start};
}

/* Do the bytes of the slot's context stand there? They belong to the anchor: where they would lie
 * outside the object, so would the anchor. */
static bool context_holds(const struct engine *g, const struct db_slot *slot, size_t pos)
{
	if (slot->context_off == DB_NO_CONTEXT)
		return true;
	size_t at = pos + (size_t)slot->context_off; /* wraps below zero: then it is too large */
	if (at > g->view.size || g->view.size - at < 4)
		return false;
	return (load_u32le(g->view.data + at) | GRAM_FOLD4) == slot->context;
}

static void on_hit(struct engine *g, uint32_t slot, uint32_t pos)
{
	if (g->record)
		hits_add(g->record, slot, pos);
	confirm(g, &g->db->slot[slot], pos);
}

struct lookup {
	uint32_t check, pos;
	const uint32_t *bucket;
	uint32_t first, n;
};

/* Up to BATCH offsets: buckets are fetched first, then slots, then slots are compared. */
static void look_up(struct engine *g, enum db_class_id id, const struct db_class *c,
                    const uint32_t *pos, size_t n)
{
	struct lookup q[BATCH];
	for (size_t i = 0; i < n; i++) {
		struct gram gram = gram_of(id, g->view.data + pos[i]);
		q[i].check = gram.check;
		q[i].pos = pos[i];
		q[i].bucket = g->db->bucket + c->bucket + gram_bucket(gram.y, c->bucket_log2);
		__builtin_prefetch(q[i].bucket);
	}
	const struct db_slot *slots = g->db->slot + c->slot;
	for (size_t i = 0; i < n; i++) {
		q[i].first = q[i].bucket[0];
		q[i].n = q[i].bucket[1] - q[i].first;
		if (q[i].n)
			__builtin_prefetch(&slots[q[i].first]);
	}
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < q[i].n; k++)
			if (slots[q[i].first + k].check == q[i].check &&
			    context_holds(g, &slots[q[i].first + k], q[i].pos))
				on_hit(g, c->slot + q[i].first + k, q[i].pos);
}

/* Offsets below this have their whole gram within the first `end` bytes. */
static size_t gram_end(size_t end, size_t len)
{
	return end >= len ? end - len + 1 : 0;
}

static void filter_class(struct engine *g, enum db_class_id id, const struct db_class *c,
                         const struct nibbles *nibbles, size_t from, size_t to)
{
	size_t len = gram_class(id).len;
	struct match_class m = {.id = id, .bloom_log2 = c->bloom_log2,
	                        .bloom = g->db->bloom + c->bloom, .nibbles = nibbles};
	size_t n = g->kernels.probe[id](&m, g->view.data, gram_end(from, len), gram_end(to, len),
	                                g->pos);
	g->stats.candidates += n;
	for (size_t i = 0; i < n; i += BATCH)
		look_up(g, id, c, g->pos + i, num_min_size(BATCH, n - i));
}

static void filter_block(struct engine *g, size_t from, size_t to)
{
	for (uint32_t f = 0; f < g->target->nfilters; f++) {
		if (g->reuse && hits_have_filter(g->reuse, g->target->filter[f]))
			continue;
		const struct db_filter *flt = &g->db->filter[g->target->filter[f]];
		for (enum db_class_id id = 0; id < DB_CLASSES; id++)
			if (flt->cls[id].ngrams)
				filter_class(g, id, &flt->cls[id], &g->nibbles[g->target->filter[f]], from, to);
	}
}

static void filter_to(struct engine *g, size_t limit)
{
	while (g->filtered < limit && !g->view.over) {
		size_t to = num_min_size(limit, g->filtered + MATCH_BLOCK);
		filter_block(g, g->filtered, to);
		g->filtered = to;
	}
}

void engine_feed(struct engine *g, size_t have)
{
	if (have >= g->view.size)
		filter_to(g, g->view.size);
	else if (have > g->margin)
		filter_to(g, have - g->margin);
}

void engine_record(struct engine *g, struct hits *to)
{
	hits_start(to, g->target, g->view.data, g->view.size);
	g->record = to;
}

void engine_reuse(struct engine *g, const struct hits *from)
{
	const struct view *v = &g->view;
	size_t off;
	if (!hits_cover(from, g->target, v->data, v->size, &off))
		return;
	g->reuse = from;
	for (size_t i = hits_from(from, off); i < from->n; i++) {
		size_t pos = from->list[i].pos;
		if (pos >= off + v->size + HITS_DISORDER)
			return;
		if (pos >= off && pos < off + v->size)
			confirm(g, &g->db->slot[from->list[i].slot], pos - off);
	}
}

static bool same_place(const struct db_pattern *a, const struct db_pattern *b)
{
	return a->off_kind == b->off_kind && a->off_section == b->off_section && a->off_n == b->off_n;
}

/* The first 8 bytes at `at`; zeroes behind the end (then the part's own length decides). */
static uint64_t word_at(const struct view *v, size_t at)
{
	uint8_t w[8] = {0};
	if (at < v->size)
		memcpy(w, v->data + at, num_min_size(8, v->size - at));
	return load_u64le(w);
}

static void check_place(struct engine *g, const struct db_place *pl, size_t at)
{
	const struct db_pattern *p = &g->db->pattern[pl->pattern];
	struct ends ends;
	const struct db_sig *sig = &g->db->sig[p->sig];
	if ((sig->flags & DB_SIG_GATED) && !cond_gates_open(&g->view, sig))
		return;
	if (g->state[p->sig] == UNSEEN && part_match(&g->view, &g->db->part[p->part], at, &ends))
		mark(g, p->sig, CANDIDATE);
}

/* Patterns bound to one place: neighbours in the list share it, so it is found once. */
static void check_places(struct engine *g)
{
	const struct db_place *pl = g->db->place + g->target->place;
	const struct db_pattern *last = NULL;
	bool there = false;
	uint64_t word = 0;
	size_t at = 0;
	for (uint32_t i = 0; i < g->target->nplaces; i++) {
		const struct db_pattern *p = &g->db->pattern[pl[i].pattern];
		if (!last || !same_place(last, p)) {
			there = pattern_place(&g->view, p, &at);
			word = there ? word_at(&g->view, at) : 0;
			last = p;
		}
		if (there && ((word ^ pl[i].value) & pl[i].mask) == 0)
			check_place(g, &pl[i], at);
	}
}

static void mark_always(struct engine *g)
{
	const uint32_t *list = g->db->always + g->target->always;
	for (uint32_t i = 0; i < g->target->nalways; i++)
		mark(g, list[i], CANDIDATE);
}

static bool asks(const struct engine *g, uint32_t sig)
{
	const struct db_sig *s = &g->db->sig[sig];
	return g->state[sig] == CANDIDATE &&
	       !((s->flags & DB_SIG_GATED) && !cond_gates_open(&g->view, s));
}

/* Finds out in few passes what the candidates need and the object has not. */
static void refute(struct engine *g)
{
	g->refute.n = 0;
	for (size_t i = 0; i < g->nseen && g->view.size >= REFUTE_SIZE_MIN; i++)
		if (asks(g, g->seen[i]))
			refute_add(&g->refute, g->db, &g->db->sig[g->seen[i]], &g->trace[g->seen[i]]);
	if (g->refute.n < 2)
		return; /* a single search is as fast without */
	refute_run(&g->refute, &g->view, g->kernels.find_many);
	g->view.refute = &g->refute;
}

static void evaluate(struct engine *g)
{
	refute(g);
	for (size_t i = 0; i < g->nseen && !g->view.over; i++) {
		uint32_t sig = g->seen[i];
		const struct db_sig *s = &g->db->sig[sig];
		if (!asks(g, sig))
			continue;
		g->stats.evaluated++;
		g->view.trace = g->trace[sig];
		if (cond_true(&g->view, s, g->links))
			g->state[sig] = FOUND;
	}
}

static int by_id(const void *a, const void *b)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static size_t collect(struct engine *g)
{
	size_t n = 0;
	for (size_t i = 0; i < g->nseen; i++)
		if (g->state[g->seen[i]] == FOUND)
			g->found[n++] = g->seen[i];
	if (n > 1)
		qsort(g->found, n, sizeof *g->found, by_id);
	return n;
}

st_t engine_finish(struct engine *g, const uint32_t **ret_sigs, size_t *ret_n, struct err *e)
{
	g->view.exe = g->view.facts->exe;
	engine_feed(g, g->view.size);
	if (g->record)
		g->record->whole = !g->record->lost && !g->view.over;
	check_places(g);
	mark_always(g);
	evaluate(g);
	*ret_sigs = g->found;
	*ret_n = collect(g);
	g->stats.objects++;
	g->stats.bytes += g->view.size;
	if (g->view.over)
		return fail(e, ST_TIMEOUT, 0, "time limit reached while matching");
	if (g->view.regex_limited)
		return fail(e, ST_LIMIT, 0, "a regular expression reached its limits");
	return ST_OK;
}

struct engine_stats engine_stats(const struct engine *g)
{
	return g->stats;
}

const char *engine_kernels(const struct engine *g)
{
	return g->kernels.name;
}
