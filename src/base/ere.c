#include "base/ere.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Brackets inside brackets: the parser recurses. */
#define DEPTH_MAX 64

/* RE_DUP_MAX of POSIX. */
#define REPEAT_MAX 255

enum op_kind { OP_SET, OP_SPLIT, OP_BEGIN, OP_END, OP_WORD_BEGIN, OP_WORD_END, OP_MATCH };

/* x, y: where to go on, relative to the op. Other ops go on at the next one. */
struct op {
	uint8_t kind;
	int32_t x, y;
	uint64_t set[4]; /* bit b of word b / 64 */
};

struct ere {
	struct op *ops;
	size_t n, cap;
	/* For ere_search(): states of this byte and of the next, what was reached in this step. */
	uint32_t *list[2], *stack, *reached;
	uint32_t step;
};

struct parser {
	struct ere *x;
	const char *p, *end;
	bool either_case;
	bool dropped; /* the last atom is repeated no times */
	unsigned depth;
	struct err *e;
};

/* -- reading -------------------------------------------------------------------------------- */

static st_t bad(struct parser *a, const char *why)
{
	return fail(a->e, ST_MALFORMED, 0, "regular expression: %s", why);
}

static bool see(const struct parser *a, char c)
{
	return a->p < a->end && *a->p == c;
}

static bool see_two(const struct parser *a, char c, char d)
{
	return a->end - a->p >= 2 && a->p[0] == c && a->p[1] == d;
}

static bool eat(struct parser *a, char c)
{
	bool is = see(a, c);
	a->p += is;
	return is;
}

static bool digit_at(const struct parser *a, ptrdiff_t i)
{
	return a->end - a->p > i && a->p[i] >= '0' && a->p[i] <= '9';
}

static st_t reserve(struct parser *a, size_t more)
{
	struct ere *x = a->x;
	if (x->n + more > ERE_OPS_MAX)
		return fail(a->e, ST_UNSUPPORTED, 0, "regular expression: more than %d states",
		            ERE_OPS_MAX);
	if (x->n + more <= x->cap)
		return ST_OK;
	size_t cap = 2 * (x->n + more);
	struct op *ops = reallocarray(x->ops, cap, sizeof *ops);
	if (!ops)
		return fail(a->e, ST_NOMEM, 0, "regular expression: out of memory");
	x->ops = ops;
	x->cap = cap;
	return ST_OK;
}

static st_t add(struct parser *a, struct op op)
{
	TRY(reserve(a, 1));
	a->x->ops[a->x->n++] = op;
	return ST_OK;
}

/* Puts an op in front of the ops from `at`: what they say is relative and stays true. */
static st_t insert(struct parser *a, size_t at, struct op op)
{
	struct ere *x = a->x;
	TRY(reserve(a, 1));
	memmove(&x->ops[at + 1], &x->ops[at], (x->n - at) * sizeof *x->ops);
	x->ops[at] = op;
	x->n++;
	return ST_OK;
}

static void set_add(const struct parser *a, struct op *op, uint8_t c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	op->set[c / 64] |= UINT64_C(1) << (c % 64);
	if (letter && a->either_case)
		op->set[(c ^ 0x20) / 64] |= UINT64_C(1) << ((c ^ 0x20) % 64);
}

static st_t add_char(struct parser *a, uint8_t c)
{
	struct op op = {.kind = OP_SET};
	set_add(a, &op, c);
	return add(a, op);
}

/* -- brackets ------------------------------------------------------------------------------- */

/* A character, or "[.c.]". */
static st_t bracket_char(struct parser *a, uint8_t *ret)
{
	if (a->p == a->end)
		return bad(a, "[ without ]");
	if (!see_two(a, '[', '.')) {
		*ret = (uint8_t)*a->p++;
		return ST_OK;
	}
	a->p += 2;
	if (a->end - a->p < 3 || a->p[1] != '.' || a->p[2] != ']')
		return bad(a, "unknown collating element");
	*ret = (uint8_t)*a->p;
	a->p += 3;
	return ST_OK;
}

