/* Normalisation of scripts: tokens (script_lex.c) with strings joined, then unescape("..."),
 * then eval("..."), whose text becomes tokens in its place, then names (script_name.c), then
 * text again. */
#include "normal/script.h"

#include "normal/script_tok.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

/* Offsets in the pool have 32 bits, and a byte of a script is at most three in it. */
#define SCRIPT_MAX (1u << 26)

/* What packers unpack is at most so many times as long as the script; what would be longer stays
 * packed. */
#define UNPACK_FACTOR 8

static uint32_t *order_of(const struct script *s)
{
	return (uint32_t *)(void *)s->order.data;
}

static void show(struct script *s, size_t tok)
{
	uint32_t i = (uint32_t)tok;

	buf_add(&s->order, &i, sizeof i);
}

static int digit(uint8_t c)
{
	uint8_t l = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* n hexadecimal digits at p, or -1. */
static int hex(const uint8_t *p, size_t left, size_t n)
{
	int v = 0;

	if (left < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int d = digit(p[i]);
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Writes c as UTF-8 over p and returns its length, which is less than that of "%uxxxx". */
static size_t put_utf8(uint8_t *p, unsigned c)
{
	if (c < 0x80) {
		p[0] = (uint8_t)(c ? c : 1);
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	p[0] = (uint8_t)(0xe0 | c >> 12);
	p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	p[2] = (uint8_t)(0x80 | (c & 0x3f));
	return 3;
}

/* Decodes %xx (a byte) and %uxxxx (UTF-8) of a string in place. */
static void unescape(struct script *s, struct tok *t)
{
	uint8_t *p = s->pool.data + t->at;
	size_t out = 0;

	for (size_t i = 0; i < t->len;) {
		size_t left = t->len - i - 1;
		bool u = p[i] == '%' && left > 0 && p[i + 1] == 'u';
		int v = p[i] != '%' ? -1 : u ? hex(p + i + 2, left - 1, 4) : hex(p + i + 1, left, 2);

		if (v < 0) {
			p[out++] = p[i++];
		} else if (u) {
			out += put_utf8(p + out, (unsigned)v);
			i += 6;
		} else {
			p[out++] = (uint8_t)(v ? v : 1);
			i += 3;
		}
	}
	t->len = (uint32_t)out;
}

/* True if shown tokens i.. are NAME ( "string". */
static bool is_call(const struct script *s, const uint32_t *order, size_t n, size_t i,
                    const char *name)
{
	if (n - i < 3)
		return false;
	const struct tok *t = script_tok(s, order[i]);
	return t->kind == TOK_NAME && !t->dot && script_is(s, t, name) &&
	       script_is(s, script_tok(s, order[i + 1]), "(") &&
	       script_tok(s, order[i + 1])->kind == TOK_OP &&
	       script_tok(s, order[i + 2])->kind == TOK_STRING;
}

/* unescape("...") becomes its string. clamscan drops the token behind the string, whatever it
 * is. */
static void run_unescape(struct script *s)
{
	uint32_t *order = order_of(s);
	size_t n = s->order.len / sizeof *order, out = 0;

	for (size_t i = 0; i < n;) {
		if (!is_call(s, order, n, i, "unescape")) {
			order[out++] = order[i++];
			continue;
		}
		unescape(s, script_tok(s, order[i + 2]));
		order[out++] = order[i + 2];
		i += n - i < 4 ? 3 : 4;
	}
	s->order.len = out * sizeof *order;
}

static bool shows(const struct script *s, const uint32_t *order, size_t n, size_t i, const char *op)
{
	return i < n && script_tok(s, order[i])->kind == TOK_OP &&
	       script_is(s, script_tok(s, order[i]), op);
}

/* The end of the script will do. */
static bool ends_call(const struct script *s, const uint32_t *order, size_t n, size_t i)
{
	return i >= n || shows(s, order, n, i, ")");
}

/* Shows the tokens of a text that was in a string. */
static st_t show_text(struct script *s, const uint8_t *p, size_t len, struct err *e)
{
	struct buf text = {0};
	size_t i = script_n_toks(s);

	buf_add(&text, s->rest.data, s->rest.len); /* a copy: the pool may move */
	s->rest.len = 0;
	buf_add(&text, p, len);
	script_lex(s, rd_make(text.data, text.len));
	for (; i < script_n_toks(s); i++)
		show(s, i);
	st_t st = buf_check(&text, e, "script");
	buf_done(&text);
	return st;
}

/* Replaces the call at `i` by what it would unpack and returns the tokens used, 0 if there is
 * none. */
static size_t show_unpacked(struct script *s, const uint32_t *order, size_t n, size_t i,
                            size_t *max, struct err *e, st_t *ret_st)
{
	size_t used = script_pack_call(s, order, n, i);
	struct buf text = {0};

	if (used && script_unpack(s, order + i, *max, &text)) {
		show(s, order[i]);
		show(s, order[i + 1]);
		*max -= text.len;
		*ret_st = show_text(s, text.data, text.len, e);
		used += 2;
		used += shows(s, order, n, i + used, ";");
	} else {
		used = 0;
	}
	if (text.oom)
		*ret_st = fail(e, ST_NOMEM, 0, "script: out of memory");
	buf_done(&text);
	return used;
}

static st_t run_unpack(struct script *s, size_t max, struct err *e)
{
	struct buf before = s->order;
	const uint32_t *order = order_of(s);
	size_t n = before.len / sizeof *order;
	bool packer = false;
	st_t st = ST_OK;

	s->order = (struct buf){0};
	for (size_t i = 0; i < n && st == ST_OK;) {
		packer = packer || script_pack_begins(s, order, n, i);
		size_t used = packer ? show_unpacked(s, order, n, i, &max, e, &st) : 0;

		if (used)
			packer = false;
		else
			show(s, order[i]);
		i += used ? used : 1;
	}
	buf_done(&before);
	return st;
}

/* eval("...") becomes what the string says; a ';' behind it goes, too. */
static st_t run_eval(struct script *s, struct err *e)
{
	struct buf before = s->order;
	const uint32_t *order = order_of(s);
	size_t n = before.len / sizeof *order;
	st_t st = ST_OK;

	s->order = (struct buf){0};
	for (size_t i = 0; i < n && st == ST_OK;) {
		if (!is_call(s, order, n, i, "eval") || !ends_call(s, order, n, i + 3)) {
			show(s, order[i++]);
			continue;
		}
		size_t before_it = s->order.len;
		const struct tok *t = script_tok(s, order[i + 2]);
		st = show_text(s, s->pool.data + t->at, t->len, e);
		i = num_min_size(i + 4, n);
		i += shows(s, order, n, i, ";");
		if (s->order.len == before_it && i < n)
			show(s, order[i++]); /* even if it is eval */
	}
	buf_done(&before);
	return st;
}

static uint8_t shown(uint8_t c)
{
	if (c >= '\t' && c <= '\r')
		return ' ';
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static void write_text(const struct script *s, const struct tok *t, struct buf *out)
{
	uint8_t *p = buf_room(out, t->len);

	if (!p)
		return;
	for (size_t i = 0; i < t->len; i++)
		p[i] = shown(s->pool.data[t->at + i]);
	out->len += t->len;
}

static void write_tok(const struct script *s, const struct tok *t, struct buf *out)
{
	char number[16];

	if (t->kind == TOK_STRING)
		buf_u8(out, '"');
	if (t->kind == TOK_NAME && t->scope != UINT32_MAX) {
		int n = snprintf(number, sizeof number, "n%03u", (unsigned)t->scope);
		buf_add(out, number, (size_t)n);
	} else {
		write_text(s, t, out);
	}
	if (t->kind == TOK_STRING)
		buf_u8(out, '"');
}

static bool is_word(const struct tok *t)
{
	return t->kind != TOK_OP && t->kind != TOK_STRING;
}

static void write_all(const struct script *s, struct buf *out)
{
	static const char end[] = "</script>";
	const uint32_t *order = order_of(s);
	size_t n = s->order.len / sizeof *order, start = out->len;

	for (size_t i = 0; i < n; i++) {
		const struct tok *t = script_tok(s, order[i]);

		if (i > 0 && is_word(t) && is_word(script_tok(s, order[i - 1])))
			buf_u8(out, ' ');
		write_tok(s, t, out);
	}
	buf_fill(out, ')', s->parens);
	size_t len = sizeof end - 1;
	if (out->oom || out->len - start < len || memcmp(out->data + out->len - len, end, len))
		buf_add(out, end, len);
}

static size_t open_parens(const struct script *s)
{
	const uint32_t *order = order_of(s);
	size_t n = s->order.len / sizeof *order, open = 0;

	for (size_t i = 0; i < n; i++) {
		open += shows(s, order, n, i, "(");
		open -= open > 0 && shows(s, order, n, i, ")");
	}
	return open;
}

static st_t check(const struct script *s, struct err *e)
{
	TRY(buf_check(&s->pool, e, "script"));
	TRY(buf_check(&s->rest, e, "script"));
	TRY(buf_check(&s->toks, e, "script"));
	TRY(buf_check(&s->order, e, "script"));
	TRY(buf_check(&s->decls, e, "script"));
	return buf_check(&s->scopes, e, "script");
}

static st_t normalise(struct script *s, struct rd in, struct err *e)
{
	script_lex(s, in);
	TRY(check(s, e));
	for (size_t i = 0; i < script_n_toks(s); i++)
		show(s, i);
	TRY(check(s, e));
	s->parens = open_parens(s);
	run_unescape(s);
	TRY(run_unpack(s, UNPACK_FACTOR * rd_left(&in), e));
	TRY(run_eval(s, e));
	TRY(check(s, e));
	return script_number_names(s, e);
}

st_t normal_script(struct rd in, struct buf *out, struct err *e)
{
	static const char begin[] = "<script>";
	struct script s = {0};

	if (rd_left(&in) > SCRIPT_MAX)
		return fail(e, ST_LIMIT, in.pos, "script: more than %u bytes", SCRIPT_MAX);
	st_t st = normalise(&s, in, e);
	if (st == ST_OK) {
		if (out->len)
			buf_u8(out, '\n');
		buf_add(out, begin, sizeof begin - 1);
		write_all(&s, out);
		st = buf_check(out, e, "script");
	}
	buf_done(&s.pool);
	buf_done(&s.rest);
	buf_done(&s.toks);
	buf_done(&s.order);
	buf_done(&s.decls);
	buf_done(&s.scopes);
	return st;
}
