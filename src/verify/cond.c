/* Conditions of logical signatures: reverse Polish programs, evaluated from their end, so that what
 * cannot change the outcome is skipped and its patterns are never looked for.
 *
 * Values follow ClamAV (doc/format/signatures.md, "Expressions"): truth, sum of match counts, and
 * number of different sub-signatures matched. */
#include "verify/view.h"

struct value {
	bool truth;
	uint64_t sum, distinct;
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

static struct value id(struct eval *c, const struct db_cond *n, bool counts)
{
	const struct db_pattern *p = &c->v->db->pattern[c->s->pattern + n->a];
	uint64_t sum = 0, enough = counts ? UINT64_MAX : 1;
	for (uint32_t k = 0; k < n->b && sum < enough; k++)
		sum += pattern_count(c->v, p + k, enough, c->links);
	return (struct value){.truth = sum > 0, .sum = sum, .distinct = sum > 0};
}

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
		r.sum += x.sum;
		r.distinct += x.distinct;
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
		r.sum += x.sum;
		r.distinct += x.distinct;
	}
	return r;
}

static struct value compare(struct eval *c, const struct db_cond *n)
{
	struct value x = eval(c, true);
	bool holds = n->op == DB_COND_EQ ? x.sum == n->a : n->op == DB_COND_GT ? x.sum > n->a
	                                                                       : x.sum < n->a;
	x.truth = holds && x.distinct >= n->b;
	return x;
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
		return id(c, n, counts);
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
		return compare(c, n);
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
