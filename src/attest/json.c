#include "attest/json.h"

#include <string.h>

/* Brackets outside of texts. Whether they match is the parser's to say. */
static bool too_deep(struct rd in)
{
	size_t depth = 0;
	bool text = false;
	while (rd_left(&in) > 0) {
		uint8_t c = rd_u8(&in);
		if (text && c == '\\')
			rd_skip(&in, rd_left(&in) ? 1 : 0);
		else if (c == '"')
			text = !text;
		else if (!text && (c == '{' || c == '['))
			depth++;
		else if (!text && (c == '}' || c == ']'))
			depth -= depth > 0;
		if (depth > ATTEST_DEPTH_MAX)
			return true;
	}
	return false;
}

st_t attest_json_load(struct rd in, size_t max, const char *what, json_t **ret, struct err *e)
{
	size_t n = rd_left(&in);
	if (n > max)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", what, max);
	if (too_deep(in))
		return fail(e, ST_LIMIT, 0, "%s: nested deeper than %d", what, ATTEST_DEPTH_MAX);
	const uint8_t *p = rd_take(&in, n);
	json_error_t why;
	json_t *o = json_loadb(n ? (const char *)p : "", n, JSON_REJECT_DUPLICATES, &why);
	if (!o && json_error_code(&why) == json_error_out_of_memory)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	if (!o)
		return fail(e, ST_MALFORMED, (uint64_t)why.position, "%s: no JSON: %s", what, why.text);
	if (!json_is_object(o)) {
		json_decref(o);
		return fail(e, ST_MALFORMED, 0, "%s: not a JSON object", what);
	}
	*ret = o;
	return ST_OK;
}

static st_t member(const json_t *o, const char *key, json_type type, const char *what,
                   const json_t **ret, struct err *e)
{
	static const char *const words[] = {[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
	                                    [JSON_STRING] = "a text"};
	const json_t *v = json_object_get(o, key);
	if (!v)
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is missing", what, key);
	if (json_typeof(v) != type)
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is not %s", what, key, words[type]);
	*ret = v;
	return ST_OK;
}

st_t attest_json_text(const json_t *o, const char *key, const char *what, const char **ret,
                      struct err *e)
{
	const json_t *v = NULL;
	TRY(member(o, key, JSON_STRING, what, &v, e));
	*ret = json_string_value(v);
	return ST_OK;
}

st_t attest_json_object(const json_t *o, const char *key, const char *what, const json_t **ret,
                        struct err *e)
{
	return member(o, key, JSON_OBJECT, what, ret, e);
}

st_t attest_json_array(const json_t *o, const char *key, const char *what, const json_t **ret,
                       struct err *e)
{
	return member(o, key, JSON_ARRAY, what, ret, e);
}

void attest_preload(uint32_t seed)
{
	json_object_seed(seed ? seed : 1); /* 0 would make jansson look for one itself */
}
