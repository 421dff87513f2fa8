/* Gives each name that is shown its number: that of its last declaration in the innermost
 * function that declares it, as clamscan does. */
#include "normal/script_tok.h"

#include <stdlib.h>
#include <string.h>

#define NO_NUMBER UINT32_MAX

struct item {
	const uint8_t *text;
	uint32_t len;
	uint32_t tok;
};

/* A value to put back when a function ends. */
struct undo {
	uint32_t name, number;
};

struct names {
	struct script *s;
	struct item *items;   /* the names, sorted */
	uint32_t *id;         /* per token: which name it is */
	uint32_t *number;     /* per name, at present */
	uint32_t *first;      /* per scope: its first declaration, and per declaration the next */
	uint32_t *next;
	size_t n_decls;
	struct buf undo;      /* struct undo */
	struct buf marks;     /* size_t: where the undos of each open function start */
};

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->text, y->text, n);

	if (c)
		return c;
	return x->len < y->len ? -1 : x->len > y->len;
}

static void identify(struct names *m)
{
	size_t n = 0, n_toks = script_n_toks(m->s);
	uint32_t id = 0;

	for (size_t i = 0; i < n_toks; i++) {
		const struct tok *t = script_tok(m->s, i);
		if (t->kind == TOK_NAME)
			m->items[n++] = (struct item){m->s->pool.data + t->at, t->len, (uint32_t)i};
	}
	qsort(m->items, n, sizeof *m->items, compare);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare(&m->items[i - 1], &m->items[i]))
			id++;
		m->id[m->items[i].tok] = id;
		m->number[id] = NO_NUMBER;
	}
}

static const struct decl *decl_at(const struct names *m, size_t i)
{
	return &((const struct decl *)(const void *)m->s->decls.data)[i];
}

/* From the last to the first, so that each list is in the order of declaration. */
static void list_decls(struct names *m)
{
	for (size_t i = 0; i <= m->s->n_scopes; i++)
		m->first[i] = NO_NUMBER;
	for (size_t i = m->n_decls; i-- > 0;) {
		m->next[i] = m->first[decl_at(m, i)->scope];
		m->first[decl_at(m, i)->scope] = (uint32_t)i;
	}
}

static void enter(struct names *m, uint32_t scope)
{
	size_t mark = m->undo.len;

	buf_add(&m->marks, &mark, sizeof mark);
	for (uint32_t i = m->first[scope]; i != NO_NUMBER; i = m->next[i]) {
		uint32_t name = m->id[decl_at(m, i)->tok];
		struct undo u = {name, m->number[name]};

		buf_add(&m->undo, &u, sizeof u);
		m->number[name] = i;
	}
}

static void leave(struct names *m)
{
	size_t mark;

	if (m->marks.oom || m->undo.oom || m->marks.len < sizeof mark)
		return;
	m->marks.len -= sizeof mark;
	memcpy(&mark, m->marks.data + m->marks.len, sizeof mark);
	while (m->undo.len > mark) {
		struct undo u;

		m->undo.len -= sizeof u;
		memcpy(&u, m->undo.data + m->undo.len, sizeof u);
		m->number[u.name] = u.number;
	}
}

static void number_all(struct names *m)
{
	const uint32_t *order = (const uint32_t *)(const void *)m->s->order.data;
	size_t n = m->s->order.len / sizeof *order;

	identify(m);
	list_decls(m);
	enter(m, 0);
	for (size_t i = 0; i < n; i++) {
		struct tok *t = script_tok(m->s, order[i]);

		if (t->kind == TOK_FUNCTION)
			enter(m, t->scope);
		else if (t->kind == TOK_NAME && !t->dot)
			t->scope = m->number[m->id[order[i]]];
		else if (t->leaves)
			leave(m);
	}
}

st_t script_number_names(struct script *s, struct err *e)
{
	size_t n = script_n_toks(s);
	struct names m = {.s = s, .n_decls = s->decls.len / sizeof(struct decl)};
	st_t st = ST_OK;

	m.items = calloc(n + 1, sizeof *m.items);
	m.id = calloc(n + 1, sizeof *m.id);
	m.number = calloc(n + 1, sizeof *m.number);
	m.first = calloc((size_t)s->n_scopes + 1, sizeof *m.first);
	m.next = calloc(m.n_decls + 1, sizeof *m.next);
	bool ok = m.items && m.id && m.number && m.first && m.next;
	if (ok)
		number_all(&m);
	if (!ok || m.undo.oom || m.marks.oom)
		st = fail(e, ST_NOMEM, 0, "script: out of memory");
	free(m.items);
	free(m.id);
	free(m.number);
	free(m.first);
	free(m.next);
	buf_done(&m.undo);
	buf_done(&m.marks);
	return st;
}
