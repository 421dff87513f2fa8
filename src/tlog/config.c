#include "tlog/config.h"

#include "base/num.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of an item that a message shows. */
#define SHOWN_MAX 48
#define SHOW(item) (int)num_min_size((item).len, SHOWN_MAX), (const char *)(item).base

st_t config_bad(struct config_reader *r, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fail(r->e, ST_MALFORMED, r->number, "line %" PRIu64 ": %s", r->number, text);
}

bool config_seen(const struct config_reader *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->directive[i].name, name))
			return r->seen[i];
	return false;
}

st_t config_keep(struct config_reader *r, struct rd item, const char **ret)
{
	size_t n = rd_left(&item);
	char *s = arena_strndup(r->arena, (const char *)rd_take(&item, n), n);
	if (!s)
		return fail(r->e, ST_NOMEM, 0, "configuration: out of memory");
	*ret = s;
	return ST_OK;
}

bool config_ends_with(struct rd item, const char *tail)
{
	size_t n = strlen(tail);
	if (rd_left(&item) < n)
		return false;
	rd_skip(&item, rd_left(&item) - n);
	return rd_peek(&item, tail, n);
}

st_t config_item(struct config_reader *r, const struct config_directive *d, struct rd *ret)
{
	if (!text_item(&r->line, ret))
		return config_bad(r, "\"%s\" without a value", d->name);
	if (text_is(*ret, "="))
		return config_bad(r, "write \"%s VALUE\", without \"=\"", d->name);
	return ST_OK;
}

static const struct {
	const char *unit;
	uint64_t seconds;
} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

st_t config_parse_time(struct config_reader *r, const struct config_directive *d, struct rd item,
                       uint64_t *ret)
{
	uint64_t v;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!config_ends_with(item, units[i].unit))
			continue;
		struct rd digits = rd_at(&item, 0, rd_left(&item) - 1);
		if (!text_decimal(digits, &v) || !num_mul_u64(v, units[i].seconds, &v))
			continue;
		if (v < d->min || v > d->max)
			return config_bad(r, "%s: a time from %" PRIu64 "s to %" PRIu64 "s is needed", d->name,
			                  d->min, d->max);
		*ret = v;
		return ST_OK;
	}
	return config_bad(r, "%s: a time is a number and s, m, h or d, such as 24h", d->name);
}

st_t config_time(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	TRY(config_item(r, d, &item));
	return config_parse_time(r, d, item, at);
}

st_t config_number(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	uint64_t v;
	TRY(config_item(r, d, &item));
	if (!text_decimal(item, &v) || v < d->min || v > d->max)
		return config_bad(r, "%s: a number from %" PRIu64 " to %" PRIu64 " is needed", d->name,
		                  d->min, d->max);
	*(uint64_t *)at = v;
	return ST_OK;
}

st_t config_bool(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	TRY(config_item(r, d, &item));
	if (!text_is(item, "yes") && !text_is(item, "no"))
		return config_bad(r, "%s: \"yes\" or \"no\" is needed", d->name);
	*(bool *)at = text_is(item, "yes");
	return ST_OK;
}

st_t config_parse_url(struct config_reader *r, struct rd item, size_t max, const char **ret)
{
	if (rd_left(&item) >= max)
		return config_bad(r, "a URL is shorter than %zu bytes", max);
	if (!rd_peek(&item, "http://", 7) && !rd_peek(&item, "https://", 8))
		return config_bad(r, "a URL starts with https:// or http://");
	return config_keep(r, item, ret);
}

st_t config_url(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	TRY(config_item(r, d, &item));
	return config_parse_url(r, item, (size_t)d->max, at);
}

st_t config_text(struct config_reader *r, const struct config_directive *d, void *at)
{
	struct rd item;
	TRY(config_item(r, d, &item));
	return config_keep(r, item, at);
}

/* As in a tlog-policy: "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and
 * 0x80-0xFF". */
