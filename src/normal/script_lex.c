/* The tokens of a script, by the rules that clamscan seems to have: no regular expressions, no
 * template strings, no hexadecimal numbers; a line comment ends at the first white space; bytes
 * that begin no token are dropped. */
#include "normal/script_tok.h"

#include "base/num.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest number that is read in full; a longer one is cut, which only its last digits show. */
#define NUMBER_MAX 400

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}

bool script_is(const struct script *s, const struct tok *t, const char *text)
{
	return t->len == strlen(text) && (t->len == 0 || !memcmp(s->pool.data + t->at, text, t->len));
}

/* Adds a token of everything that is in the pool from `at` on. */
static struct tok *add(struct script *s, enum tok_kind kind, size_t at)
{
	struct tok t = {
		.kind = (uint8_t)kind,
		.at = (uint32_t)at,
		.len = (uint32_t)(s->pool.len - at),
		.scope = UINT32_MAX,
	};

	buf_add(&s->toks, &t, sizeof t);
	if (s->toks.oom || s->pool.oom)
		return NULL;
	return script_tok(s, script_n_toks(s) - 1);
}

/* True if the text ends with the name or number at `start`. */
static bool keep_rest(struct script *s, const struct rd *r, size_t start)
{
	if (rd_left(r) > 0)
		return false;
	buf_add(&s->rest, r->base + start, r->pos - start);
	return true;
}

/* Where the backslashes at the reader's position end. */
static size_t behind_backslashes(const struct rd *r)
{
	size_t i = r->pos;

	while (rd_byte(r, i) == '\\')
		i++;
	return i;
}

/* Backslashes before a character of a name belong to it, and are shown as blanks. */
static void lex_name(struct script *s, struct rd *r)
{
	size_t start = r->pos, at = s->pool.len;

	for (;;) {
		size_t i = behind_backslashes(r);

		if (!is_name(rd_byte(r, i)))
			break;
		rd_seek(r, i + 1);
	}
	if (r->pos == start) {
		rd_seek(r, behind_backslashes(r)); /* no name follows */
		return;
	}
	if (keep_rest(s, r, start))
		return;
	for (size_t i = start; i < r->pos; i++)
		buf_u8(&s->pool, rd_byte(r, i) == '\\' ? ' ' : rd_byte(r, i));
	size_t n = script_n_toks(s);
	bool dot = n > 0 && script_is(s, script_tok(s, n - 1), ".");
	struct tok *t = add(s, TOK_NAME, at);
	if (!t)
		return;
	t->dot = dot;
	if (script_is(s, t, "function"))
		t->kind = TOK_FUNCTION;
	if (script_is(s, t, "var"))
		t->kind = TOK_VAR;
}

static void skip_digits(struct rd *r)
{
	while (is_digit(rd_byte(r, r->pos)))
		rd_skip(r, 1);
}

static void skip_exponent(struct rd *r)
{
	if ((rd_byte(r, r->pos) | 0x20) != 'e')
		return;
	rd_skip(r, 1);
	if (rd_byte(r, r->pos) == '+' || rd_byte(r, r->pos) == '-')
		rd_skip(r, 1);
	skip_digits(r);
}

/* Integers wrap as a 32-bit number does, and those of more than 63 bits are -1; fractions have six
 * digits. */
static void lex_number(struct script *s, struct rd *r)
{
	size_t start = r->pos, at = s->pool.len;
	char text[NUMBER_MAX + 1], shown[32];
	bool fraction = false;
	int n;

	skip_digits(r);
	if (rd_byte(r, r->pos) == '.') {
		fraction = true;
		rd_skip(r, 1);
		skip_digits(r);
		skip_exponent(r);
	}
	if (keep_rest(s, r, start))
		return;
	size_t len = num_min_size(r->pos - start, NUMBER_MAX);
	struct rd digits = rd_at(r, start, len);
	rd_copy(&digits, text, len);
	text[len] = 0;
	if (fraction)
		n = snprintf(shown, sizeof shown, "%g", strtod(text, NULL));
	else
		n = snprintf(shown, sizeof shown, "%d", (int)(uint32_t)strtol(text, NULL, 10));
	buf_add(&s->pool, shown, (size_t)n);
	(void)add(s, TOK_NUMBER, at);
}

