/* Which names a script declares, and in which function: those behind `var`, behind a comma that
 * is in no brackets, behind `function`, and in its list of parameters. This is not JavaScript's
 * grammar but what clamscan makes of it: parentheses do not count after `var`, so that in "var a
 * = f(x, y)" y is declared.
 *
 *   NONE       -> VAR_NAME at var, FUNC_NAME at function
 *   VAR_NAME   -> VAR        at a name, which is declared
 *   VAR        -> VAR_NAME   at ',' outside of brackets; NONE at ';' there
 *   FUNC_NAME  -> PARAMS     at a name, which is declared
 *              -> PARAM_NAME at '('
 *   PARAM_NAME -> PARAMS     at a name, which is declared
 *   PARAMS     -> PARAM_NAME at ',' and '('
 *   FUNC_NAME, PARAM_NAME, PARAMS -> the body, with a state of its own, at '{'
 * The braces of a function's body count as brackets: commas in it declare nothing. */
#include "normal/script_tok.h"

#include "base/num.h"

enum state { NONE, VAR_NAME, VAR, FUNC_NAME, PARAM_NAME, PARAMS };

struct scope {
	uint32_t id;
	uint32_t braces; /* open in the body, with its own; 0 before it */
	uint32_t nested; /* the same with square brackets */
	uint8_t state;   /* of `var` */
	bool head;       /* before the body */
	uint8_t head_state;
};

static struct scope *top(const struct script *s)
{
	size_t n = s->scopes.len / sizeof(struct scope);

	return n ? &((struct scope *)(void *)s->scopes.data)[n - 1] : NULL;
}

static void declare(struct script *s, struct scope *sc, uint32_t tok)
{
	struct decl d = {.tok = tok, .scope = sc->id};

	buf_add(&s->decls, &d, sizeof d);
}

static void push(struct script *s, uint32_t id, bool head)
{
	struct scope sc = {.id = id, .head = head, .head_state = FUNC_NAME};

	buf_add(&s->scopes, &sc, sizeof sc);
}

static bool is_any(const struct script *s, const struct tok *t, char a, char b)
{
	uint8_t c = t->kind == TOK_OP && t->len == 1 ? s->pool.data[t->at] : 0;

	return c && (c == (uint8_t)a || c == (uint8_t)b);
}

/* The reserved words of ECMA-262, 3rd edition, 7.5.2: they are no names. */
static bool is_reserved(const struct script *s, const struct tok *t)
{
	static const char *const words[] = {
		"break", "case",   "catch",  "continue", "default", "delete", "do",    "else", "finally",
		"for",   "if",     "in",     "instanceof", "new",   "return", "switch", "this", "throw",
		"try",   "typeof", "void",   "while",    "with",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (script_is(s, t, words[i]))
			return true;
	return false;
}

static void on_head(struct script *s, struct scope *sc, uint32_t i)
{
	const struct tok *t = script_tok(s, i);
	bool name = t->kind == TOK_NAME && !is_reserved(s, t);

	if (name && (sc->head_state == FUNC_NAME || sc->head_state == PARAM_NAME)) {
		if (!t->dot)
			declare(s, sc, i);
		sc->head_state = PARAMS;
	} else if (script_is(s, t, "(") ||
	           (script_is(s, t, ",") && sc->head_state != FUNC_NAME)) {
		sc->head_state = PARAM_NAME;
	} else if (script_is(s, t, "{")) {
		sc->head = false;
		sc->braces = 1;
		sc->nested = 1;
	} else if (sc->head_state == PARAM_NAME || is_any(s, t, ';', ';')) {
		sc->head_state = PARAMS;
	}
}

static void on_var(struct script *s, struct scope *sc, uint32_t i)
{
	const struct tok *t = script_tok(s, i);

	if (t->kind == TOK_NAME && sc->state == VAR_NAME && !is_reserved(s, t)) {
		declare(s, sc, i);
		sc->state = VAR;
	} else if (sc->nested == 0 && is_any(s, t, ',', ',')) {
		sc->state = VAR_NAME;
	} else if (sc->nested == 0 && is_any(s, t, ';', ';')) {
		sc->state = NONE;
	}
}

static void on_body(struct script *s, struct scope *sc, uint32_t i)
{
	struct tok *t = script_tok(s, i);

	if (t->kind == TOK_VAR)
		sc->state = VAR_NAME;
	else if (sc->state != NONE)
		on_var(s, sc, i);
	sc->nested += is_any(s, t, '{', sc->state == VAR_NAME ? '{' : '[');
	sc->nested -= sc->nested > 0 && is_any(s, t, ']', '}');
	if (is_any(s, t, '{', '{')) {
		sc->braces++;
	} else if (is_any(s, t, '}', '}') && sc->braces > 0 && --sc->braces == 0 && sc->id) {
		t->leaves = true;
		s->scopes.len -= sizeof *sc;
	}
}

void script_declare(struct script *s, uint32_t i)
{
	if (s->toks.oom)
		return;
	if (!top(s))
		push(s, 0, false);
	struct scope *sc = top(s);
	if (!sc)
		return;
	struct tok *t = script_tok(s, i);
	if (t->kind == TOK_FUNCTION) {
		t->scope = ++s->n_scopes;
		push(s, t->scope, true);
	} else if (sc->head) {
		on_head(s, sc, i);
	} else {
		on_body(s, sc, i);
	}
}
