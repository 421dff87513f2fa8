#include "explain/test_views.h"

#include "normal/text.h"
#include "parse/filetype.h"
#include "parse/views.h"
#include "verify/engine.h"

#include <stdlib.h>

/* The bytes themselves, a copy, three views of HTML; messages of data: URLs come on top. */
#define VIEWS_MAX 6

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
	if (of->len < VIEWS_TEXT_MIN)
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
	    .facts = copy_facts(whole, of->len, n),
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

static void add_raw(struct test_views *ret, enum file_type type, const struct exe_layout *exe,
                    const struct explain_object *object)
{
	uint8_t target = type_raw_target(type);
	ret->v[ret->n++] = (struct test_view){
	    .words = "In the file as it is",
	    .target = target,
	    .views_only = target != filetype_target(type),
	    .facts = {.file_size = object->len, .exe = exe},
	    .object = *object,
	};
}

st_t test_views_of(const struct db_view *db, enum file_type type, const struct exe_layout *exe,
                   const struct explain_object *object, struct test_views *ret, struct err *e)
{
	static const struct html_opts opts = {.scripts = true};
	struct rd in = rd_make(object->data, object->len);
	bool html = type_is_html(type) || (type == FT_TEXT_ASCII && filetype_has_late_tags(in));
	*ret = (struct test_views){0};
	if (html)
		TRY(html_views_of(type, in, &opts, &ret->html, e));
	ret->v = calloc(ret->html.n_data + VIEWS_MAX, sizeof *ret->v);
	if (!ret->v)
		return fail(e, ST_NOMEM, 0, "test: out of memory");
	if (!type_hides_raw(type)) {
		add_raw(ret, type, exe, object);
		if (engine_needs_of(db) & ENGINE_NEEDS_IMAGE_HASH)
			TRY(find_image_hash(type, in, &ret->v[0].facts, e));
	}
	if (html)
		return add_html(ret, db, object, e);
	if (type_has_copy(type))
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
