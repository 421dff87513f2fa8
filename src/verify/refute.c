#include "verify/refute.h"

#include "base/num.h"

/* Shorter ones stand in every object. */
#define LITERAL_MIN 4u

/* What an AND asks first is enough to refute it, most times. */
#define FIRST_QUESTIONS 2u

/* The part of a pattern that is rarest as far as its length says so; NULL if there is none to
 * look for or its place is known. */
static const struct db_part *telling_part(const struct db_view *db, const struct db_pattern *p,
                                          const struct trace *t)
{
	const struct db_part *best = NULL;
	if ((p->flags & DB_PAT_OTHER) || p->off_kind != DB_OFF_ANY)
		return NULL;
	if (t->part >= p->part && t->part - p->part < p->nparts)
		return NULL;
	for (uint32_t k = 0; k < p->nparts; k++) {
		const struct db_part *part = &db->part[p->part + k];
		if (part->lit_len >= LITERAL_MIN && (!best || part->lit_len > best->lit_len))
			best = part;
	}
	return best;
}

static uint32_t add_patterns(struct refute *r, const struct db_view *db, const struct db_sig *s,
                             uint32_t first, uint32_t n, const struct trace *t)
{
	uint32_t added = 0;
	for (uint32_t i = first; i < first + n && r->n < REFUTE_MAX; i++) {
		const struct db_part *part = telling_part(db, &db->pattern[s->pattern + i], t);
		if (!part)
			continue;
		r->part[r->n++] = (uint32_t)(part - db->part);
		added++;
	}
	return added;
}

static bool asks_object(uint32_t op)
{
	return op >= DB_COND_FILESIZE;
}

/* Of an AND the sub-signatures that are looked at first; they stand at its end (sig/order.c). */
static uint32_t add_first_questions(struct refute *r, const struct db_view *db,
                                    const struct db_sig *s, const struct trace *t)
{
	const struct db_cond *c = db->cond + s->cond;
	uint32_t added = 0;
	if (s->ncond < 2 || c[s->ncond - 1].op != DB_COND_AND)
		return 0;
	for (uint32_t i = s->ncond - 1u; i > 0 && added < FIRST_QUESTIONS; i--) {
		if (asks_object(c[i - 1].op))
			continue;
		if (c[i - 1].op != DB_COND_ID)
			break;
		added += add_patterns(r, db, s, c[i - 1].a, c[i - 1].b, t);
	}
	return added;
}

void refute_add(struct refute *r, const struct db_view *db, const struct db_sig *s,
                const struct trace *trace)
{
	if (add_first_questions(r, db, s, trace) == 0)
		add_patterns(r, db, s, 0, s->npatterns, trace);
}

void refute_run(struct refute *r, const struct view *v, find_many_fn *find)
{
	struct find_what what[FIND_MANY_MAX];
	for (uint32_t i = 0; i < r->n; i += FIND_MANY_MAX) {
		unsigned n = (unsigned)num_min_u64(r->n - i, FIND_MANY_MAX);
		for (unsigned k = 0; k < n; k++) {
			const struct db_part *p = &v->db->part[r->part[i + k]];
			what[k] = (struct find_what){.lit = v->db->code + p->lit, .n = p->lit_len,
			                             .rare = {p->rare[0], p->rare[1]},
			                             .folded = p->lit_folded};
		}
		find(v->data, v->size, what, n, r->first + i);
	}
}

size_t refute_first(const struct refute *r, uint32_t part)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->part[i] == part)
			return r->first[i];
	return 0;
}
