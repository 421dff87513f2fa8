#include "tuf/json.h"

#include "tlog/text.h"

#include <stdlib.h>
#include <string.h>

struct parser {
	struct rd r;
	struct arena *arena;
	const char *what;
	struct err *e;
	struct buf text; /* the text being read */
	unsigned depth;
};

static st_t bad(struct parser *p, const char *why)
{
	return fail(p->e, ST_MALFORMED, p->r.pos, "%s: no strict JSON: %s", p->what, why);
}

static st_t no_room(struct parser *p)
{
	return fail(p->e, ST_LIMIT, p->r.pos, "%s: needs more memory than metadata may", p->what);
}

static void skip_space(struct rd *r)
{
	while (rd_peek(r, " ", 1) || rd_peek(r, "\n", 1) || rd_peek(r, "\t", 1) || rd_peek(r, "\r", 1))
		rd_skip(r, 1);
}

/* Takes the byte if it is the next one. */
static bool take(struct rd *r, char c)
{
	bool yes = rd_peek(r, &c, 1);
	rd_skip(r, yes ? 1 : 0);
	return yes;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex4(struct rd *r, uint32_t *ret)
{
	uint32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(rd_u8(r));
		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	*ret = v;
	return true;
}

static void add_rune(struct buf *b, uint32_t v)
{
	if (v < 0x80)
		return buf_u8(b, (uint8_t)v);
	if (v < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | v >> 6));
	} else {
		if (v < 0x10000) {
			buf_u8(b, (uint8_t)(0xe0 | v >> 12));
		} else {
			buf_u8(b, (uint8_t)(0xf0 | v >> 18));
			buf_u8(b, (uint8_t)(0x80 | (v >> 12 & 0x3f)));
		}
		buf_u8(b, (uint8_t)(0x80 | (v >> 6 & 0x3f)));
	}
	buf_u8(b, (uint8_t)(0x80 | (v & 0x3f)));
}

/* RFC 8259 section 7: "To escape an extended character that is not in the Basic Multilingual Plane,
 * the character is represented as a 12-character sequence, encoding the UTF-16 surrogate pair." */
static st_t take_unicode(struct parser *p)
{
	uint32_t v, low;
	if (!take_hex4(&p->r, &v))
		return bad(p, "\\u without four hex digits");
	if (v >> 10 == 0xdc00 >> 10)
		return bad(p, "an unpaired surrogate");
	if (v >> 10 == 0xd800 >> 10) {
		if (!take(&p->r, '\\') || !take(&p->r, 'u') || !take_hex4(&p->r, &low) ||
		    low >> 10 != 0xdc00 >> 10)
			return bad(p, "an unpaired surrogate");
		v = 0x10000 + ((v & 0x3ff) << 10 | (low & 0x3ff));
	}
	if (v == 0)
		return bad(p, "a NUL in a text");
	add_rune(&p->text, v);
	return ST_OK;
}

static st_t take_escape(struct parser *p)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = rd_u8(&p->r);
	if (c == 'u')
		return take_unicode(p);
	const char *at = c ? strchr(from, c) : NULL;
	if (!at)
		return bad(p, "an unknown escape");
	buf_u8(&p->text, (uint8_t)to[at - from]);
	return ST_OK;
}

/* Behind the opening quote, up to and with the closing one; the text is in p->text. */
static st_t take_text(struct parser *p)
{
	p->text.len = 0;
	while (!take(&p->r, '"')) {
		uint8_t c = rd_byte(&p->r, p->r.pos);
		uint32_t rune;
		if (rd_left(&p->r) == 0)
			return bad(p, "a text without end");
		if (c < 0x20)
			return bad(p, "a control character that is not escaped");
		if (c == '\\') {
			rd_skip(&p->r, 1);
			TRY(take_escape(p));
			continue;
		}
		if (!text_rune(&p->r, &rune))
			return bad(p, "not UTF-8");
		add_rune(&p->text, rune);
	}
	return p->text.oom ? no_room(p) : ST_OK;
}

static st_t keep_text(struct parser *p, const char **ret, uint32_t *ret_n)
{
	TRY(take_text(p));
	if (p->text.len > UINT32_MAX)
		return no_room(p);
	const char *s = p->text.data ? (const char *)p->text.data : "";
	if (!(*ret = arena_strndup(p->arena, s, p->text.len)))
		return no_room(p);
	*ret_n = (uint32_t)p->text.len;
	return ST_OK;
}

