/* The machine that makes the views of HTML: one byte at a time, one step function per state.
 * This file has text, comments and the content of script and style; html_tag.c has tags,
 * html_entity.c character references, html_data.c data: URLs.
 *
 *   text -> tag         at '<'        [html_on_open]
 *   tag  -> text | raw  at '>'        [html_end_tag]; raw: the content of script and style
 *   text, raw, value -> entity -> back  [html_begin_entity]
 *   raw  -> raw_open -> raw | raw_close
 *   raw_close -> raw | text
 *
 * Invariants
 * 1. A byte is handed on to another state at most three times (html_step).
 * 2. Per byte of input at most 8 bytes go to a view (a numeric entity); what a token or an
 *    entity held back goes out once, a link once per tag: hence HTML_VIEWS_FACTOR.
 * 3. What is remembered is cut; what goes out is not. */
#include "normal/html_state.h"

#include "normal/script.h"

#include <stdlib.h>
#include <string.h>

/* clamscan takes pieces of at most so many bytes, which end behind white space or before it if
 * there is any; white space at the start of a piece is lost. */
#define PIECE_MAX 8191

static html_step_f on_raw_open, on_raw_comment, on_raw_close;

void html_step(struct html *h, html_step_f *f, uint8_t c)
{
	h->step = f;
	f(h, c);
}

void html_token_clear(struct html_token *t)
{
	t->len = 0;
	t->closed = false;
}

void html_token_add(struct html_token *t, uint8_t c)
{
	if (t->len < HTML_TOKEN_MAX && !t->closed)
		t->s[t->len++] = c;
}

bool html_token_is(const struct html_token *t, const char *s)
{
	if (t->len != strlen(s))
		return false;
	for (size_t i = 0; i < t->len; i++)
		if (html_lower(t->s[i]) != (uint8_t)s[i])
			return false;
	return true;
}

/* Text */

static void put_owed_blank(struct html *h)
{
	if (h->blank)
		html_put(h, ' ');
	h->blank = false;
	h->skip = false;
}

void html_on_text(struct html *h, uint8_t c)
{
	if (html_is_blank(c)) {
		html_say(h, ' ');
		h->blank = !h->skip;
		return;
	}
	put_owed_blank(h);
	if (c >= 0x80) {
		html_take_wide(h, c);
	} else if (c == '<') {
		html_say(h, ' ');
		h->step = html_on_open;
	} else if (c == '&') {
		html_say(h, ' ');
		html_begin_entity(h);
	} else {
		html_put(h, html_lower(c));
		html_say(h, html_lower(c));
	}
}

/* Content of script and style */

static void end_script(struct html *h)
{
	if (h->opts->scripts && h->st == ST_OK) {
		h->out->has_script = true;
		h->st = normal_script(rd_make(h->script.data, h->script.len), &h->out->javascript, h->e);
	}
	h->script.len = 0;
	h->in_script = false;
	h->script_ended = false;
}

void html_end_tag(struct html *h)
{
	html_put(h, '>');
	h->skip = true;
	h->blank = false;
	h->step = html_on_text;
	if (html_token_is(&h->tag, "script"))
		h->content = HTML_SCRIPT;
	if (html_token_is(&h->tag, "style"))
		h->content = HTML_STYLE;
	if (h->content != HTML_TEXT)
		h->step = html_on_raw;
	h->show_link = h->has_link && h->link.len > 0;
}

void html_on_raw(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	if (c == '&') {
		html_begin_entity(h);
		return;
	}
	if (c >= 0x80) {
		html_take_wide(h, c);
		return;
	}
	html_put(h, c == '\'' ? '"' : html_lower(c));
	if (c == '<')
		h->step = on_raw_open;
}

static void on_raw_open(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	html_put(h, html_lower(c));
	html_token_clear(&h->tag);
	h->step = html_on_raw;
	if (c == '/')
		h->step = on_raw_close;
	if (c == '!')
		h->step = on_raw_comment;
}

/* A comment in a script stays, but hides what is in it: also an end of the script. */
static void on_raw_comment(struct html *h, uint8_t c)
{
	if (html_is_blank(c))
		return;
	html_put(h, c == '\'' ? '"' : html_lower(c));
	if (c == '>')
		h->step = html_on_raw;
}

/* A style ends with a script, too. */
static bool closes(const struct html *h)
{
	return html_token_is(&h->tag, "script") ||
	       (h->content == HTML_STYLE && html_token_is(&h->tag, "style"));
}

static void on_raw_close(struct html *h, uint8_t c)
{
	bool blank = html_is_blank(c);

	if (!blank)
		html_put(h, html_lower(c));
	if (!blank && c != '>') {
		html_token_add(&h->tag, c);
		return;
	}
	h->step = html_on_raw;
	if (!closes(h))
		return;
	h->script_ended = h->content == HTML_SCRIPT;
	h->content = HTML_TEXT;
	h->skip = true;
	h->step = html_on_text;
}

/* Bytes >= 0x80, up to three together, wait for what follows. clamscan's notags has, for one
 * alone, a NUL; for two, the first twice; for three, the first and twice the second. Nothing of
 * them is seen at the end of the file. */
static void put_wide_text(struct html *h)
{
	static const uint8_t shown[4][3] = {{0}, {0}, {0, 0}, {0, 1, 1}};
	struct html_wide *w = &h->text_wide;

	for (unsigned i = 0; i < w->n; i++) {
		html_put(h, w->s[i]);
		buf_u8(&h->out->notags, w->n == 1 ? 0 : w->s[shown[w->n][i]]);
	}
	w->n = 0;
}

