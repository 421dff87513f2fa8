/* What the files of the HTML normaliser share: its state, its output and the states of its machine
 * that one file hands over to another. */
#ifndef VITRINE_NORMAL_HTML_STATE_H
#define VITRINE_NORMAL_HTML_STATE_H

#include "normal/html.h"

/* Bytes of a name or value that are remembered, which is what clamscan shows of an address.
 * Output is not cut. */
#define HTML_TOKEN_MAX 1022

/* A longer name is that of no entity. */
#define HTML_ENTITY_MAX 1023

struct html;
typedef void html_step_f(struct html *h, uint8_t c);

struct html_token {
	uint8_t s[HTML_TOKEN_MAX];
	size_t len;
	bool closed; /* takes no more */
};

struct html_wide {
	uint8_t s[3];
	unsigned n;
};

enum html_content { HTML_TEXT, HTML_SCRIPT, HTML_STYLE };

struct html {
	const struct html_opts *opts;
	struct html_views *out;
	struct err *e;
	html_step_f *step; /* what the next byte means */
	enum html_content content;

	bool skip;         /* white space does not count until something else came */
	bool blank;        /* white space is owed to nocomment */
	uint8_t said;      /* last byte of notags, not counting wide ones */

	/* Bytes >= 0x80, up to three at a time, that wait for what follows. */
	struct html_wide text_wide, value_wide;

	html_step_f *after; /* where the entity at hand returns to */
	uint32_t number;    /* its value, if it is numeric */
	char ent[HTML_ENTITY_MAX + 1];
	size_t ent_len;

	struct html_token tag, name, value;
	struct html_token link; /* for notags, before the byte that follows the tag */
	bool has_link, show_link;
	uint8_t quote; /* that ends the value, or 0 */
	bool loose;    /* the value began with a quote that does not end it any more */

	struct buf data_type;
	bool data_begun; /* a byte of the type was seen */
	unsigned escape; /* digits of a %xx that are still to come */
	uint8_t escaped; /* its first digit */

	bool in_script;    /* a byte of a script was seen */
	bool script_ended; /* but white space behind it still counts */
	struct buf script; /* the script as it stands */
	st_t st;
};

static inline bool html_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f';
}

static inline uint8_t html_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* To nocomment, and to notags (which folds white space). */
static inline void html_put(struct html *h, uint8_t c)
{
	buf_u8(&h->out->nocomment, c);
}

static inline void html_say(struct html *h, uint8_t c)
{
	if (c < ' ')
		c = ' ';
	if (c == ' ' && h->said == ' ')
		return;
	buf_u8(&h->out->notags, c);
	h->said = c;
}

/* A byte >= 0x80 of text, raw content or a value, and the end of some of them in a value. */
void html_take_wide(struct html *h, uint8_t c);
void html_put_wide(struct html *h);

/* Hands a byte on to another state. */
void html_step(struct html *h, html_step_f *f, uint8_t c);

/* Tokens. html_token_is() compares in lower case. */
void html_token_clear(struct html_token *t);
void html_token_add(struct html_token *t, uint8_t c);
bool html_token_is(const struct html_token *t, const char *s);

/* html.c: text; content of script and style; the end of a tag. */
html_step_f html_on_text, html_on_raw;
void html_end_tag(struct html *h);

/* html_tag.c: a tag from the byte behind '<' on. */
html_step_f html_on_open, html_on_attr, html_on_value_start, html_on_bare, html_on_behind_value;

/* html_entity.c: behind '&'. Returns to the present step. */
void html_begin_entity(struct html *h);
void html_end_entity(struct html *h); /* at the end of the file */

/* html_data.c: behind "data:". */
void html_begin_data(struct html *h);
void html_end_data(struct html *h); /* at the end of the file */
html_step_f html_on_data;

#endif
