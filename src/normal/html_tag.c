/* Tags and comments of HTML.
 *
 *   open    -> comment           at '!': it ends at the next '>', whatever stands before
 *           -> tag               else
 *   tag     -> between           at white space
 *   between -> attr              at anything; '=' needs no blank before it
 *   attr    -> between           at white space
 *           -> assign            at '='
 *   assign  -> value_start       behind white space
 *   value_start -> quoted        at a quote
 *               -> bare          else
 *   quoted  -> behind_value      at the same quote
 *           -> blank_in_value    at white space and at '>'
 *   blank_in_value -> bare       the quote is forgotten
 *   bare    -> between           at white space
 *   behind_value -> attr         with a blank before
 * '>' ends the tag in tag, between, attr, bare and behind_value. */
#include "normal/html_state.h"

#include <string.h>

static html_step_f on_comment, on_tag, on_between, on_assign, on_quoted, on_blank_in_value;

void html_on_open(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	if (c == '!') {
		h->step = on_comment;
		return;
	}
	html_put(h, '<');
	html_token_clear(&h->tag);
	html_token_clear(&h->name);
	h->has_link = false;
	html_step(h, on_tag, c);
}

static void on_comment(struct html *h, uint8_t c)
{
	if (c != '>')
		return;
	h->skip = true;
	h->step = html_on_text;
}

static void on_tag(struct html *h, uint8_t c)
{
	if (c == '>') {
		html_end_tag(h);
	} else if (html_is_blank(c)) {
		h->step = on_between;
	} else {
		html_token_add(&h->tag, c);
		html_put(h, html_lower(c));
	}
}

static void on_between(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	if (c != '>' && c != '=') {
		html_put(h, ' ');
		html_token_clear(&h->name);
	}
	html_step(h, html_on_attr, c);
}

void html_on_attr(struct html *h, uint8_t c)
{
	if (c == '>') {
		html_end_tag(h);
		return;
	}
	if (html_is_blank(c)) {
		h->step = on_between;
		return;
	}
	html_put(h, html_lower(c));
	if (c != '=') {
		html_token_add(&h->name, c);
		return;
	}
	html_token_clear(&h->value);
	h->quote = 0;
	h->loose = false;
	h->step = on_assign;
}

static void on_assign(struct html *h, uint8_t c)
{
	if (!html_is_blank(c))
		html_step(h, html_on_value_start, c);
}

/* clamscan shows the address of a link and of an image in notags. */
static bool names_link(const struct html *h)
{
	return (html_token_is(&h->tag, "a") && html_token_is(&h->name, "href")) ||
	       (html_token_is(&h->tag, "img") && html_token_is(&h->name, "src"));
}

static void end_value(struct html *h)
{
	if (h->loose && h->value.len > 0)
		h->value.len--; /* clamscan takes it for the closing quote */
	if (!h->has_link && names_link(h)) {
		h->link = h->value;
		h->has_link = true;
	}
	h->step = on_between;
}

static void put_value(struct html *h, uint8_t c)
{
	if (c == ':' && h->value.len == 4 && !memcmp(h->value.s, "data", 4)) {
		html_begin_data(h);
		return;
	}
	if (c >= 0x80) {
		html_take_wide(h, c);
		return;
	}
	if (c != '"' && c != '\'')
		html_put_wide(h);
	c = c == '\'' ? '"' : c;
	html_put(h, html_lower(c));
	html_token_add(&h->value, c);
}

void html_on_bare(struct html *h, uint8_t c)
{
	if (c == '>') {
		end_value(h);
		html_end_tag(h);
	} else if (html_is_blank(c)) {
		end_value(h);
	} else if (c == '&') {
		html_begin_entity(h);
	} else {
		put_value(h, c);
	}
}

/* Bytes >= 0x80 and some entities may stand before the opening quote. */
void html_on_value_start(struct html *h, uint8_t c)
{
	if (c >= 0x80) {
		html_take_wide(h, c);
	} else if (c == '&') {
		html_begin_entity(h);
	} else if (c == '"' || c == '\'') {
		html_put(h, '"');
		h->quote = c;
		h->step = on_quoted;
	} else {
		html_step(h, html_on_bare, c);
	}
}

static void on_quoted(struct html *h, uint8_t c)
{
	if (c == h->quote) {
		html_put(h, '"');
		end_value(h);
		h->step = html_on_behind_value;
	} else if (html_is_blank(c) || c == '>') {
		html_put(h, c == '\n' ? ' ' : c);
		html_token_add(&h->value, c == '>' ? c : ' ');
		h->loose = true;
		h->step = on_blank_in_value;
	} else if (c == '&') {
		html_begin_entity(h);
	} else {
		put_value(h, c);
	}
}

static void on_blank_in_value(struct html *h, uint8_t c)
{
	if (!html_is_blank(c))
		html_step(h, html_on_bare, c);
}

void html_on_behind_value(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	if (c != '>' && c != '=')
		html_put(h, ' ');
	html_token_clear(&h->name);
	html_step(h, html_on_attr, c);
}
