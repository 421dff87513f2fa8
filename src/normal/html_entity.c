/* Character references in text, in values and in the content of script and style.
 *
 *   first  -> number_first   at '#'
 *          -> name           else
 *   name   -> back           at ';' and at anything that is no part of a name
 *   number_first -> hex      at 'x'
 *                -> decimal  else
 *   decimal -> hex           at 'x' behind nothing but zeros
 *   decimal, hex -> back     at ';' and at anything that is no digit */
#include "normal/entity.h"
#include "normal/html_state.h"

#include <stdio.h>

static html_step_f on_first, on_name, on_number_first, on_decimal, on_hex;

/* From here on clamscan writes a character as a reference again. */
#define FIRST_REFERENCE 255

void html_begin_entity(struct html *h)
{
	h->after = h->step;
	h->ent_len = 0;
	h->number = 0;
	h->step = on_first;
}

/* Most entities begin a value; html_on_value_start would take a quote behind them. */
static void end(struct html *h)
{
	h->step = h->after == html_on_value_start ? html_on_bare : h->after;
}

static bool in_value(const struct html *h)
{
	return h->after != html_on_text && h->after != html_on_raw && h->after != html_on_data;
}

static void put(struct html *h, uint8_t c)
{
	html_put(h, html_lower(c));
	if (in_value(h))
		html_token_add(&h->value, c);
}

static void put_reference(struct html *h, unsigned v)
{
	char text[16];
	int n = snprintf(text, sizeof text, "&#x%04x;", v);

	buf_add(&h->out->nocomment, text, (size_t)n);
}

/* A NUL ends the value that clamscan remembers, and one byte early. */
static void close_value(struct html *h)
{
	if (!in_value(h))
		return;
	if (!h->value.closed && h->value.len > 0)
		h->value.len--;
	h->value.closed = true;
}

/* '&' and the name as they stand. */
static void put_name(struct html *h)
{
	put(h, '&');
	for (size_t i = 0; i < h->ent_len; i++)
		put(h, html_lower((uint8_t)h->ent[i]));
}

static bool find(struct html *h, uint16_t *ret_value)
{
	h->ent[h->ent_len] = 0;
	return entity_find(h->ent, ret_value);
}

static void put_named(struct html *h, uint16_t v)
{
	char text[16];

	if (v < FIRST_REFERENCE) {
		put(h, (uint8_t)v);
		return;
	}
	int n = snprintf(text, sizeof text, "&#x%04x;", (unsigned)v);
	for (int i = 0; i < n; i++)
		put(h, (uint8_t)text[i]);
}

static void on_first(struct html *h, uint8_t c)
{
	if (c == '#')
		h->step = on_number_first;
	else
		html_step(h, on_name, c);
}

static bool is_name(uint8_t c)
{
	uint8_t l = html_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '_';
}

static void on_name(struct html *h, uint8_t c)
{
	uint16_t v;

	if (is_name(c) && h->ent_len < HTML_ENTITY_MAX) {
		h->ent[h->ent_len++] = (char)c;
		return;
	}
	if (c == ';' && find(h, &v)) {
		put_named(h, v);
		end(h);
		return;
	}
	put_name(h);
	end(h);
	if (c == ';')
		put(h, c);
	else
		h->step(h, c);
}

static void on_number_first(struct html *h, uint8_t c)
{
	if (html_lower(c) == 'x')
		h->step = on_hex;
	else
		html_step(h, on_decimal, c);
}

/* clamscan takes an 'x' as long as the number is 0: "&#0x41;" and "&#xx41;" are "&#x41;". */
static bool begins_hex(const struct html *h, uint8_t c)
{
	return h->number == 0 && html_lower(c) == 'x';
}

/* The full stops of Unicode that browsers take for a '.' in the name of a host. */
static bool is_stop(unsigned v)
{
	return v == 0x3002 || v == 0xfe52 || v == 0xff0e;
}

/* Ended by anything but ';' it is one byte and does not count for the value; else the value
 * takes that one byte. */
static void end_number(struct html *h, uint8_t c)
{
	unsigned v = h->number & 0xffff;

	if (c != ';') {
		html_put(h, (uint8_t)v);
		html_step(h, h->after, c);
		return;
	}
	end(h);
	if (is_stop(v))
		html_put(h, '.');
	else if (v >= FIRST_REFERENCE)
		put_reference(h, v);
	else if (v || !h->number)
		html_put(h, h->number > 0xff ? (uint8_t)v : html_lower((uint8_t)v));
	if ((uint8_t)v == 0)
		close_value(h);
	else if (in_value(h))
		html_token_add(&h->value, (uint8_t)v);
}

static void on_decimal(struct html *h, uint8_t c)
{
	if (c >= '0' && c <= '9')
		h->number = h->number * 10 + (c - '0');
	else if (begins_hex(h, c))
		h->step = on_hex;
	else
		end_number(h, c);
}

static void on_hex(struct html *h, uint8_t c)
{
	uint8_t l = html_lower(c);

	if (c >= '0' && c <= '9')
		h->number = h->number * 16 + (c - '0');
	else if (l >= 'a' && l <= 'f')
		h->number = h->number * 16 + (l - 'a' + 10);
	else if (!begins_hex(h, c))
		end_number(h, c);
}

void html_end_entity(struct html *h)
{
	uint16_t v;

	if (h->step != on_name || h->ent_len == 0)
		return;
	if (find(h, &v))
		put_named(h, v);
	else
		put_name(h);
}
