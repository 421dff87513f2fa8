/* Orders conditions by cost. ANDs of ANDs and ORs of ORs become one, and what an AND asks is
 * sorted so that what is cheapest to refute comes last: programs are evaluated from their end,
 * and an AND that is false ends there. The value of a condition does not change: sums add up and
 * sets unite in any order.
 *
 * Programs come from sig/expr.c or are as well-formed: every operator has its operands. */
#include "sig/emit.h"

#include "base/num.h"

#include <stdlib.h>

/* A value: nodes [first, end) of the program; its own node is the last of them. */
struct term {
	uint32_t first, end;
	uint64_t cost; /* the larger, the earlier in the program, the later looked at */
	uint32_t index; /* keeps equal ones in their order */
};

struct order {
	struct ir_cond *in, *out;
	const uint64_t *cost; /* of each sub-signature */
	uint32_t *start; /* of the value that ends with each node */
	struct term *terms;
	uint32_t nout;
};

static bool joins(const struct ir_cond *c)
{
	return c->op == IR_COND_AND || c->op == IR_COND_OR;
}

static bool compares(const struct ir_cond *c)
{
	return c->op >= IR_COND_CMP_EQ && c->op <= IR_COND_CMP_LT;
}

/* Where the value that ends with node i starts. */
static void find_starts(struct order *o, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t operands = joins(&o->in[i]) ? o->in[i].a : compares(&o->in[i]) ? 1 : 0;
		uint32_t at = i;
		for (uint32_t k = 0; k < operands; k++)
			at = o->start[at - 1];
		o->start[i] = at;
	}
}

/* Questions about the object cost nothing; a sub-signature what its bytes are worth; anything
 * with an operator more than either. */
static uint64_t term_cost(const struct order *o, const struct term *t)
{
	const struct ir_cond *c = &o->in[t->end - 1];
	if (c->op == IR_COND_ID)
		return 2 + o->cost[c->a];
	if (joins(c) || compares(c))
		return UINT64_MAX;
	return c->op == IR_COND_EP || c->op == IR_COND_SECTIONS; /* gates come last: db_sig_flags */
}

static int by_cost(const void *a, const void *b)
{
	const struct term *x = a, *y = b;
	if (x->cost != y->cost)
		return x->cost > y->cost ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The operands of the node at `at`, and theirs if they have the same operator; from the last
 * one. */
static uint32_t collect(struct order *o, uint32_t at, struct term *ret, uint32_t n)
{
	uint32_t end = at;
	for (uint32_t k = 0; k < o->in[at].a; k++) {
		uint32_t last = end - 1;
		if (o->in[last].op == o->in[at].op)
			n = collect(o, last, ret, n);
		else
			ret[n++] = (struct term){.first = o->start[last], .end = end};
		end = o->start[last];
	}
	return n;
}

static void put(struct order *o, uint32_t at, struct term *scratch);

static void put_join(struct order *o, uint32_t at, struct term *scratch)
{
	uint32_t n = collect(o, at, scratch, 0);
	for (uint32_t i = 0; i < n; i++) {
		scratch[i].index = n - i;
		scratch[i].cost = o->in[at].op == IR_COND_AND ? term_cost(o, &scratch[i]) : 0;
	}
	qsort(scratch, n, sizeof *scratch, by_cost);
	for (uint32_t i = 0; i < n; i++)
		put(o, scratch[i].end - 1, scratch + n);
	o->out[o->nout++] = (struct ir_cond){.op = o->in[at].op, .a = n};
}

/* Depth of recursion: alternations of operators, which the expression's own limit bounds. */
static void put(struct order *o, uint32_t at, struct term *scratch)
{
	const struct ir_cond *c = &o->in[at];
	if (joins(c)) {
		put_join(o, at, scratch);
		return;
	}
	if (compares(c))
		put(o, at - 1, scratch);
	o->out[o->nout++] = *c;
}

st_t order_conditions(struct arena *tmp, struct ir_cond *conds, uint32_t *n, const uint64_t *cost,
                      struct err *e)
{
	struct order o = {.in = conds, .cost = cost};
	if (*n < 2)
		return ST_OK;
	o.out = arena_alloc(tmp, *n * sizeof *o.out);
	o.start = arena_alloc(tmp, *n * sizeof *o.start);
	o.terms = arena_alloc(tmp, 2 * (size_t)*n * sizeof *o.terms);
	if (!o.out || !o.start || !o.terms)
		return fail(e, ST_NOMEM, 0, "compiler: out of memory");
	find_starts(&o, *n);
	put(&o, *n - 1, o.terms);
	memcpy(conds, o.out, o.nout * sizeof *conds);
	*n = o.nout;
	return ST_OK;
}
