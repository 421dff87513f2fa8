/* Logical expressions -> reverse Polish condition programs.
 *
 *   expr  := term { ('&' | '|') term }
 *   term  := id [cmp]  |  '(' expr ')' [cmp]      cmp only behind a block with an own operator
 *   cmp   := ('=' | '>' | '<') X [',' Y]
 *
 * Operators have equal precedence and group from the right: 0|1&2 is 0|(1&2). In a block, though,
 * the last operator comes last: (0|1&2) is (0|1)&2, and (0|1&2&3) is (0|(1&2))&3. So does ClamAV.
 *
 * As in ClamAV, blanks and other characters around an id are not looked at, the last comparison of
 * an id counts, and its Y is ignored; around blocks nothing may stand.
 *
 * Iterative, with a stack of open blocks, because a hostile line can nest 16,000 of them. Programs
 * are linked lists while they are built, so that joining two is a constant number of steps; the
 * side that needs the deeper stack goes first, which keeps the stack within log2 of the terms. */
#include "sig/text.h"

#define NONE UINT32_MAX

struct node {
	struct ir_cond cond;
	uint32_t next;
};

/* A program being built. */
struct prog {
	uint32_t head, tail;
	uint32_t len;
	uint32_t depth; /* of the stack it needs */
};

struct block {
	uint32_t first_value, first_op; /* sizes of the stacks when it was opened */
};

struct expr {
	struct sig_reader *r;
	struct str text;
	size_t pos;
	struct node *nodes;
	uint32_t nnodes;
	struct prog *values;
	uint32_t nvalues;
	uint8_t *ops; /* IR_COND_AND or IR_COND_OR */
	uint32_t nops;
	struct block *blocks;
	uint32_t nblocks;
	uint64_t nids;
};

static char peek(const struct expr *x)
{
	return x->pos < x->text.n ? x->text.p[x->pos] : '\0';
}

static void append(struct expr *x, struct prog *p, struct ir_cond cond)
{
	uint32_t at = x->nnodes++;
	x->nodes[at] = (struct node){cond, NONE};
	if (p->len)
		x->nodes[p->tail].next = at;
	else
		p->head = at;
	p->tail = at;
	p->len++;
}

/* `a` op `b`, both on the stack of values, to one. */
static void fold_two(struct expr *x)
{
	struct prog b = x->values[--x->nvalues], a = x->values[--x->nvalues];
	bool swap = b.depth > a.depth;
	struct prog first = swap ? b : a, second = swap ? a : b;
	x->nodes[first.tail].next = second.head;
	first.tail = second.tail;
	first.len += second.len;
	if (first.depth < second.depth + 1)
		first.depth = second.depth + 1;
	append(x, &first, (struct ir_cond){.op = x->ops[--x->nops], .a = 2});
	x->values[x->nvalues++] = first;
}

/* Folds the operators since `from` from the right. */
static void fold_right(struct expr *x, struct block from)
{
	while (x->nops > from.first_op)
		fold_two(x);
}

/* Folds the operators of the innermost block, which has one: the last one last. */
static void fold_block(struct expr *x, struct block from)
{
	struct prog last = x->values[--x->nvalues];
	uint8_t op = x->ops[--x->nops];
	fold_right(x, from);
	x->values[x->nvalues++] = last;
	x->ops[x->nops++] = op;
	fold_two(x);
}

static bool is_cmp(char c)
{
	return c == '=' || c == '>' || c == '<';
}

static uint8_t cmp_op(char c)
{
	return c == '=' ? IR_COND_CMP_EQ : c == '>' ? IR_COND_CMP_GT : IR_COND_CMP_LT;
}

/* Number at the front of s as strtoul() takes it; false if there is none. *ret_n: its length. */
static bool number(struct str s, uint32_t *ret, size_t *ret_n)
{
	size_t i = 0;
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
	size_t first = i;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	*ret = str_atoi((struct str){s.p, i});
	*ret_n = i;
	return i > first;
}