/* NUL is shown as 1. */
static void add_char(struct buf *b, uint32_t c)
{
	if (c == 0)
		c = 1;
	if (c < 0x80) {
		buf_u8(b, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | c >> 6));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(b, (uint8_t)(0xe0 | (c >> 12 & 0x0f)));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static int digit(uint8_t c)
{
	uint8_t l = c | 0x20;

	if (is_digit(c))
		return c - '0';
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* n hexadecimal digits at `pos`. One that is none counts as 0, the last one as all ones. */
static uint32_t loose_hex(const struct rd *r, size_t pos, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++) {
		int d = digit(rd_byte(r, pos + i));
		if (d < 0 && i + 1 == n)
			return n == 2 ? 0xff : 0xffff;
		v = v << 4 | (uint32_t)(d < 0 ? 0 : d);
	}
	return v;
}

static void unescape_x(struct script *s, struct rd *r)
{
	if (rd_left(r) < 2) {
		buf_u8(&s->pool, '\\');
		rd_skip(r, rd_left(r));
		return;
	}
	uint32_t v = loose_hex(r, r->pos, 2);
	rd_skip(r, 2);
	buf_u8(&s->pool, v ? (uint8_t)v : 1);
}

static void unescape_u(struct script *s, struct rd *r)
{
	if (rd_left(r) < 4) {
		buf_u8(&s->pool, '\\');
		return;
	}
	add_char(&s->pool, loose_hex(r, r->pos, 4));
	rd_skip(r, 4);
}

/* Behind a backslash. */
static void unescape(struct script *s, struct rd *r)
{
	static const char from[] = "bfnrtv0", to[] = "\b\f\n\r\t\v\1";
	uint8_t c = rd_u8(r);
	const char *p = c ? strchr(from, c) : NULL;

	if (c == 'x')
		unescape_x(s, r);
	else if (c == 'u')
		unescape_u(s, r);
	else
		buf_u8(&s->pool, p ? (uint8_t)to[p - from] : c);
}

static void decode(struct script *s, struct rd in)
{
	while (rd_left(&in) > 0) {
		uint8_t c = rd_u8(&in);

		if (c == '\\' && rd_left(&in) > 0)
			unescape(s, &in);
		else
			buf_u8(&s->pool, c);
	}
}

/* A string that does not end goes to the end of the script. */
static void lex_string(struct script *s, struct rd *r)
{
	uint8_t quote = rd_u8(r);
	size_t start = r->pos, at = s->pool.len;

	while (rd_left(r) > 0 && rd_byte(r, r->pos) != quote) {
		if (rd_byte(r, r->pos) == '\\' && rd_left(r) > 1)
			rd_skip(r, 1);
		rd_skip(r, 1);
	}
	decode(s, rd_at(r, start, r->pos - start));
	if (rd_left(r) > 0)
		rd_skip(r, 1);
	(void)add(s, TOK_STRING, at);
}

static void skip_comment(struct rd *r)
{
	bool block = rd_peek(r, "/*", 2);

	rd_skip(r, 2);
	while (rd_left(r) > 0) {
		if (block && rd_peek(r, "*/", 2)) {
			rd_skip(r, 2);
			return;
		}
		if (!block && is_space(rd_byte(r, r->pos)))
			return;
		rd_skip(r, 1);
	}
}

/* One byte, except that "++" and "+=" are no '+'. */
static void lex_op(struct script *s, struct rd *r)
{
	size_t at = s->pool.len;
	uint8_t c = rd_u8(r);

	if (!c || !strchr("!%&()*+,-./:;<=>?[]^{|}~", c))
		return;
	buf_u8(&s->pool, c);
	if (c == '+' && (rd_byte(r, r->pos) == '+' || rd_byte(r, r->pos) == '='))
		buf_u8(&s->pool, rd_u8(r));
	(void)add(s, TOK_OP, at);
}

static void lex_one(struct script *s, struct rd *r)
{
	uint8_t c = rd_byte(r, r->pos);

	if (rd_peek(r, "//", 2) || rd_peek(r, "/*", 2))
		skip_comment(r);
	else if (is_digit(c))
		lex_number(s, r);
	else if (is_name(c) || c == '\\')
		lex_name(s, r);
	else if (c == '"' || c == '\'')
		lex_string(s, r);
	else
		lex_op(s, r);
}

/* "a" + "b" is one string: its text follows in the pool at once, if nothing was added since. */
static void join_strings(struct script *s, size_t first)
{
	size_t n = script_n_toks(s);

	if (n < first + 3 || script_tok(s, n - 1)->kind != TOK_STRING)
		return;
	struct tok *t = script_tok(s, n - 3);
	if (t->kind != TOK_STRING || !script_is(s, script_tok(s, n - 2), "+"))
		return;
	const struct tok *last = script_tok(s, n - 1);
	memmove(s->pool.data + last->at - 1, s->pool.data + last->at, last->len);
	t->len += last->len;
	s->pool.len--;
	s->toks.len -= 2 * sizeof *t;
}

void script_lex(struct script *s, struct rd in)
{
	size_t first = script_n_toks(s);

	while (rd_left(&in) > 0 && !s->toks.oom && !s->pool.oom) {
		size_t n = script_n_toks(s);

		lex_one(s, &in);
		if (script_n_toks(s) == n)
			continue;
		script_declare(s, (uint32_t)n);
		join_strings(s, first);
	}
}