static st_t parse_int(struct parser *p, struct tuf_value *v)
{
	bool minus = take(&p->r, '-'), fits = true;
	size_t start = p->r.pos;
	int64_t n = 0;
	for (uint8_t c; (c = rd_byte(&p->r, p->r.pos)) >= '0' && c <= '9'; rd_skip(&p->r, 1)) {
		int64_t digit = minus ? '0' - c : c - '0';
		fits = fits && !__builtin_mul_overflow(n, 10, &n) && !__builtin_add_overflow(n, digit, &n);
	}
	size_t digits = p->r.pos - start;
	uint8_t c = rd_byte(&p->r, p->r.pos);
	if (digits == 0)
		return bad(p, "no value");
	if ((digits > 1 || minus) && rd_byte(&p->r, start) == '0')
		return bad(p, "a number with a leading zero, or -0");
	if (c == '.' || c == 'e' || c == 'E')
		return bad(p, "a number that is no integer");
	if (!fits)
		return bad(p, "an integer that does not fit 64 bits");
	v->kind = TUF_INT;
	v->num = n;
	return ST_OK;
}

static st_t parse_value(struct parser *p, struct tuf_value *v);

/* Appends a new value to the list that ends at *tail; with its name if it is an object's. */
static st_t parse_member(struct parser *p, bool named, struct tuf_value ***tail)
{
	uint32_t n;
	struct tuf_value *v = arena_alloc(p->arena, sizeof *v);
	if (!v)
		return no_room(p);
	skip_space(&p->r);
	if (named) {
		if (!take(&p->r, '"'))
			return bad(p, "a name in quotes is missing");
		TRY(keep_text(p, &v->key, &n));
		skip_space(&p->r);
		if (!take(&p->r, ':'))
			return bad(p, "a colon is missing");
	}
	TRY(parse_value(p, v));
	**tail = v;
	*tail = &v->next;
	return ST_OK;
}

/* The order of the bytes of UTF-8 is that of code points. */
static int by_name(const void *a, const void *b)
{
	const struct tuf_value *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

/* From the list to an index, sorted for objects. */
static st_t index_members(struct parser *p, struct tuf_value *v, struct tuf_value *first)
{
	size_t n = 0;
	v->item = arena_alloc(p->arena, v->n * sizeof *v->item);
	if (!v->item)
		return no_room(p);
	for (; first; first = first->next)
		v->item[n++] = first;
	if (v->kind != TUF_OBJECT)
		return ST_OK;
	qsort(v->item, n, sizeof *v->item, by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(v->item[i - 1]->key, v->item[i]->key) == 0)
			return fail(p->e, ST_MALFORMED, p->r.pos, "%s: \"%.60s\" is there twice", p->what,
			            v->item[i]->key);
	return ST_OK;
}

static st_t parse_members(struct parser *p, struct tuf_value *v, enum tuf_kind kind)
{
	char end = kind == TUF_OBJECT ? '}' : ']';
	struct tuf_value *first = NULL, **tail = &first;
	v->kind = kind;
	if (++p->depth > TUF_DEPTH_MAX)
		return fail(p->e, ST_LIMIT, p->r.pos, "%s: nested deeper than %d", p->what, TUF_DEPTH_MAX);
	skip_space(&p->r);
	for (bool done = take(&p->r, end); !done; v->n++) {
		TRY(parse_member(p, kind == TUF_OBJECT, &tail));
		skip_space(&p->r);
		done = take(&p->r, end);
		if (!done && !take(&p->r, ','))
			return bad(p, "a comma or the closing bracket is missing");
	}
	p->depth--;
	return index_members(p, v, first);
}

static bool take_word(struct parser *p, struct tuf_value *v)
{
	static const char *const words[] = {[TUF_NULL] = "null", [TUF_FALSE] = "false",
	                                    [TUF_TRUE] = "true"};
	for (enum tuf_kind k = TUF_NULL; k <= TUF_TRUE; k++) {
		if (!rd_peek(&p->r, words[k], strlen(words[k])))
			continue;
		rd_skip(&p->r, strlen(words[k]));
		v->kind = k;
		return true;
	}
	return false;
}

static st_t parse_value(struct parser *p, struct tuf_value *v)
{
	skip_space(&p->r);
	if (take(&p->r, '{'))
		return parse_members(p, v, TUF_OBJECT);
	if (take(&p->r, '['))
		return parse_members(p, v, TUF_ARRAY);
	if (take(&p->r, '"')) {
		v->kind = TUF_TEXT;
		return keep_text(p, &v->text, &v->n);
	}
	return take_word(p, v) ? ST_OK : parse_int(p, v);
}

st_t tuf_json_parse(struct rd in, struct arena *a, const char *what, const struct tuf_value **ret,
                    struct err *e)
{
	struct parser p = {.r = in, .arena = a, .what = what, .e = e};
	struct tuf_value *v = arena_alloc(a, sizeof *v);
	st_t st = v ? parse_value(&p, v) : no_room(&p);
	skip_space(&p.r);
	if (st == ST_OK && rd_left(&p.r) > 0)
		st = bad(&p, "bytes behind the value");
	buf_done(&p.text);
	if (st == ST_OK)
		*ret = v;
	return st;
}

static void add_quoted(const char *s, size_t n, struct buf *out)
{
	buf_u8(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)s[i]);
	}
	buf_u8(out, '"');
}

