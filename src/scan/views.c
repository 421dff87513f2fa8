/* Views: text and HTML in the forms that signatures for targets 7 and 3 are written for. What has a
 * view, and who sees what, is said in doc/views.md.
 *
 * A view is no object of its own: it stands where its object stands, costs nothing of the limits,
 * and what is found in it is a finding in the object. */
#include "parse/views.h"

#include "base/num.h"
#include "normal/text.h"
#include "scan/internal.h"

#include <inttypes.h>
#include <stdio.h>

static bool has_html_views(const struct scanner *s, enum file_type t)
{
	return type_is_html(t) && !s->opts.no_html && !s->opts.no_normalize;
}

/* What stands in HTML as data: URLs belongs to its views, not to archives. */
bool views_may_open(const struct scanner *s, enum file_type type)
{
	return type_is_html(type) ? has_html_views(s, type) : s->opts.archives;
}

bool views_raw_target(const struct scanner *s, enum file_type type, uint8_t *ret)
{
	*ret = type_raw_target(type);
	return !type_hides_raw(type) || !has_html_views(s, type);
}

/* Matches the bytes of a view. `facts` are completed. */
static st_t match_view(struct scanner *s, struct object *o, struct buf *view, uint8_t target,
                       struct object_facts *facts, struct err *e)
{
	size_t n = view->len;
	/* Whole vectors are loaded at the end of a view, too. */
	if (!buf_room(view, DB_TAIL_PAD))
		return fail(e, ST_NOMEM, 0, "no memory for a view");
	/* Of an empty copy in windows clamscan still asks what holds without any match. */
	if ((n == 0 && !facts->in_windows) || s->stop)
		return ST_OK;
	match_layers(o, facts);
	engine_begin(s->engine, target, view->data, n, facts);
	for (size_t fed = 0; fed < n && !s->stop;) {
		fed += num_min_size(CHUNK, n - fed);
		engine_feed(s->engine, fed);
		TRY(limits_check_time(s));
	}
	return match_object(s, o, true, e);
}

static st_t match_text(struct scanner *s, struct object *o, const uint8_t *data, size_t len,
                       struct err *e)
{
	/* As in clamscan, --scan-html=no takes away the copies of text, too. */
	if (s->opts.no_normalize || s->opts.no_html)
		return ST_OK;
	if (len < VIEWS_TEXT_MIN || len > s->opts.limits.max_scriptnormalize)
		return ST_OK;
	s->copy.len = 0;
	TRY(normal_text(data, len, &s->copy, e));
	bool whole = engine_needs(s->engine) & ENGINE_NEEDS_WHOLE_TEXT;
	struct object_facts facts = copy_facts(whole, len, s->copy.len);
	return match_view(s, o, &s->copy, TARGET_TEXT, &facts, e);
}

static st_t match_html_view(struct scanner *s, struct object *o, struct buf *view, uint8_t target,
                            struct err *e)
{
	struct object_facts facts = {.file_size = view->len};
	TRY(match_view(s, o, view, target, &facts, e));
	return view->len > 0 ? match_view_digests(s, o, view->data, view->len, e) : ST_OK;
}

/* A limit on a view is a limit on what is looked at. */
static st_t too_large(struct scanner *s, const char *what, uint64_t limit)
{
	char text[80];
	snprintf(text, sizeof text, "%s reached: %" PRIu64, what, limit);
	return report_incomplete(s, ST_LIMIT, text);
}

static st_t match_html_views(struct scanner *s, struct object *o, struct html_views *v,
                             struct err *e)
{
	TRY(match_html_view(s, o, &v->nocomment, TARGET_HTML, e));
	if (o->len > s->opts.limits.max_htmlnotags)
		TRY(too_large(s, "MaxHTMLNoTags", s->opts.limits.max_htmlnotags));
	else
		TRY(match_html_view(s, o, &v->notags, TARGET_HTML, e));
	TRY(match_html_view(s, o, &v->javascript, TARGET_HTML, e));
	TRY(match_text(s, o, v->javascript.data, v->javascript.len, e));
	for (size_t i = 0; i < v->n_data && !s->stop; i++)
		TRY(match_html_view(s, o, &v->data[i], TARGET_MAIL, e));
	return ST_OK;
}

/* Where there is no memory for the views, or too much script, that is the input's doing. */
static st_t match_html(struct scanner *s, struct object *o, struct err *e)
{
	static const struct html_opts opts = {.scripts = true};
	struct html_views views = {0};
	struct err why = {0};
	if (o->len > s->opts.limits.max_htmlnormalize)
		return too_large(s, "MaxHTMLNormalize", s->opts.limits.max_htmlnormalize);
	st_t st = html_views_of(o->type, rd_make(o->data, o->len), &opts, &views, &why);
	if (st == ST_OK)
		st = match_html_views(s, o, &views, e);
	else
		st = report_incomplete(s, ST_LIMIT, why.text);
	html_views_done(&views);
	return st;
}

st_t views_match(struct scanner *s, struct object *o, struct err *e)
{
	if (o->type == FT_TEXT_ASCII && has_html_views(s, FT_HTML) &&
	    filetype_has_late_tags(rd_make(o->data, o->len)))
		return match_html(s, o, e);
	if (type_has_copy(o->type))
		return match_text(s, o, o->data, o->len, e);
	return has_html_views(s, o->type) ? match_html(s, o, e) : ST_OK;
}
