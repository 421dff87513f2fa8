/* Anchors: what must be in an object for a signature to match, chosen so that it is seldom there.
 *
 * Invariants (a broken one loses matches; test/unit/test_engine.c tries to catch that)
 * 1. A run of n known bytes has, for every alignment r of its class's stride, a gram that starts
 *    at a place = r (mod stride) and lies inside the run; so one of them is probed wherever the
 *    run is.
 * 2. The set chosen for a condition contains a pattern that matches whenever the condition
 *    holds. */
#include "sig/emit.h"

#include "base/num.h"
#include "db/gram.h"

/* What an anchor in a class costs besides the hits of its grams, in the unit of anchor.cost: its
 * share of the offsets that pass the bloom filter for no reason. */
static const uint64_t class_cost[DB_CLASSES] = {
    [DB_CLASS_8_8] = 1 << 14,    [DB_CLASS_8_4] = 1 << 15,      [DB_CLASS_4_4] = 1 << 16,
    [DB_CLASS_4_2] = 1 << 16,    [DB_CLASS_4_1] = 1 << 17,      [DB_CLASS_2_1] = UINT64_C(1) << 44,
};

static uint64_t gram_freq(enum db_class_id id, const uint8_t *p)
{
	unsigned len = gram_class(id).len;
	if (id == DB_CLASS_4_1)
		return freq_pair(p);
	return len == 8 ? freq_gram8(p) : len == 4 ? freq_gram4(p) : UINT64_C(1) << 20;
}

/* The rarest gram of alignment r (relative to the part's start) in value[from..to). */
static uint64_t rarest(enum db_class_id id, const uint8_t *value, uint32_t from, uint32_t to,
                       uint32_t r, uint32_t *ret_at)
{
	struct gram_class g = gram_class(id);
	uint64_t best = UINT64_MAX;
	uint32_t first = from + (r + g.stride - from % g.stride) % g.stride;
	for (uint32_t i = first; i + g.len <= to; i += g.stride) {
		uint64_t f = gram_freq(id, value + i);
		if (f < best) {
			best = f;
			*ret_at = i;
		}
	}
	return best;
}

/* Four more bytes of the run, rare ones and as far as possible not those of the gram at `at`. */
static void add_context(enum db_class_id id, const uint8_t *value, uint32_t from, uint32_t to,
                        uint32_t at, struct db_slot *slot)
{
	int64_t len = gram_class(id).len;
	uint64_t best = UINT64_MAX;
	slot->context_off = DB_NO_CONTEXT;
	for (uint32_t i = from; i + 4 <= to; i++) {
		int64_t off = (int64_t)i - at;
		int64_t first = off > 0 ? off : 0, behind = off + 4 < len ? off + 4 : len;
		uint64_t shared = behind > first ? (uint64_t)(behind - first) : 0;
		uint64_t cost = freq_gram4(value + i) + (shared << 32);
		if (cost >= best || off < INT16_MIN + 1 || off > INT16_MAX)
			continue;
		best = cost;
		slot->context = gram4(value + i).check;
		slot->context_off = (int16_t)off;
	}
}

static void try_run(enum db_class_id id, const uint8_t *value, uint32_t from, uint32_t to,
                    uint32_t part, struct anchor *best)
{
	struct gram_class g = gram_class(id);
	struct anchor a = {.kind = ANCHOR_GRAMS, .cls = (uint8_t)id, .ngrams = g.stride,
	                   .cost = class_cost[id] + 2}; /* dearer than a place */
	for (uint32_t r = 0; r < g.stride; r++) {
		uint32_t at = 0;
		uint64_t f = rarest(id, value, from, to, r, &at);
		a.cost += f * (256 / g.stride);
		struct gram gram = gram_of(id, value + at);
		a.gram[r].y = gram.y;
		a.gram[r].slot = (struct db_slot){.check = gram.check, .part = part, .delta = (uint16_t)at};
	}
	if (a.cost >= best->cost)
		return;
	*best = a;
	for (uint32_t r = 0; r < g.stride; r++)
		add_context(id, value, from, to, best->gram[r].slot.delta, &best->gram[r].slot);
}

void anchor_of_part(const uint8_t *value, const uint8_t *mask, uint32_t n, uint32_t part,
                    uint32_t classes, struct anchor *best)
{
	for (uint32_t i = 0, k; i < n; i += k + 1) {
		for (k = 0; i + k < n && known(mask[i + k]); k++)
			;
		bool fits = false;
		for (enum db_class_id id = 0; id < DB_CLASSES; id++) {
			if (!(classes >> id & 1) || k < gram_class(id).need)
				continue;
			/* Where a stride of 2 will do, nothing is added to the pass over every offset. */
			if (fits && gram_class(id).stride == 1 && (classes >> DB_CLASS_4_2 & 1))
				break;
			try_run(id, value, i, i + k, part, best);
			fits = true;
		}
	}
}

/* -- necessary sets ------------------------------------------------------------------------- */

/* A set that must be hit for something to hold, and what it costs to look for it. */
struct need {
	uint64_t cost; /* ANCHOR_COST_NONE: no such set */
	struct pattern_set set;
};