/* An id and what follows it up to the next operator or end of block. */
static st_t read_id(struct expr *x)
{
	struct str rest = str_from(x->text, x->pos);
	size_t end = 0, last_cmp = 0, n;
	for (; end < rest.n && !strchr("&|()", rest.p[end]); end++) {
		if (is_cmp(rest.p[end]))
			last_cmp = end;
	}
	struct str term = {rest.p, end};
	uint32_t id, count;
	if (!number(term, &id, &n))
		return sig_bad(x->r, "expression: an id is missing at '%.*s'", SIG_SHOW(rest));
	if (end < rest.n && rest.p[end] == '(')
		return sig_bad(x->r, "expression: an operator is missing at '%.*s'", SIG_SHOW(rest));
	struct prog p = {.depth = 1};
	append(x, &p, (struct ir_cond){.op = IR_COND_ID, .a = id});
	if (last_cmp) {
		if (!number(str_from(term, last_cmp + 1), &count, &n))
			return sig_bad(x->r, "expression: a number is missing behind '%c'", term.p[last_cmp]);
		append(x, &p, (struct ir_cond){.op = cmp_op(term.p[last_cmp]), .a = count});
	}
	if (x->nids <= id)
		x->nids = (uint64_t)id + 1;
	x->values[x->nvalues++] = p;
	x->pos += end;
	return ST_OK;
}

static void open_block(struct expr *x)
{
	x->blocks[x->nblocks++] = (struct block){x->nvalues, x->nops};
	x->pos++;
}

/* "=X,Y" behind a block. */
static st_t read_block_cmp(struct expr *x)
{
	struct str rest = str_from(x->text, x->pos + 1);
	uint32_t count, distinct = 0;
	size_t n;
	if (!number(rest, &count, &n))
		return sig_bad(x->r, "expression: a number is missing behind '%c'", peek(x));
	if (n < rest.n && rest.p[n] == ',')
		distinct = str_atoi(str_from(rest, n + 1));
	while (n < rest.n && (rest.p[n] == ',' || (rest.p[n] >= '0' && rest.p[n] <= '9')))
		n++;
	append(x, &x->values[x->nvalues - 1],
	       (struct ir_cond){.op = cmp_op(peek(x)), .a = count, .b = distinct});
	x->pos += n + 1;
	return ST_OK;
}

/* ")" and the comparison behind it. */
static st_t close_block(struct expr *x)
{
	if (x->nblocks == 0)
		return sig_bad(x->r, "expression: ')' without '('");
	struct block from = x->blocks[--x->nblocks];
	bool has_op = x->nops > from.first_op;
	if (has_op)
		fold_block(x, from);
	x->pos++;
	if (has_op && is_cmp(peek(x)))
		return read_block_cmp(x);
	return ST_OK;
}

static st_t read_term(struct expr *x)
{
	while (peek(x) == '(')
		open_block(x);
	TRY(read_id(x));
	while (peek(x) == ')')
		TRY(close_block(x));
	return ST_OK;
}

static st_t read_all(struct expr *x)
{
	for (;;) {
		TRY(read_term(x));
		char c = peek(x);
		if (x->pos == x->text.n)
			break;
		if (c != '&' && c != '|')
			return sig_bad(x->r, "expression: unexpected '%.*s'",
			               SIG_SHOW(str_from(x->text, x->pos)));
		x->ops[x->nops++] = c == '&' ? IR_COND_AND : IR_COND_OR;
		x->pos++;
	}
	if (x->nblocks)
		return sig_bad(x->r, "expression: missing ')'");
	fold_right(x, (struct block){0});
	return ST_OK;
}

/* Room for the stacks: each character makes at most one node, value, operator or block. */
static st_t make_stacks(struct expr *x)
{
	size_t max = x->text.n + 1;
	uint8_t *p = sig_scratch(x->r, max * (sizeof *x->nodes + sizeof *x->values +
	                                      sizeof *x->blocks + sizeof *x->ops));
	if (!p)
		return fail(x->r->e, ST_NOMEM, 0, "out of memory for signatures");
	x->nodes = (struct node *)(void *)p;
	x->values = (struct prog *)(void *)(x->nodes + max);
	x->blocks = (struct block *)(void *)(x->values + max);
	x->ops = (uint8_t *)(x->blocks + max);
	return ST_OK;
}

st_t sig_expr(struct sig_reader *r, struct str text, uint32_t spare, struct sig_expr *ret)
{
	struct expr x = {.r = r, .text = text};
	TRY(make_stacks(&x));
	TRY(read_all(&x));
	struct prog p = x.values[0];
	TRY(sig_alloc(r, (size_t)p.len + spare, sizeof *ret->conds, &ret->conds));
	uint32_t at = p.head;
	for (uint32_t i = 0; i < p.len; i++) {
		ret->conds[i] = x.nodes[at].cond;
		at = x.nodes[at].next;
	}
	ret->nconds = p.len;
	ret->nids = x.nids;
	return ST_OK;
}
