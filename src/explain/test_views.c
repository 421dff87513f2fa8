#include "explain/test_views.h"

#include "image/image.h"
#include "normal/text.h"
#include "normal/utf16.h"
#include "parse/filetype.h"
#include "verify/engine.h"

#include <stdlib.h>

/* ClamAV's target types. */
enum { TARGET_ANY = 0, TARGET_HTML = 3, TARGET_MAIL = 4, TARGET_TEXT = 7 };

/* Objects below this have no copy (scan/views.c). */
#define TEXT_MIN 6u

/* The bytes themselves, a copy, three views of HTML; messages of data: URLs come on top. */
#define VIEWS_MAX 6

static bool is_text(enum file_type t)
{
	return t == FT_TEXT_ASCII || t == FT_TEXT_UTF8 || t == FT_TEXT_UTF16LE || t == FT_TEXT_UTF16BE;
}

static bool is_html(enum file_type t)
{
	return t == FT_HTML || t == FT_HTML_UTF16;
}

/* The matcher may look at some bytes behind the end. */
static st_t pad(struct buf *b, struct err *e)
{
	size_t n = b->len;
	buf_fill(b, 0, DB_TAIL_PAD);
	TRY(buf_check(b, e, "view of the file"));
	b->len = n;
	return ST_OK;
}

static st_t add_text(struct test_views *ret, const struct db_view *db, const char *words,
                     const struct explain_object *of, struct err *e)
{
	if (of->len < TEXT_MIN)
		return ST_OK;
	TRY(normal_text(of->data, of->len, &ret->copy, e));
	TRY(pad(&ret->copy, e));
	size_t n = ret->copy.len;
	if (n == 0)
		return ST_OK;
	bool whole = engine_needs_of(db) & ENGINE_NEEDS_WHOLE_TEXT;
	ret->v[ret->n++] = (struct test_view){
	    .words = words,
	    .target = TARGET_TEXT,
	    .facts = {.file_size = whole ? n : of->len, .in_windows = !whole},
	    .object = {ret->copy.data, n, of->deadline_ns},
	};
	return ST_OK;
}

static st_t add_view(struct test_views *ret, const char *words, const char *name, uint8_t target,
                     struct buf *b, uint64_t deadline_ns, struct err *e)
{
	TRY(pad(b, e));
	if (b->len == 0)
		return ST_OK;
	ret->v[ret->n++] = (struct test_view){
	    .words = words,
	    .target = target,
	    .digests = true,
	    .name = name,
	    .facts = {.file_size = b->len},
	    .object = {b->data, b->len, deadline_ns},
	};
	return ST_OK;
}

static st_t make_html(enum file_type type, const struct explain_object *object,
                      struct html_views *ret, struct err *e)
{
	struct rd in = rd_make(object->data, object->len);
	struct html_opts opts = {.scripts = true};
	struct buf decoded = {0};
	st_t st = ST_OK;
	if (type == FT_HTML_UTF16) {
		st = normal_utf16(object->data, object->len, &decoded, e);
		in = rd_make(decoded.data, decoded.len);
	}
	if (st == ST_OK)
		st = normal_html(in, &opts, ret, e);
	buf_done(&decoded);
	return st;
}

static st_t add_html(struct test_views *ret, const struct db_view *db,
                     const struct explain_object *object, struct err *e)
{
	struct html_views *h = &ret->html;
	uint64_t until = object->deadline_ns;
	TRY(add_view(ret, "In its HTML without comments (nocomment), with offsets there", "nocomment",
	             TARGET_HTML, &h->nocomment, until, e));
	TRY(add_view(ret, "In the text of its HTML (notags), with offsets there", "notags", TARGET_HTML,
	             &h->notags, until, e));
	TRY(add_view(ret, "In its scripts, normalised (javascript), with offsets there", "javascript",
	             TARGET_HTML, &h->javascript, until, e));
	struct explain_object script = {h->javascript.data, h->javascript.len, until};
	TRY(add_text(ret, db, "In the normalised copy of its scripts, with offsets in the copy",
	             &script, e));
	for (size_t i = 0; i < h->n_data; i++)
		TRY(add_view(ret, "In the message made of a data: URL, with offsets there",
		             "a data: URL", TARGET_MAIL, &h->data[i], until, e));
	return ST_OK;
}

/* As scan/match.c does. */
static st_t add_image(const struct db_view *db, enum file_type type, struct test_view *v,
                      struct err *e)
{
	struct err why = {0};
	if (!(engine_needs_of(db) & ENGINE_NEEDS_IMAGE_HASH) || !image_has_hash(type))
		return ST_OK;
	struct rd in = rd_make(v->object.data, v->object.len);
	st_t st = image_hash(in, type, &v->facts.image_hash, &why);
	if (st < 0)
		return fail(e, st, why.off, "%s", why.text);
	v->facts.has_image_hash = st == ST_OK;
	v->facts.image_unknown = st != ST_OK;
	return ST_OK;
}

static void add_raw(struct test_views *ret, enum file_type type, const struct exe_layout *exe,
                    const struct explain_object *object)
{
	uint8_t target = filetype_target(type);
	ret->v[ret->n++] = (struct test_view){
	    .words = "In the file as it is",
	    .target = target == TARGET_TEXT ? TARGET_ANY : target,
	    .raw_of_copy = target == TARGET_TEXT,
	    .facts = {.file_size = object->len, .exe = exe},
	    .object = *object,
	};
}

st_t test_views_of(const struct db_view *db, enum file_type type, const struct exe_layout *exe,
                   const struct explain_object *object, struct test_views *ret, struct err *e)
{
	bool late = type == FT_TEXT_ASCII && filetype_has_late_tags(rd_make(object->data, object->len));
	*ret = (struct test_views){0};
	if (is_html(type) || late)
		TRY(make_html(type, object, &ret->html, e));
	ret->v = calloc(ret->html.n_data + VIEWS_MAX, sizeof *ret->v);
	if (!ret->v)
		return fail(e, ST_NOMEM, 0, "test: out of memory");
	/* Nothing matches HTML as it is. */
	if (!is_html(type)) {
		add_raw(ret, type, exe, object);
		TRY(add_image(db, type, &ret->v[0], e));
	}
	if (is_html(type) || late)
		return add_html(ret, db, object, e);
	if (is_text(type))
		TRY(add_text(ret, db, "In its normalised copy (lower case, single blanks), with offsets in "
		             "the copy", object, e));
	return ST_OK;
}

void test_views_done(struct test_views *v)
{
	free(v->v);
	html_views_done(&v->html);
	buf_done(&v->copy);
}