/* "[=c=]" stands for c alone. */
static st_t bracket_class(struct parser *a, struct op *op)
{
	a->p += 2;
	if (a->end - a->p < 3 || a->p[1] != '=' || a->p[2] != ']')
		return bad(a, "unknown equivalence class");
	set_add(a, op, (uint8_t)*a->p);
	a->p += 3;
	return ST_OK;
}

static st_t bracket_term(struct parser *a, struct op *op)
{
	uint8_t from, to;
	if (see(a, '-'))
		return bad(a, "misplaced - between brackets");
	if (see_two(a, '[', ':'))
		return bad(a, "unknown character class");
	if (see_two(a, '[', '='))
		return bracket_class(a, op);
	TRY(bracket_char(a, &from));
	to = from;
	if (see(a, '-') && !see_two(a, '-', ']')) {
		a->p++;
		TRY(bracket_char(a, &to));
	}
	if (from > to)
		return bad(a, "range that goes down");
	for (unsigned c = from; c <= to; c++)
		set_add(a, op, (uint8_t)c);
	return ST_OK;
}

static st_t bracket(struct parser *a)
{
	struct op op = {.kind = OP_SET};
	bool negated = eat(a, '^');
	if (eat(a, ']'))
		set_add(a, &op, ']');
	else if (eat(a, '-'))
		set_add(a, &op, '-');
	while (a->p < a->end && *a->p != ']' && !see_two(a, '-', ']'))
		TRY(bracket_term(a, &op));
	if (eat(a, '-'))
		set_add(a, &op, '-');
	if (!eat(a, ']'))
		return bad(a, "[ without ]");
	for (unsigned i = 0; negated && i < 4; i++)
		op.set[i] = ~op.set[i];
	return add(a, op);
}

/* -- repetition ----------------------------------------------------------------------------- */

static bool see_repeat(const struct parser *a)
{
	return see(a, '*') || see(a, '+') || see(a, '?') || (see(a, '{') && digit_at(a, 1));
}

static st_t read_count(struct parser *a, unsigned *ret)
{
	unsigned v = 0;
	while (digit_at(a, 0) && v <= REPEAT_MAX)
		v = v * 10 + (unsigned)(*a->p++ - '0');
	*ret = v;
	return v <= REPEAT_MAX ? ST_OK : bad(a, "repetition count above 255");
}

/* "{n}", "{n,}", "{n,m}"; *ret_max is 0 for no end. */
static st_t read_bounds(struct parser *a, unsigned *ret_min, unsigned *ret_max, bool *ret_open)
{
	a->p++;
	TRY(read_count(a, ret_min));
	*ret_max = *ret_min;
	*ret_open = false;
	if (eat(a, ',')) {
		*ret_open = !digit_at(a, 0);
		if (!*ret_open)
			TRY(read_count(a, ret_max));
	}
	if (!eat(a, '}'))
		return bad(a, "{ without }");
	return *ret_open || *ret_max >= *ret_min ? ST_OK : bad(a, "repetition that goes down");
}

/* Makes the ops from `at` optional; `loop`: and repeatable. */
static st_t make_optional(struct parser *a, size_t at, bool loop)
{
	int32_t n = (int32_t)(a->x->n - at);
	TRY(insert(a, at, (struct op){.kind = OP_SPLIT, .x = 1, .y = n + 1 + loop}));
	return loop ? add(a, (struct op){.kind = OP_SPLIT, .x = -n - 1, .y = -n - 1}) : ST_OK;
}

