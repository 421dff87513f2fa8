/* The data: URLs (RFC 2397) of an HTML file as its children. normal/html.c finds them and gives
 * each as a mail message, which is what signatures see; here the message's body is taken out of
 * it.
 *
 *   From html-normalise\n
 *   Content-type: TYPE\n
 *   [Content-transfer-encoding: base64\n]
 *   \n
 *   BODY */
#include "parse/data_url.h"

#include "base/num.h"
#include "parse/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct format_ctx {
	struct html_views views;
	size_t next;
	struct buf body; /* of the current child */
	struct rd rest; /* of it, not read yet */
	char name[32];
};

/* An attribute's value that is one begins so, in small letters. UTF-16 of either order, of which
 * FT_HTML is the big-endian one, has zeroes in between. */
static int bid(enum file_type type, struct rd in)
{
	static const char wide[] = "d\0a\0t\0a\0:";
	if (type == FT_HTML && memmem(in.base, in.len, "data:", 5))
		return 50;
	return type_is_html(type) && memmem(in.base, in.len, wide, sizeof wide - 1) ? 50 : 0;
}

static st_t open_html(struct rd in, enum file_type type, struct format_ctx **ret, struct err *e)
{
	static const struct html_opts opts = {.scripts = false};
	struct format_ctx *c = calloc(1, sizeof *c);
	if (!c)
		return fail(e, ST_LIMIT, 0, "html: not enough memory");
	st_t st = html_views_of(type, in, &opts, &c->views, e);
	if (st != ST_OK) {
		free(c);
		return st == ST_NOMEM ? fail(e, ST_LIMIT, 0, "html: not enough memory") : st;
	}
	*ret = c;
	return ST_OK;
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648, section 4; what is no digit is passed over, '=' ends it. */
static void decode(struct rd *in, struct buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;
	while (rd_left(in) > 0) {
		uint8_t c = rd_u8(in);
		int d = digit(c);
		if (c == '=')
			return;
		if (d < 0)
			continue;
		bits = bits << 6 | (uint32_t)d;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		buf_u8(out, (uint8_t)(bits >> n));
	}
}

static struct rd take_line(struct rd *in)
{
	size_t n = 0, left = rd_left(in);
	while (n < left && rd_byte(in, in->pos + n) != '\n')
		n++;
	struct rd line = rd_sub(in, n);
	rd_skip(in, n < left);
	while (line.len > 0 && rd_byte(&line, line.len - 1) == '\r')
		line.len--;
	return line;
}

static bool is_blank(const struct rd *line)
{
	for (size_t i = 0; i < line->len; i++) {
		uint8_t c = rd_byte(line, i);
		if (c != ' ' && (c < '\t' || c > '\r'))
			return false;
	}
	return line->len > 0;
}

/* Text is the lines of a mail, as clamscan reads them: each has an end, without CR; one of blanks
 * is one blank; of empty lines in a row one is left, at the start none. It cuts and splits some
 * lines besides: not here, where nothing gets lost. */
static void add_lines(struct rd *in, struct buf *out)
{
	bool empty = true; /* the line before */
	while (rd_left(in) > 0) {
		struct rd line = take_line(in);
		if (line.len == 0 && empty)
			continue;
		empty = line.len == 0;
		if (is_blank(&line))
			line = rd_make(" ", 1);
		buf_add(out, line.base, line.len);
		buf_u8(out, '\n');
	}
}

static void take_body(const struct buf *message, struct buf *out)
{
	static const char encoded[] = "\nContent-transfer-encoding: base64\n\n";
	const uint8_t *p = message->len ? memmem(message->data, message->len, "\n\n", 2) : NULL;
	out->len = 0;
	if (!p)
		return;
	size_t at = (size_t)(p - message->data) + 2;
	bool base64 = at >= sizeof encoded - 1 &&
	              !memcmp(message->data + at - (sizeof encoded - 1), encoded, sizeof encoded - 1);
	struct rd in = rd_make(message->data + at, message->len - at);
	if (base64)
		decode(&in, out);
	else if (!memchr(in.base, 0, in.len))
		add_lines(&in, out);
	else
		buf_add(out, in.base, in.len);
}

static st_t next(struct format_ctx *c, struct member *ret, bool *ret_end, struct err *e)
{
	*ret_end = c->next >= c->views.n_data;
	if (*ret_end)
		return ST_OK;
	take_body(&c->views.data[c->next++], &c->body);
	if (c->body.oom)
		return fail(e, ST_LIMIT, 0, "html: not enough memory");
	c->rest = rd_make(c->body.data, c->body.len);
	snprintf(c->name, sizeof c->name, "data-url-%zu", c->next);
	*ret = (struct member){.name = c->name, .has_size = true, .size = c->body.len,
	                       .is_regular = true};
	return ST_OK;
}

static st_t read_body(struct format_ctx *c, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
	(void)e;
	*ret_n = num_min_size(cap, rd_left(&c->rest));
	rd_copy(&c->rest, buf, *ret_n);
	return ST_OK;
}

static void close_html(struct format_ctx *c)
{
	html_views_done(&c->views);
	buf_done(&c->body);
	free(c);
}

const struct format format_data_url = {
	.name = "html",
	.bid = bid,
	.open = open_html,
	.next = next,
	.read = read_body,
	.close = close_html,
};
