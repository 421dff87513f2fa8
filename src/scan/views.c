/* Views: text and HTML in the forms that signatures for targets 7 and 3 are written for. What has a
 * view, and who sees what, is said in doc/views.md.
 *
 * A view is no object of its own: it stands where its object stands, costs nothing of the limits,
 * and what is found in it is a finding in the object. */
#include "base/num.h"
#include "normal/text.h"
#include "scan/internal.h"

/* ClamAV's target types. */
enum { TARGET_ANY = 0, TARGET_HTML = 3, TARGET_TEXT = 7 };

/* Objects below this have no type in clamscan, and so no copy. */
#define TEXT_MIN 6u

static bool is_text(enum file_type t)
{
	return t == FT_TEXT_ASCII || t == FT_TEXT_UTF8 || t == FT_TEXT_UTF16LE || t == FT_TEXT_UTF16BE;
}

bool views_raw_target(const struct scanner *s, enum file_type type, uint8_t *ret)
{
	(void)s;
	*ret = filetype_target(type);
	/* Signatures for target 7 never see text as it is. */
	if (*ret == TARGET_TEXT)
		*ret = TARGET_ANY;
	return true;
}

/* Matches the bytes of s->copy, which is as long as it was filled. `facts` are completed. */
static st_t match_view(struct scanner *s, struct object *o, uint8_t target,
                       struct object_facts *facts, struct err *e)
{
	uint8_t layers[LAYERS_MAX];
	size_t n = s->copy.len;
	TRY(buf_check(&s->copy, e, "view of an object"));
	if (n == 0)
		return ST_OK;
	facts->layers = layers;
	facts->nlayers = match_layers(o, layers);
	engine_begin(s->engine, target, s->copy.data, n, facts);
	for (size_t fed = 0; fed < n && !s->stop;) {
		fed += num_min_size(CHUNK, n - fed);
		engine_feed(s->engine, fed);
		TRY(limits_check_time(s));
	}
	return match_object(s, o, e);
}

/* Whole vectors are loaded at the end of a view, too. */
static bool has_tail(struct buf *b)
{
	return buf_room(b, DB_TAIL_PAD) != NULL;
}

static st_t match_text(struct scanner *s, struct object *o, struct err *e)
{
	if (s->opts.no_normalize || o->len < TEXT_MIN || o->len > s->opts.limits.max_scriptnormalize)
		return ST_OK;
	s->copy.len = 0;
	TRY(normal_text(o->data, o->len, &s->copy, e));
	if (!has_tail(&s->copy))
		return fail(e, ST_NOMEM, 0, "no memory for a view");
	/* As if clamscan went over it in windows: there the size is the text's, and no window has an
	 * end. */
	bool whole = engine_needs(s->engine) & ENGINE_NEEDS_WHOLE_TEXT;
	struct object_facts facts = {.file_size = whole ? s->copy.len : o->len, .no_end = !whole};
	return match_view(s, o, TARGET_TEXT, &facts, e);
}

st_t views_match(struct scanner *s, struct object *o, struct err *e)
{
	if (is_text(o->type))
		return match_text(s, o, e);
	return ST_OK;
}
