/* Conditions of logical signatures: reverse Polish programs, evaluated from their end, so that what
 * cannot change the outcome is skipped and its patterns are never looked for.
 *
 * Values follow ClamAV (doc/format/signatures.md, "Expressions"): truth, sum of match counts, and
 * the set of different sub-signatures matched. */
#include "verify/view.h"

#define ID_WORDS 2 /* a sub-signature is named by its first pattern: at most 128 */

struct value {
	bool truth;
	uint64_t sum;
	uint64_t ids[ID_WORDS];
};

struct eval {
	struct view *v;
	const struct db_sig *s;
	const struct db_cond *cond;
	struct link *links;
	uint32_t at; /* node to evaluate is at - 1 */
};

static struct value eval(struct eval *c, bool counts);

/* Steps over the value that ends before c->at. */
static void skip(struct eval *c)
{
	for (uint32_t need = 1; need > 0 && c->at > 0; need--) {
		const struct db_cond *n = &c->cond[--c->at];
		if (n->op == DB_COND_AND || n->op == DB_COND_OR)
			need += n->a;
		if (n->op == DB_COND_EQ || n->op == DB_COND_GT || n->op == DB_COND_LT)
			need++;
	}
}

static void add(struct value *to, const struct value *from)
{
	to->sum += from->sum;
	for (unsigned i = 0; i < ID_WORDS; i++)
		to->ids[i] |= from->ids[i];
}

static uint32_t distinct(const struct value *x)
{
	return (uint32_t)(__builtin_popcountll(x->ids[0]) + __builtin_popcountll(x->ids[1]));
}

/* Counts the matches of one sub-signature, up to `enough`. */
static struct value id(struct eval *c, const struct db_cond *n, uint64_t enough)
{
	const struct db_pattern *p = &c->v->db->pattern[c->s->pattern + n->a];
	struct value r = {0};
	for (uint32_t k = 0; k < n->b && r.sum < enough; k++)
		r.sum += pattern_count(c->v, p + k, enough, c->links);
	r.truth = r.sum > 0;
	if (r.truth && n->a < 64 * ID_WORDS)
		r.ids[n->a / 64] |= UINT64_C(1) << (n->a % 64);
	return r;
}

/* A conjunction that is false has no sum and no sub-signatures. */
static struct value all(struct eval *c, uint32_t n, bool counts)
{
	struct value r = {.truth = true};
	for (uint32_t k = 0; k < n; k++) {
		if (!r.truth) {
			skip(c);
			continue;
		}
		struct value x = eval(c, counts);
		r.truth = x.truth;
		add(&r, &x);
	}
	return r.truth ? r : (struct value){0};
}

static struct value any(struct eval *c, uint32_t n, bool counts)
{
	struct value r = {0};
	for (uint32_t k = 0; k < n; k++) {
		if (r.truth && !counts) {
			skip(c);
			continue;
		}
		struct value x = eval(c, counts);
		r.truth |= x.truth;
		add(&r, &x);
	}
	return r;
}

static bool holds(const struct db_cond *n, uint64_t sum)
{
	if (n->op == DB_COND_EQ)
		return sum == n->a;
	return n->op == DB_COND_GT ? sum > n->a : sum < n->a;
}

/* On a single sub-signature: true counts it as matched even at count 0. */
static struct value compare_id(struct eval *c, const struct db_cond *n, bool counts)
{
	const struct db_cond *of = &c->cond[--c->at];
	struct value x = id(c, of, counts ? UINT64_MAX : (uint64_t)n->a + 1);
	if (!holds(n, x.sum))
		return (struct value){0};
	x.truth = true;
	if (of->a < 64 * ID_WORDS)
		x.ids[of->a / 64] |= UINT64_C(1) << (of->a % 64);
	return x;
}

/* On a block: true keeps the sum, but its sub-signatures count no further. */
static struct value compare_block(struct eval *c, const struct db_cond *n)
{
	struct value x = eval(c, true);
	if (!holds(n, x.sum) || distinct(&x) < n->b)
		return (struct value){0};
	return (struct value){.truth = true, .sum = x.sum};
}

static struct value compare(struct eval *c, const struct db_cond *n, bool counts)
{
	bool single = c->cond[c->at - 1].op == DB_COND_ID;
	return single ? compare_id(c, n, counts) : compare_block(c, n);
}

static struct value within(uint64_t x, const struct db_cond *n, bool known)
{
	return (struct value){.truth = known && x >= n->a && x <= n->b};
}

static struct value eval(struct eval *c, bool counts)
{
	const struct exe_layout *exe = c->v->exe;
	const struct db_cond *n = &c->cond[--c->at];
	bool valid = exe && exe->valid;
	switch (n->op) {
	case DB_COND_ID:
		return id(c, n, counts ? UINT64_MAX : 1);
	case DB_COND_AND:
		return all(c, n->a, counts);
	case DB_COND_OR:
		return any(c, n->a, counts);
	case DB_COND_FILESIZE:
		return within(c->v->size, n, true);
	case DB_COND_EP:
		return within(valid ? exe->ep : 0, n, valid && exe->has_ep);
	case DB_COND_SECTIONS:
		return within(valid ? exe->nsections : 0, n, valid);
	default:
		return compare(c, n, counts);
	}
}

bool cond_true(struct view *v, const struct db_sig *s, struct link *links)
{
	if (s->flags & DB_SIG_SIMPLE)
		return pattern_count(v, &v->db->pattern[s->pattern], 1, links) > 0;
	struct eval c = {.v = v, .s = s, .cond = v->db->cond + s->cond, .links = links,
	                 .at = s->ncond};
	return eval(&c, false).truth;
}