/* For one value of the condition: `truth` when it is true, `sum` when its sum is not zero. */
struct node {
	struct need truth, sum;
};

static const struct need nothing = {.cost = ANCHOR_COST_NONE};

static struct need either(struct need a, struct need b)
{
	if (a.cost == ANCHOR_COST_NONE || b.cost == ANCHOR_COST_NONE)
		return nothing;
	for (unsigned i = 0; i < ARRAY_LEN(a.set.bit); i++)
		a.set.bit[i] |= b.set.bit[i];
	a.cost = a.cost > UINT64_MAX / 4 || b.cost > UINT64_MAX / 4 ? UINT64_MAX / 2 : a.cost + b.cost;
	return a;
}

static struct need cheaper(struct need a, struct need b)
{
	return b.cost < a.cost ? b : a;
}

static struct node leaf(const struct anchor *anchors, uint8_t first, uint8_t count)
{
	struct need n = {.cost = 0};
	for (uint8_t i = first; i < first + count; i++) {
		struct need one = {.cost = anchors[i].cost};
		one.set.bit[i / 64] |= UINT64_C(1) << (i % 64);
		n = either(n, one);
	}
	return (struct node){n, n};
}

/* A conjunction has a sum only when it is true. */
static struct node conjunction(const struct node *in, uint32_t n)
{
	struct need best = nothing;
	for (uint32_t i = 0; i < n; i++)
		best = cheaper(best, in[i].truth);
	return (struct node){best, best};
}

static struct node disjunction(const struct node *in, uint32_t n)
{
	struct node r = in[0];
	for (uint32_t i = 1; i < n; i++) {
		r.truth = either(r.truth, in[i].truth);
		r.sum = either(r.sum, in[i].sum);
	}
	return r;
}

/* Comparisons that hold without any match need none. */
static struct node comparison(struct node in, const struct ir_cond *c)
{
	bool zero_holds = c->op == IR_COND_CMP_EQ ? c->a == 0 : c->op == IR_COND_CMP_LT;
	return (struct node){zero_holds ? nothing : in.sum, in.sum};
}

/* Conditions on the object's shape: true without any match, and without a sum. */
static const struct node shape = {.truth = {.cost = ANCHOR_COST_NONE}, .sum = {.cost = 0}};

/* Of one condition program over sub-signatures whose nodes are known. */
static struct node program(const struct ir_cond *conds, uint32_t nconds, const struct node *subs)
{
	struct node stack[DB_COND_STACK];
	uint32_t n = 0;
	for (uint32_t i = 0; i < nconds; i++) {
		const struct ir_cond *c = &conds[i];
		switch (c->op) {
		case IR_COND_ID:
			stack[n++] = subs[c->a];
			break;
		case IR_COND_AND:
			n -= c->a;
			stack[n] = conjunction(stack + n, c->a);
			n++;
			break;
		case IR_COND_OR:
			n -= c->a;
			stack[n] = disjunction(stack + n, c->a);
			n++;
			break;
		case IR_COND_CMP_EQ:
		case IR_COND_CMP_GT:
		case IR_COND_CMP_LT:
			stack[n - 1] = comparison(stack[n - 1], c);
			break;
		default:
			stack[n++] = shape;
		}
	}
	return stack[0];
}

static const struct node never = {.truth = {.cost = 0}, .sum = {.cost = 0}};
static const struct node unknown = {.truth = {.cost = ANCHOR_COST_NONE},
                                    .sum = {.cost = ANCHOR_COST_NONE}};

/* Sub-signatures that are no body content hang on others that are: a regular expression on those
 * its trigger names, which stand in front of it. */
static struct node subsig_node(const struct ir_sig *s, const struct node *subs, uint32_t i)
{
	const struct ir_subsig *sub = &s->subsigs[i];
	if (sub->kind == IR_SUBSIG_REGEX) {
		struct need trigger = program(sub->regex->trigger, sub->regex->ntrigger, subs).truth;
		return (struct node){trigger, trigger};
	}
	if (sub->kind == IR_SUBSIG_COMPARE) {
		uint32_t of = sub->compare->subsig;
		bool body = of < s->nsubsigs && s->subsigs[of].kind == IR_SUBSIG_BODY;
		return body ? subs[of] : never;
	}
	return sub->kind == IR_SUBSIG_IMAGE ? unknown : never;
}

bool anchor_choose(const struct ir_sig *s, const struct anchor *anchors, const uint8_t *first,
                   const uint8_t *count, struct pattern_set *ret_set)
{
	struct node subs[IR_SUBSIGS_MAX];
	for (uint32_t i = 0; i < s->nsubsigs; i++)
		if (s->subsigs[i].kind == IR_SUBSIG_BODY)
			subs[i] = leaf(anchors, first[i], count[i]);
	for (uint32_t i = 0; i < s->nsubsigs; i++)
		if (s->subsigs[i].kind != IR_SUBSIG_BODY)
			subs[i] = subsig_node(s, subs, i);
	struct need need = program(s->conds, s->nconds, subs).truth;
	*ret_set = need.set;
	return need.cost != ANCHOR_COST_NONE;
}
