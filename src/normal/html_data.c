/* data: URLs (RFC 2397: "data:[<mediatype>][;base64],<data>") in values of attributes. Each
 * becomes a mail message, as clamscan makes it: the type as it stands, in lower case; the data
 * with %xx decoded, base64 left to whoever reads the message.
 *
 *   type   -> data           at ','
 *          -> behind_value   at the quote, or at white space where there is none
 *   data   -> behind_data    likewise, and at '>'
 *   escape                   the two digits behind '%'; what is no digit is lost
 * White space or '>' in a quoted type makes it forget its quotes; white space that follows does
 * not end it. */
#include "normal/html_state.h"

#include <stdlib.h>
#include <string.h>

static html_step_f on_type, on_blank_in_type, on_behind_data;

void html_begin_data(struct html *h)
{
	h->data_type.len = 0;
	h->escape = 0;
	h->data_begun = false;
	h->step = on_type;
}

static bool ends(const struct html *h, uint8_t c)
{
	return h->quote ? c == h->quote : html_is_blank(c);
}

static struct buf *message(struct html *h)
{
	return &h->out->data[h->out->n_data - 1];
}

static bool is_base64(const struct buf *type)
{
	static const char word[] = ";base64";

	if (type->len == 0)
		return false;
	return memmem(type->data, type->len, word, sizeof word - 1) != NULL;
}

static void open_message(struct html *h)
{
	struct html_views *v = h->out;

	if ((v->n_data & (v->n_data + 1)) == 0) {
		struct buf *p = reallocarray(v->data, 2 * v->n_data + 1, sizeof *p);

		if (!p) {
			h->st = fail(h->e, ST_NOMEM, 0, "html: out of memory");
			return;
		}
		v->data = p;
	}
	v->data[v->n_data++] = (struct buf){0};
	struct buf *b = message(h);
	buf_text(b, "From html-normalise\nContent-type: ");
	buf_add(b, h->data_type.data, h->data_type.len);
	if (is_base64(&h->data_type))
		buf_text(b, "\nContent-transfer-encoding: base64");
	buf_text(b, "\n\n");
}

/* Shows the attribute as if "data" were its value. */
static void show_value(struct html *h)
{
	if (!h->data_begun && h->quote)
		html_put(h, '"');
	h->data_begun = true;
}

static void on_type(struct html *h, uint8_t c)
{
	bool blank = html_is_blank(c);

	show_value(h);
	if (c == ',') {
		open_message(h);
		h->step = html_on_data;
	} else if (ends(h, c)) {
		h->step = html_on_behind_value;
	} else if (c == '>' && !h->quote) {
		html_end_tag(h);
	} else {
		buf_u8(&h->data_type, blank ? ' ' : html_lower(c));
		if (blank || c == '>') {
			h->quote = 0;
			h->loose = true;
			h->step = on_blank_in_type;
		}
	}
}

static void on_blank_in_type(struct html *h, uint8_t c)
{
	if (!html_is_blank(c))
		html_step(h, on_type, c);
}

static int digit(uint8_t c)
{
	uint8_t l = html_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static void take_escape(struct html *h, uint8_t c)
{
	int d = digit(c);

	if (--h->escape == 0) {
		buf_u8(message(h), (uint8_t)(h->escaped << 4 | (d < 0 ? 0 : d)));
	} else if (d < 0) {
		buf_text(message(h), "%0");
		h->escape = 0;
	} else {
		h->escaped = (uint8_t)d;
	}
}

void html_on_data(struct html *h, uint8_t c)
{
	if (h->escape)
		take_escape(h, c);
	else if (ends(h, c) || (c == '>' && !h->quote))
		h->step = on_behind_data;
	else if (c == '&')
		html_begin_entity(h);
	else if (c == '%')
		h->escape = 2;
	else
		buf_u8(message(h), c);
}

static void on_behind_data(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	html_token_clear(&h->name);
	html_step(h, html_on_attr, c);
}

void html_end_data(struct html *h)
{
	if (h->step == on_type && !h->data_begun)
		html_put(h, ':');
}