/* The atom from `at` min times, then up to max or, if open, any number of times. */
static st_t repeat(struct parser *a, size_t at, unsigned min, unsigned max, bool open)
{
	struct ere *x = a->x;
	size_t n = x->n - at;
	unsigned copies = open ? min + 1 : max;
	a->dropped = copies == 0;
	if (a->dropped)
		x->n = at;
	if (copies == 0 || n == 0)
		return ST_OK; /* "()" any number of times is the same */
	if (copies > 1)
		TRY(reserve(a, n * (copies - 1)));
	for (unsigned i = 1; i < copies; i++)
		memcpy(&x->ops[at + i * n], &x->ops[at], n * sizeof *x->ops);
	x->n = at + n * copies;
	/* From the last one, so that those in front stay where they are. */
	for (unsigned i = copies; i > min; i--)
		TRY(make_optional(a, at + (i - 1) * n, open));
	return ST_OK;
}

static st_t quantifier(struct parser *a, size_t at)
{
	unsigned min, max;
	bool open;
	if (!see_repeat(a))
		return ST_OK;
	if (see(a, '{')) {
		TRY(read_bounds(a, &min, &max, &open));
	} else {
		char c = *a->p++;
		min = c == '+';
		max = 1;
		open = c != '?';
	}
	return see_repeat(a) ? bad(a, "two repetitions in a row") : repeat(a, at, min, max, open);
}

/* -- expressions ---------------------------------------------------------------------------- */

static st_t alternatives(struct parser *a);

static st_t group(struct parser *a)
{
	if (++a->depth > DEPTH_MAX)
		return fail(a->e, ST_UNSUPPORTED, 0, "regular expression: nested too deeply");
	if (!see(a, ')'))
		TRY(alternatives(a));
	a->depth--;
	return eat(a, ')') ? ST_OK : bad(a, "( without )");
}

static st_t escaped(struct parser *a, uint8_t c)
{
	if (c == '<' || c == '>')
		return add(a, (struct op){.kind = c == '<' ? OP_WORD_BEGIN : OP_WORD_END});
	return add_char(a, c);
}

static st_t atom(struct parser *a)
{
	uint8_t c = (uint8_t)*a->p++;
	switch (c) {
	case '(':
		return group(a);
	case '[':
		return bracket(a);
	case '^':
		return see_repeat(a) ? bad(a, "nothing to repeat") : add(a, (struct op){.kind = OP_BEGIN});
	case '$':
		return add(a, (struct op){.kind = OP_END});
	case '.':
		return add(a, (struct op){.kind = OP_SET,
		                          .set = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}});
	case '\\':
		if (a->p == a->end)
			return bad(a, "\\ at the end");
		return escaped(a, (uint8_t)*a->p++);
	default:
		return add_char(a, c);
	}
}

/* What is repeated no times is as if it were not there; "()" is. */
static st_t branch(struct parser *a)
{
	bool empty = true;
	while (a->p < a->end && !see(a, '|') && !(a->depth > 0 && see(a, ')'))) {
		size_t at = a->x->n;
		if (see_repeat(a))
			return bad(a, "nothing to repeat");
		TRY(atom(a));
		a->dropped = false;
		TRY(quantifier(a, at));
		empty &= a->dropped;
	}
	return empty ? bad(a, "an empty alternative") : ST_OK;
}

/* Branches but the last end with a jump behind all of them, which is known only then: x is 0 until
 * it is. */
static st_t alternatives(struct parser *a)
{
	size_t first = a->x->n, at = first;
	TRY(branch(a));
	while (eat(a, '|')) {
		int32_t n = (int32_t)(a->x->n - at);
		TRY(insert(a, at, (struct op){.kind = OP_SPLIT, .x = 1, .y = n + 2}));
		TRY(add(a, (struct op){.kind = OP_SPLIT}));
		at = a->x->n;
		TRY(branch(a));
	}
	for (size_t i = first; i < a->x->n; i++) {
		struct op *op = &a->x->ops[i];
		if (op->kind == OP_SPLIT && op->x == 0)
			op->x = op->y = (int32_t)(a->x->n - i);
	}
	return ST_OK;
}