void html_put_wide(struct html *h)
{
	struct html_wide *w = &h->value_wide;

	for (unsigned i = 0; i < w->n; i++) {
		html_put(h, w->s[i]);
		html_token_add(&h->value, w->s[i]);
	}
	w->n = 0;
}

void html_take_wide(struct html *h, uint8_t c)
{
	bool text = h->step == html_on_text || h->step == html_on_raw;
	struct html_wide *w = text ? &h->text_wide : &h->value_wide;

	if (w->n == sizeof w->s) {
		if (text)
			put_wide_text(h);
		else
			html_put_wide(h);
	}
	w->s[w->n++] = c;
}

static void show_link(struct html *h)
{
	buf_add(&h->out->notags, h->link.s, h->link.len);
	buf_u8(&h->out->notags, ' ');
	h->said = ' ';
	h->show_link = false;
	h->has_link = false;
}

/* White space behind a script belongs to it. */
static void take_script(struct html *h, uint8_t c)
{
	if (h->script_ended && c && !html_is_blank(c) && c != '\r')
		end_script(h);
	if ((h->content != HTML_SCRIPT && !h->script_ended) || !c)
		return;
	buf_u8(&h->script, c);
	h->in_script = true;
}

static void take(struct html *h, uint8_t c)
{
	take_script(h, c);
	if (c == 0 || c == '\r')
		return;
	if (h->show_link)
		show_link(h);
	if (h->text_wide.n && c < 0x80)
		put_wide_text(h);
	h->step(h, c);
}

static void take_end(struct html *h)
{
	if (h->step == html_on_open)
		html_put(h, '<');
	html_end_entity(h);
	html_end_data(h);
	if (h->in_script)
		end_script(h);
}

static bool breaks(const struct rd *in, size_t i)
{
	uint8_t c = rd_byte(in, i);

	return html_is_blank(c) || c == '\r';
}

/* Where the piece that starts at `pos` ends. Of two pieces in a row the second always reaches
 * PIECE_MAX behind the start of the first, so that looking back costs linear time. */
static size_t piece_end(const struct rd *in, size_t pos)
{
	if (in->len - pos <= PIECE_MAX)
		return in->len;
	if (breaks(in, pos + PIECE_MAX))
		return pos + PIECE_MAX;
	for (size_t i = pos + PIECE_MAX; i > pos + 1; i--)
		if (breaks(in, i - 1))
			return i;
	return pos + PIECE_MAX;
}

/* Ordinary characters of text: nothing but themselves in either view. */
static bool is_plain(uint8_t c)
{
	return c > ' ' && c < 0x80 && c != '<' && c != '&';
}

/* Takes the ordinary text at pos; returns where it ends. The same as byte by byte, for most of the
 * bytes of most files. */
static size_t take_text(struct html *h, const struct rd *in, size_t pos, size_t end)
{
	size_t n = 0;

	if (h->step != html_on_text || h->content != HTML_TEXT || h->script_ended || h->show_link ||
	    h->text_wide.n)
		return pos;
	while (pos + n < end && is_plain(rd_byte(in, pos + n)))
		n++;
	if (n == 0)
		return pos;
	put_owed_blank(h);
	uint8_t *shown = buf_room(&h->out->nocomment, n), *said = buf_room(&h->out->notags, n);
	for (size_t i = 0; shown && said && i < n; i++)
		shown[i] = said[i] = html_lower(rd_byte(in, pos + i));
	if (!shown || !said)
		return pos + n; /* told by check() */
	h->said = said[n - 1];
	h->out->nocomment.len += n;
	h->out->notags.len += n;
	return pos + n;
}

static void take_piece(struct html *h, const struct rd *in, size_t pos, size_t end)
{
	bool start = true;

	for (size_t i = pos; i < end; i++) {
		uint8_t c = rd_byte(in, i);

		start = start && (breaks(in, i) || c == 0);
		if (!start)
			take(h, c);
		else
			take_script(h, c);
		if (!start && i + 1 < end)
			i = take_text(h, in, i + 1, end) - 1;
	}
}

static void take_all(struct html *h, const struct rd *in)
{
	for (size_t pos = in->pos, end; pos < in->len && h->st == ST_OK; pos = end) {
		end = piece_end(in, pos);
		take_piece(h, in, pos, end);
	}
	take_end(h);
}

void html_views_done(struct html_views *v)
{
	buf_done(&v->nocomment);
	buf_done(&v->notags);
	buf_done(&v->javascript);
	for (size_t i = 0; i < v->n_data; i++)
		buf_done(&v->data[i]);
	free(v->data);
	*v = (struct html_views){0};
}

static st_t check(struct html *h)
{
	TRY(h->st);
	TRY(buf_check(&h->out->nocomment, h->e, "html"));
	TRY(buf_check(&h->out->notags, h->e, "html"));
	TRY(buf_check(&h->script, h->e, "html"));
	return buf_check(&h->data_type, h->e, "html");
}

st_t normal_html(struct rd in, const struct html_opts *opts, struct html_views *ret, struct err *e)
{
	struct html *h = calloc(1, sizeof *h);
	struct html_views out = {0};

	if (!h)
		return fail(e, ST_NOMEM, 0, "html: out of memory");
	h->opts = opts;
	h->out = &out;
	h->e = e;
	h->step = html_on_text;
	h->skip = true;
	take_all(h, &in);
	st_t st = check(h);
	buf_done(&h->script);
	buf_done(&h->data_type);
	free(h);
	if (st != ST_OK)
		html_views_done(&out);
	*ret = out;
	return st;
}
