#include "parse/views.h"

#include "image/image.h"
#include "normal/utf16.h"

bool type_has_copy(enum file_type t)
{
	return t == FT_TEXT_ASCII || t == FT_TEXT_UTF8 || t == FT_TEXT_UTF16LE || t == FT_TEXT_UTF16BE;
}

bool type_is_html(enum file_type t)
{
	return t == FT_HTML || t == FT_HTML_UTF16;
}

uint8_t type_raw_target(enum file_type t)
{
	uint8_t target = filetype_target(t);
	return target == TARGET_TEXT || t == FT_HTML_UTF16 ? TARGET_ANY : target;
}

bool type_hides_raw(enum file_type t)
{
	return t == FT_HTML;
}

st_t html_views_of(enum file_type type, struct rd in, const struct html_opts *opts,
                   struct html_views *ret, struct err *e)
{
	struct buf decoded = {0};
	if (type != FT_HTML_UTF16)
		return normal_html(in, opts, ret, e);
	st_t st = normal_utf16(in.base, in.len, &decoded, e);
	if (st == ST_OK)
		st = normal_html(rd_make(decoded.data, decoded.len), opts, ret, e);
	buf_done(&decoded);
	return st;
}

struct object_facts copy_facts(bool whole, size_t text, size_t copy)
{
	return (struct object_facts){.file_size = whole ? copy : text, .in_windows = !whole};
}

/* What is no picture has no hash; of a picture that is not decoded the hash is not known, which is
 * not the same. */
st_t find_image_hash(enum file_type type, struct rd in, struct object_facts *ret, struct err *e)
{
	struct err why = {0};
	if (!image_has_hash(type))
		return ST_OK;
	st_t st = image_hash(in, type, &ret->image_hash, &why);
	if (st < 0)
		return fail(e, st, why.off, "%s", why.text);
	ret->has_image_hash = st == ST_OK;
	ret->image_unknown = st != ST_OK;
	return ST_OK;
}