static st_t parse(struct parser *a)
{
	if (a->end - a->p >= 4 && !memcmp(a->p, "(?i)", 4)) {
		a->either_case = true;
		a->p += 4;
	}
	TRY(alternatives(a));
	return add(a, (struct op){.kind = OP_MATCH});
}

static st_t get_lists(struct ere *x, struct err *e)
{
	/* Each op goes on to two others at most, and is gone on from once in a step. */
	x->list[0] = calloc(x->n, 4 * sizeof *x->list[0]);
	x->stack = calloc(2 * x->n + 1, sizeof *x->stack);
	if (!x->list[0] || !x->stack)
		return fail(e, ST_NOMEM, 0, "regular expression: out of memory");
	x->list[1] = x->list[0] + x->n;
	x->reached = x->list[1] + x->n;
	return ST_OK;
}

st_t ere_new(const char *text, size_t len, struct ere **ret, struct err *e)
{
	struct ere *x = calloc(1, sizeof *x);
	if (!x)
		return fail(e, ST_NOMEM, 0, "regular expression: out of memory");
	struct parser a = {.x = x, .p = text, .end = text + len, .e = e};
	st_t st = parse(&a);
	if (st == ST_OK)
		st = get_lists(x, e);
	if (st != ST_OK) {
		ere_free(x);
		return st;
	}
	*ret = x;
	return ST_OK;
}

void ere_free(struct ere *x)
{
	if (!x)
		return;
	free(x->ops);
	free(x->list[0]);
	free(x->stack);
	free(x);
}

/* -- running -------------------------------------------------------------------------------- */

struct run {
	struct ere *x;
	uint32_t *states;
	size_t n;
	bool at_begin, at_end;
	bool word_before, word_behind; /* a letter, digit or '_' stands there */
};

static bool holds(const struct run *r, uint8_t kind)
{
	switch (kind) {
	case OP_BEGIN:
		return r->at_begin;
	case OP_END:
		return r->at_end;
	case OP_WORD_BEGIN:
		return !r->word_before && r->word_behind;
	case OP_WORD_END:
		return r->word_before && !r->word_behind;
	default:
		return false;
	}
}

/* Adds what can be reached from `from` without a byte; true if that is the end of a match. */
static bool reach(struct run *r, uint32_t from)
{
	struct ere *x = r->x;
	size_t depth = 0;
	x->stack[depth++] = from;
	while (depth > 0) {
		uint32_t i = x->stack[--depth];
		const struct op *op = &x->ops[i];
		if (x->reached[i] == x->step)
			continue;
		x->reached[i] = x->step;
		if (op->kind == OP_MATCH)
			return true;
		if (op->kind == OP_SET)
			r->states[r->n++] = i;
		if (op->kind == OP_SPLIT) {
			x->stack[depth++] = (uint32_t)((int32_t)i + op->y);
			x->stack[depth++] = (uint32_t)((int32_t)i + op->x);
		}
		if (holds(r, op->kind))
			x->stack[depth++] = i + 1;
	}
	return false;
}

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool ere_search(struct ere *x, const char *text, size_t len)
{
	size_t nbefore = 0;
	memset(x->reached, 0, x->n * sizeof *x->reached);
	for (size_t i = 0; i <= len; i++) {
		const uint32_t *before = x->list[i % 2];
		struct run r = {.x = x, .states = x->list[1 - i % 2], .at_begin = i == 0,
		                .at_end = i == len,
		                .word_before = i > 0 && is_word((uint8_t)text[i - 1]),
		                .word_behind = i < len && is_word((uint8_t)text[i])};
		x->step = (uint32_t)i + 1;
		uint8_t c = i > 0 ? (uint8_t)text[i - 1] : 0;
		for (size_t k = 0; k < nbefore; k++) {
			const struct op *op = &x->ops[before[k]];
			if ((op->set[c / 64] >> (c % 64) & 1) && reach(&r, before[k] + 1))
				return true;
		}
		if (reach(&r, 0))
			return true;
		nbefore = r.n;
	}
	return false;
}