static void add_int(int64_t v, struct buf *out)
{
	if (v < 0)
		buf_u8(out, '-');
	text_decimal_add(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void add_members(const struct tuf_value *v, struct buf *out)
{
	buf_u8(out, v->kind == TUF_OBJECT ? '{' : '[');
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			buf_u8(out, ',');
		if (v->kind == TUF_OBJECT) {
			add_quoted(v->item[i]->key, strlen(v->item[i]->key), out);
			buf_u8(out, ':');
		}
		tuf_json_canonical(v->item[i], out);
	}
	buf_u8(out, v->kind == TUF_OBJECT ? '}' : ']');
}

void tuf_json_canonical(const struct tuf_value *v, struct buf *out)
{
	switch (v->kind) {
	case TUF_NULL: return buf_add(out, "null", 4);
	case TUF_FALSE: return buf_add(out, "false", 5);
	case TUF_TRUE: return buf_add(out, "true", 4);
	case TUF_INT: return add_int(v->num, out);
	case TUF_TEXT: return add_quoted(v->text, v->n, out);
	case TUF_ARRAY:
	case TUF_OBJECT: return add_members(v, out);
	}
}

const struct tuf_value *tuf_member(const struct tuf_value *o, const char *key)
{
	if (!o || o->kind != TUF_OBJECT)
		return NULL;
	struct tuf_value wanted = {.key = key}, *w = &wanted;
	struct tuf_value **at = bsearch(&w, o->item, o->n, sizeof *o->item, by_name);
	return at ? *at : NULL;
}

const char *tuf_member_text(const struct tuf_value *o, const char *key)
{
	const struct tuf_value *v = tuf_member(o, key);
	return v && v->kind == TUF_TEXT ? v->text : NULL;
}

st_t tuf_take(const struct tuf_value *o, const char *key, enum tuf_kind kind, const char *what,
              const struct tuf_value **ret, struct err *e)
{
	static const char *const words[] = {"null", "a boolean", "a boolean", "an integer", "a text",
	                                    "an array", "an object"};
	const struct tuf_value *v = tuf_member(o, key);
	if (!v)
		return fail(e, ST_MALFORMED, 0, "%s: \"%.60s\" is missing", what, key);
	if (v->kind != kind)
		return fail(e, ST_MALFORMED, 0, "%s: \"%.60s\" is not %s", what, key, words[kind]);
	*ret = v;
	return ST_OK;
}

st_t tuf_take_text(const struct tuf_value *o, const char *key, const char *what, const char **ret,
                   struct err *e)
{
	const struct tuf_value *v;
	TRY(tuf_take(o, key, TUF_TEXT, what, &v, e));
	*ret = v->text;
	return ST_OK;
}

st_t tuf_take_count(const struct tuf_value *o, const char *key, int64_t min, const char *what,
                    uint64_t *ret, struct err *e)
{
	const struct tuf_value *v;
	TRY(tuf_take(o, key, TUF_INT, what, &v, e));
	if (v->num < min)
		return fail(e, ST_MALFORMED, 0, "%s: \"%.60s\" is less than %d", what, key, (int)min);
	*ret = (uint64_t)v->num;
	return ST_OK;
}

st_t tuf_take_bool(const struct tuf_value *o, const char *key, const char *what, bool *ret,
                   struct err *e)
{
	const struct tuf_value *v = tuf_member(o, key);
	if (v && v->kind != TUF_TRUE && v->kind != TUF_FALSE)
		return fail(e, ST_MALFORMED, 0, "%s: \"%.60s\" is not a boolean", what, key);
	*ret = v && v->kind == TUF_TRUE;
	return ST_OK;
}

bool tuf_is_texts(const struct tuf_value *v)
{
	if (!v || v->kind != TUF_ARRAY)
		return false;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->item[i]->kind != TUF_TEXT)
			return false;
	return true;
}
