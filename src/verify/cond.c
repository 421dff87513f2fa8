/* Conditions of logical signatures: reverse Polish programs, evaluated from their end, so that what
 * cannot change the outcome is skipped and its patterns are never looked for.
 *
 * Values follow ClamAV (doc/format/signatures.md, "Expressions"): truth, sum of match counts, and
 * the set of different sub-signatures matched. */
#include "verify/view.h"

#include <string.h>

#define ID_WORDS 2 /* a sub-signature is named by its first pattern: at most 128 */

struct value {
	bool truth;
	uint64_t sum;
	uint64_t ids[ID_WORDS];
};

/* Counts of regular expressions: each is run once, however often triggers and conditions ask. */
struct memo {
	bool known[64 * ID_WORDS];
	uint64_t count[64 * ID_WORDS];
};

struct eval {
	struct view *v;
	const struct db_sig *s;
	const struct db_cond *cond;
	struct link *links;
	struct memo *memo; /* by pattern, relative to the signature's first */
	bool supposed; /* what is_image() says of a picture whose hash is not known */
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

/* A regular expression is looked for where its trigger holds. The trigger speaks of patterns in
 * front of it only (db/check.c), so this comes to an end. */
static uint64_t count_regex(struct eval *c, const struct db_pattern *p)
{
	const struct db_regex *r = &c->v->db->regex[p->part];
	struct eval trigger = *c;
	trigger.cond = c->v->db->cond + r->cond;
	trigger.at = r->ncond;
	return eval(&trigger, false).truth ? regex_count(c->v, p) : 0;
}

static uint64_t count_once(struct eval *c, const struct db_pattern *p, uint32_t at)
{
	if (at >= 64 * ID_WORDS)
		return count_regex(c, p);
	if (!c->memo->known[at])
		c->memo->count[at] = count_regex(c, p);
	c->memo->known[at] = true;
	return c->memo->count[at];
}

static bool is_image(const struct eval *c, const struct db_pattern *p)
{
	const struct object_facts *f = c->v->facts;
	if (f->image_unknown)
		return c->supposed;
	return f->has_image_hash && f->image_hash == c->v->db->image[p->part].hash;
}

/* Matches of pattern `at` of the signature, up to `enough`. */
static uint64_t count(struct eval *c, uint32_t at, uint64_t enough)
{
	const struct db_pattern *p = &c->v->db->pattern[c->s->pattern + at];
	switch (p->flags & DB_PAT_OTHER) {
	case 0:
		return pattern_count(c->v, p, enough, c->links);
	case DB_PAT_REGEX:
		return count_once(c, p, at);
	case DB_PAT_COMPARE:
		return compare_holds(c->v, c->s, p, c->links);
	case DB_PAT_IMAGE:
		return is_image(c, p);
	default:
		return 0;
	}
}

/* Counts the matches of one sub-signature, up to `enough`. */
static struct value id(struct eval *c, const struct db_cond *n, uint64_t enough)
{
	struct value r = {0};
	for (uint32_t k = 0; k < n->b && r.sum < enough; k++)
		r.sum += count(c, n->a + k, enough);
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

static bool has_layer(const struct view *v, const struct db_cond *n)
{
	const struct object_facts *f = v->facts;
	if (n->b > f->nlayers)
		return false;
	return n->a == DB_LAYER_ANY || f->layers[n->b - 1] == n->a;
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
		return within(c->v->facts->file_size, n, true);
	case DB_COND_EP:
		return within(valid ? exe->ep : 0, n, valid && exe->has_ep);
	case DB_COND_SECTIONS:
		return within(valid ? exe->nsections : 0, n, valid);
	case DB_COND_LAYER:
		return (struct value){.truth = has_layer(c->v, n)};
	case DB_COND_ROOT:
		return (struct value){.truth = c->v->facts->nlayers == 0};
	default:
		return compare(c, n, counts);
	}
}

bool cond_gates_open(const struct view *v, const struct db_sig *s)
{
	const struct db_cond *n = v->db->cond + s->cond + s->ncond - 1;
	for (uint32_t left = n->a; left > 1; left--) {
		n--;
		if (n->op == DB_COND_FILESIZE && !within(v->facts->file_size, n, true).truth)
			return false;
		if (n->op == DB_COND_LAYER && !has_layer(v, n))
			return false;
		if (n->op == DB_COND_ROOT && v->facts->nlayers > 0)
			return false;
		if (n->op != DB_COND_FILESIZE && n->op != DB_COND_LAYER && n->op != DB_COND_ROOT)
			return true;
	}
	return true;
}

static bool true_if(struct view *v, const struct db_sig *s, struct link *links, bool supposed)
{
	struct memo memo;
	memset(memo.known, 0, sizeof memo.known);
	struct eval c = {.v = v, .s = s, .cond = v->db->cond + s->cond, .links = links,
	                 .memo = &memo, .supposed = supposed, .at = s->ncond};
	return eval(&c, false).truth;
}

bool cond_true(struct view *v, const struct db_sig *s, struct link *links)
{
	if (s->flags & DB_SIG_SIMPLE)
		return pattern_count(v, &v->db->pattern[s->pattern], 1, links) > 0;
	if (!true_if(v, s, links, false))
		return false;
	return !v->facts->image_unknown || true_if(v, s, links, true);
}
