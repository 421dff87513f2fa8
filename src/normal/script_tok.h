/* Tokens of a script, and who declares which name. */
#ifndef VITRINE_NORMAL_SCRIPT_TOK_H
#define VITRINE_NORMAL_SCRIPT_TOK_H

#include "base/buf.h"
#include "base/rd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tok_kind { TOK_NAME, TOK_FUNCTION, TOK_VAR, TOK_NUMBER, TOK_STRING, TOK_OP };

struct tok {
	uint8_t kind;
	bool leaves;    /* '}' that ends a function */
	bool dot;       /* a name behind '.' */
	uint32_t at;    /* its text, in the pool */
	uint32_t len;
	uint32_t scope; /* TOK_FUNCTION: of the function; TOK_NAME, later: the number of the name */
};

struct decl {
	uint32_t tok;   /* the name */
	uint32_t scope; /* where it is known */
};

/* Everything about a script. Arrays live in bufs. */
struct script {
	struct buf pool;
	struct buf toks;    /* struct tok */
	struct buf order;   /* uint32_t: indices of toks as they are shown */
	struct buf decls;   /* struct decl; the index is the number shown */
	struct buf scopes;  /* struct scope (script_decl.c): the functions that are open */
	uint32_t n_scopes;  /* scope 0 is the file */
	struct buf rest;    /* a name or number that a text ended with: the next one goes on with it */
	size_t parens;      /* parentheses open at the end */
};

static inline struct tok *script_tok(const struct script *s, size_t i)
{
	return &((struct tok *)(void *)s->toks.data)[i];
}

static inline size_t script_n_toks(const struct script *s)
{
	return s->toks.len / sizeof(struct tok);
}

/* True if the token has this text. */
bool script_is(const struct script *s, const struct tok *t, const char *text);

/* script_lex.c: adds the tokens of `in`. A name or number that the text ends with is none, but
 * goes to `rest`. */
void script_lex(struct script *s, struct rd in);

/* script_decl.c: what a token, just added, declares, opens or closes. */
void script_declare(struct script *s, uint32_t tok);

/* script_pack.c: whether shown tokens i.. begin the function of a packer, or end it and call it:
 * then the number of tokens behind "} (" that the unpacked text replaces. script_unpack() makes
 * that text from the call at `call`; false if it has more than `max` bytes. */
bool script_pack_begins(const struct script *s, const uint32_t *order, size_t n, size_t i);
size_t script_pack_call(const struct script *s, const uint32_t *order, size_t n, size_t i);
bool script_unpack(const struct script *s, const uint32_t *call, size_t max, struct buf *out);

/* script_name.c: finds the number of each shown name, UINT32_MAX where it keeps its own. */
st_t script_number_names(struct script *s, struct err *e);

#endif