static st_t check_octets(struct config_reader *r)
{
	for (size_t i = 0; i < r->line.len; i++) {
		uint8_t c = rd_byte(&r->line, i);
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return config_bad(r, "byte 0x%02x is not allowed%s", c,
			                  c == '\r' ? ": lines end with LF, not with CR LF" : "");
	}
	return ST_OK;
}

static bool is_policy_word(struct rd word)
{
	return rd_peek(&word, "#", 1) || text_is(word, "log") || text_is(word, "witness") ||
	       text_is(word, "group") || text_is(word, "quorum");
}

static st_t read_directive(struct config_reader *r, size_t i)
{
	struct rd item;
	const struct config_directive *d = &r->directive[i];
	if (r->seen[i] && !d->again)
		return config_bad(r, "a second \"%s\"; there is one at most", d->name);
	r->seen[i] = true;
	TRY(d->read(r, d, (char *)r->fill + d->off));
	if (text_item(&r->line, &item))
		return config_bad(r, "too many words: nothing may follow, but \"%.*s\" does", SHOW(item));
	return ST_OK;
}

/* Takes a line of ours. *ret_ours is false for all others, which the policy's reader judges. */
static st_t read_line(struct config_reader *r, bool *ret_ours)
{
	struct rd word;
	*ret_ours = false;
	TRY(check_octets(r));
	if (!text_item(&r->line, &word) || is_policy_word(word))
		return ST_OK;
	*ret_ours = true;
	for (size_t i = 0; i < r->n; i++)
		if (text_is(word, r->directive[i].name))
			return read_directive(r, i);
	return config_bad(r, "\"%.*s\" is no directive; %s lists them", SHOW(word), r->manual);
}

static void set_fallbacks(struct config_reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->directive[i].fallback)
			memcpy((char *)r->fill + r->directive[i].off, &r->directive[i].fallback,
			       sizeof r->directive[i].fallback);
}

/* The last line need not end with LF. */
static struct rd take_line(struct rd *text)
{
	struct rd line;
	if (!text_line(text, &line))
		line = rd_sub(text, rd_left(text));
	return line;
}

st_t config_read(struct config_reader *r, struct rd text)
{
	set_fallbacks(r);
	while (rd_left(&text) > 0) {
		bool ours;
		struct rd line = take_line(&text);
		r->number++;
		r->line = line;
		TRY(read_line(r, &ours));
		if (!ours)
			buf_add(&r->policy, line.base, line.len);
		buf_u8(&r->policy, '\n');
	}
	return buf_check(&r->policy, r->e, "configuration");
}

/* Appends the line with what `file` holds in place of its name. */
static st_t expand_line(struct rd line, struct rd item, const struct config_expand *x,
                        struct buf *out, struct err *e)
{
	char name[4096];
	if (item.len >= sizeof name)
		return fail(e, ST_LIMIT, 0, "the name of a file is longer than %zu bytes", sizeof name);
	struct rd r = item;
	rd_copy(&r, name, item.len);
	name[item.len] = '\0';
	struct buf file = {0};
	size_t before = rd_offset(&line, &item), after = before + item.len;
	st_t st = x->read(x->ctx, name, &file, e);
	if (st == ST_OK) {
		buf_add(out, line.base, before);
		st = x->put(line, rd_make(file.data, file.len), out, e);
	}
	if (st == ST_OK)
		buf_add(out, line.base + after, line.len - after);
	buf_done(&file);
	return st;
}

st_t config_expand(struct rd text, const struct config_expand *x, struct buf *out, struct err *e)
{
	struct rd item;
	while (rd_left(&text) > 0) {
		struct rd line = take_line(&text);
		if (x->names(line, &item))
			TRY(expand_line(line, item, x, out, e));
		else
			buf_add(out, line.base, line.len);
		buf_u8(out, '\n');
	}
	return buf_check(out, e, "configuration");
}
