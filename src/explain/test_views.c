#include "explain/test_views.h"

#include "image/image.h"
#include "normal/text.h"
#include "verify/engine.h"

/* ClamAV's target type of text; objects below TEXT_MIN have no copy (scan/views.c). */
#define TARGET_TEXT 7
#define TEXT_MIN 6u

static bool is_text(enum file_type t)
{
	return t == FT_TEXT_ASCII || t == FT_TEXT_UTF8 || t == FT_TEXT_UTF16LE || t == FT_TEXT_UTF16BE;
}

static st_t add_text(struct test_views *ret, const struct db_view *db,
                     const struct explain_object *object, struct err *e)
{
	TRY(normal_text(object->data, object->len, &ret->copy, e));
	size_t n = ret->copy.len;
	buf_fill(&ret->copy, 0, DB_TAIL_PAD);
	TRY(buf_check(&ret->copy, e, "view of the file"));
	if (n == 0)
		return ST_OK;
	bool whole = engine_needs_of(db) & ENGINE_NEEDS_WHOLE_TEXT;
	ret->v[ret->n++] = (struct test_view){
	    .words = "In its normalised copy (lower case, single blanks), with offsets in the copy",
	    .target = TARGET_TEXT,
	    .facts = {.file_size = whole ? n : object->len, .in_windows = !whole},
	    .object = {ret->copy.data, n, object->deadline_ns},
	};
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

st_t test_views_of(const struct db_view *db, enum file_type type, const struct exe_layout *exe,
                   const struct explain_object *object, struct test_views *ret, struct err *e)
{
	uint8_t target = filetype_target(type);
	*ret = (struct test_views){.n = 1};
	ret->v[0] = (struct test_view){
	    .words = "In the file as it is",
	    .target = target == TARGET_TEXT ? 0 : target,
	    .raw_of_copy = target == TARGET_TEXT,
	    .facts = {.file_size = object->len, .exe = exe},
	    .object = *object,
	};
	TRY(add_image(db, type, &ret->v[0], e));
	return is_text(type) && object->len >= TEXT_MIN ? add_text(ret, db, object, e) : ST_OK;
}

void test_views_done(struct test_views *v)
{
	buf_done(&v->copy);
}
