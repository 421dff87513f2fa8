#include "explain/out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Handed on in portions of about this size. */
#define PORTION ((size_t)1 << 16)

/* Longest piece of a sentence that is formatted at once; pieces are short, names go separately. */
#define SAY_MAX 512

static void add(struct out *o, const char *s)
{
	buf_add(&o->all, s, strlen(s));
}

static void pass_on(struct out *o, size_t at_least)
{
	if (!o->write || o->all.len < at_least || o->st != ST_OK)
		return;
	o->st = o->write(o->ctx, o->all.data, o->all.len, &o->e);
	o->all.len = 0;
}

void out_say(struct out *o, const char *fmt, ...)
{
	char text[SAY_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0)
		buf_add(&o->line, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void out_name(struct out *o, const char *s)
{
	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;
		if (c == '\\')
			out_say(o, "\\\\");
		else if (c < 0x20 || c == 0x7f)
			out_say(o, "\\x%02x", c);
		else
			buf_u8(&o->line, c);
	}
}

void out_quote(struct out *o, const uint8_t *p, size_t n)
{
	buf_u8(&o->line, '"');
	for (size_t i = 0; i < n; i++)
		buf_u8(&o->line, p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
	buf_u8(&o->line, '"');
}

void out_text(struct out *o, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f)
			buf_u8(&o->line, p[i]);
		else
			out_say(o, "\\x%02x", p[i]);
	}
}

void out_bytes(struct out *o, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(&o->line, ' ');
		buf_u8(&o->line, (uint8_t)digits[p[i] >> 4]);
		buf_u8(&o->line, (uint8_t)digits[p[i] & 15]);
	}
}

/* -- JSON ----------------------------------------------------------------------------------- */

static void put_json_string(struct out *o, const uint8_t *p, size_t n)
{
	char text[8];
	buf_u8(&o->all, '"');
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f) {
			snprintf(text, sizeof text, "\\u%04x", p[i]);
			add(o, text);
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			buf_u8(&o->all, '\\');
		buf_u8(&o->all, p[i]);
	}
	buf_u8(&o->all, '"');
}

static void end_array(struct out *o, struct out_level *l)
{
	if (l->array)
		add(o, "]");
	l->array = NULL;
}

static void put_key(struct out *o, const char *key)
{
	struct out_level *l = &o->level[o->depth];
	end_array(o, l);
	if (l->any)
		add(o, ",");
	put_json_string(o, (const uint8_t *)key, strlen(key));
	add(o, ":");
	l->any = true;
}

/* At the top one object a line; below, members of an array of their kind. */
static void begin_object(struct out *o, const char *kind)
{
	struct out_level *l = &o->level[o->depth];
	if (o->depth == 0) {
		add(o, "{");
		return;
	}
	if (l->array && !strcmp(l->array, kind)) {
		add(o, ",{");
		return;
	}
	put_key(o, kind);
	add(o, "[{");
	l->array = kind;
}

/* -- items ---------------------------------------------------------------------------------- */

static void put_line(struct out *o)
{
	buf_fill(&o->all, ' ', 2 * (size_t)o->depth);
	buf_add(&o->all, o->line.data, o->line.len);
	add(o, "\n");
	o->line.len = 0;
}

static void begin_only_object(struct out *o, const char *kind)
{
	if (o->depth)
		put_key(o, kind);
	add(o, "{");
}

enum item { ONE_OF_MANY, ONLY, MAP };

static void open_item(struct out *o, const char *kind, enum item item)
{
	if (!o->json) {
		put_line(o);
	} else {
		if (item == ONE_OF_MANY)
			begin_object(o, kind);
		else
			begin_only_object(o, kind);
		if (item != MAP) {
			add(o, "\"words\":");
			put_json_string(o, o->line.data, o->line.len);
		}
		o->line.len = 0;
	}
	if (o->depth + 1 >= OUT_DEPTH_MAX) {
		if (o->st == ST_OK)
			o->st = fail(&o->e, ST_LIMIT, 0, "answer nested too deep");
		return;
	}
	o->level[++o->depth] = (struct out_level){.any = item != MAP};
}

void out_open(struct out *o, const char *kind)
{
	open_item(o, kind, ONE_OF_MANY);
}

void out_open_one(struct out *o, const char *kind)
{
	open_item(o, kind, ONLY);
}

void out_open_map(struct out *o, const char *kind)
{
	open_item(o, kind, MAP);
}

void out_close(struct out *o)
{
	if (o->st != ST_OK || o->depth == 0)
		return;
	if (o->json) {
		end_array(o, &o->level[o->depth]);
		add(o, o->depth == 1 ? "}\n" : "}");
	}
	o->depth--;
	pass_on(o, PORTION);
}

void out_item(struct out *o, const char *kind)
{
	out_open(o, kind);
	out_close(o);
}

void out_remark(struct out *o)
{
	if (!o->json)
		put_line(o);
	o->line.len = 0;
}

void out_num(struct out *o, const char *key, uint64_t n)
{
	char text[24];
	if (!o->json)
		return;
	put_key(o, key);
	snprintf(text, sizeof text, "%" PRIu64, n);
	add(o, text);
}

void out_int(struct out *o, const char *key, int64_t n)
{
	char text[24];
	if (!o->json)
		return;
	put_key(o, key);
	snprintf(text, sizeof text, "%" PRId64, n);
	add(o, text);
}

void out_bool(struct out *o, const char *key, bool b)
{
	if (!o->json)
		return;
	put_key(o, key);
	add(o, b ? "true" : "false");
}

void out_str(struct out *o, const char *key, const char *s)
{
	if (!o->json)
		return;
	put_key(o, key);
	put_json_string(o, (const uint8_t *)s, strlen(s));
}

void out_hex(struct out *o, const char *key, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	if (!o->json)
		return;
	put_key(o, key);
	buf_u8(&o->all, '"');
	for (size_t i = 0; i < n; i++) {
		buf_u8(&o->all, (uint8_t)digits[p[i] >> 4]);
		buf_u8(&o->all, (uint8_t)digits[p[i] & 15]);
	}
	buf_u8(&o->all, '"');
}

void out_raw(struct out *o, const void *p, size_t n)
{
	buf_add(&o->all, p, n);
	pass_on(o, PORTION);
}

st_t out_finish(struct out *o, struct err *e)
{
	pass_on(o, 1);
	if (o->st != ST_OK)
		return fail(e, o->st, 0, "%s", o->e.text);
	TRY(buf_check(&o->line, e, "answer"));
	return buf_check(&o->all, e, "answer");
}

void out_done(struct out *o)
{
	buf_done(&o->all);
	buf_done(&o->line);
}
