/* TUF's JSON: what is accepted has one meaning, and one canonical form whatever it was written
 * like. */
#include "tuf/json.h"
#include "test/t.h"

static struct err e;

static st_t canon_bytes(const void *p, size_t n, struct buf *out)
{
	struct arena a;
	const struct tuf_value *v;
	arena_init(&a, 1 << 20);
	err_clear(&e);
	st_t st = tuf_json_parse(rd_make(p, n), &a, "file", &v, &e);
	if (st == ST_OK)
		tuf_json_canonical(v, out);
	arena_done(&a);
	return st;
}

/* The canonical form, until the next call. */
static const char *canon(const char *s)
{
	static struct buf b;
	b.len = 0;
	if (canon_bytes(s, strlen(s), &b) != ST_OK)
		return e.text;
	buf_u8(&b, 0);
	return (const char *)b.data;
}

static void refuse(const char *s, const char *why)
{
	struct buf b = {0};
	T_EQ(canon_bytes(s, strlen(s), &b), ST_MALFORMED);
	if (!strstr(e.text, why))
		T_FAIL("%s: \"%s\" is not why: \"%s\"", s, why, e.text);
	buf_done(&b);
}

static void names_are_sorted_by_code_point_and_space_goes(void)
{
	T_STR(canon(" { \"b\" : 1 ,\n\"a\":[ true , false,null ]\t,\"B\":{ } }\r\n"),
	      "{\"B\":{},\"a\":[true,false,null],\"b\":1}");
	/* U+10000 is two UTF-16 units that are less than U+FF61, but the greater code point. */
	T_STR(canon("{\"\\ud800\\udc00\":1,\"\\uff61\":2,\"aa\":3,\"a\":4,\"\":5}"),
	      "{\"\":5,\"a\":4,\"aa\":3,\"\xef\xbd\xa1\":2,\"\xf0\x90\x80\x80\":1}");
}

static void texts_escape_quotes_and_backslashes_only(void)
{
	T_STR(canon("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\xc3\xa9\x7f\""),
	      "\"\\\"\\\\/\b\f\n\r\t\x01\xc3\xa9\xc3\xa9\x7f\"");
	T_STR(canon("{\"a\\\"\\n\":\"\"}"), "{\"a\\\"\n\":\"\"}");
}

static void integers_are_whole_to_64_bits(void)
{
	T_STR(canon("[0,-1,7,9223372036854775807,-9223372036854775808]"),
	      "[0,-1,7,9223372036854775807,-9223372036854775808]");
	refuse("9223372036854775808", "64 bits");
	refuse("-9223372036854775809", "64 bits");
	refuse("1.0", "no integer");
	refuse("1e3", "no integer");
	refuse("1E3", "no integer");
	refuse("01", "leading zero");
	refuse("-0", "-0");
	refuse("-", "no value");
	refuse("+1", "no value");
	refuse("NaN", "no value");
}

static void a_name_twice_is_refused_however_it_is_spelled(void)
{
	refuse("{\"a\":1,\"b\":2,\"a\":1}", "twice");
	refuse("{\"a\":1,\"\\u0061\":2}", "twice");
	refuse("[{\"x\":{\"\":1,\"\":1}}]", "twice");
}

static void texts_are_utf_8_without_nul_and_half_pairs(void)
{
	refuse("\"\xc0\x80\"", "UTF-8");
	refuse("\"\xed\xa0\x80\"", "UTF-8");
	refuse("\"\xf4\x90\x80\x80\"", "UTF-8");
	refuse("\"\xc3\"", "UTF-8");
	refuse("\"\\ud800\"", "surrogate");
	refuse("\"\\ud800\\u0041\"", "surrogate");
	refuse("\"\\udc00\"", "surrogate");
	refuse("\"\\u0000\"", "NUL");
	refuse("\"\\u12g4\"", "hex");
	refuse("\"\\x\"", "escape");
	refuse("\"a\nb\"", "control");
	refuse("\"abc", "without end");
	refuse("\"abc\\", "escape");
	struct buf b = {0};
	T_EQ(canon_bytes("\"a\0b\"", 5, &b), ST_MALFORMED);
	T_EQ(canon_bytes("\"\\\0\"", 4, &b), ST_MALFORMED);
	buf_done(&b);
}

static void structure_is_strict(void)
{
	static const char *const bad[] = {"", " ", "{", "[", "[1", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
	                                  "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{} {}", "[]]",
	                                  "tru", "nul", "True", "1 x", "\xef\xbb\xbf{}", "{1:2}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refuse(bad[i], "no strict JSON");
}

static void depth_and_memory_are_limited(void)
{
	char deep[2 * TUF_DEPTH_MAX + 3] = "";
	struct buf b = {0};
	memset(deep, '[', TUF_DEPTH_MAX);
	memset(deep + TUF_DEPTH_MAX, ']', TUF_DEPTH_MAX);
	T_EQ(canon_bytes(deep, 2 * TUF_DEPTH_MAX, &b), ST_OK);
	memset(deep, '[', TUF_DEPTH_MAX + 1);
	memset(deep + TUF_DEPTH_MAX + 1, ']', TUF_DEPTH_MAX + 1);
	T_EQ(canon_bytes(deep, 2 * TUF_DEPTH_MAX + 2, &b), ST_LIMIT);
	b.len = 0;
	buf_u8(&b, '[');
	for (int i = 0; i < 100000; i++)
		buf_add(&b, "1,", 2);
	buf_add(&b, "1]", 2);
	struct buf out = {0};
	T_EQ(canon_bytes(b.data, b.len, &out), ST_LIMIT);
	buf_done(&b);
	buf_done(&out);
}

/* A random value: written plainly to `plain`, and with escapes, white space and members turned
 * round to `other`. */
static void random_value(uint64_t *seed, int depth, struct buf *plain, struct buf *other);

static void random_text(uint64_t *seed, unsigned first, struct buf *plain, struct buf *other)
{
	char text[64];
	unsigned n = (unsigned)(t_rand(seed) % 5);
	int len = snprintf(text, sizeof text, "\"%c", 'a' + (char)first);
	buf_add(plain, text, (size_t)len);
	buf_add(other, text, (size_t)len);
	for (unsigned i = 0; i < n; i++) {
		unsigned c = 0x20 + (unsigned)(t_rand(seed) % 0x5f);
		len = snprintf(text, sizeof text, c == '"' || c == '\\' ? "\\%c" : "%c", (char)c);
		buf_add(plain, text, (size_t)len);
		len = snprintf(text, sizeof text, "\\u%04X", c);
		buf_add(other, text, (size_t)len);
	}
	buf_u8(plain, '"');
	buf_u8(other, '"');
}

static void random_object(uint64_t *seed, int depth, struct buf *plain, struct buf *other)
{
	unsigned n = (unsigned)(t_rand(seed) % 6);
	struct buf turned = {0};
	buf_u8(plain, '{');
	buf_add(other, " {", 2);
	for (unsigned i = 0; i < n; i++) {
		struct buf one = {0};
		random_text(seed, i, plain, &one);
		buf_u8(plain, ':');
		buf_add(&one, "\t: ", 3);
		random_value(seed, depth, plain, &one);
		if (i + 1 < n)
			buf_u8(plain, ',');
		if (i)
			buf_add(&one, "\n,", 2);
		buf_add(&one, turned.data, turned.len);
		buf_done(&turned);
		turned = one;
	}
	buf_add(other, turned.data, turned.len);
	buf_done(&turned);
	buf_u8(plain, '}');
	buf_add(other, "\r}", 2);
}

static void random_value(uint64_t *seed, int depth, struct buf *plain, struct buf *other)
{
	char text[32];
	uint64_t kind = t_rand(seed) % 4;
	if (kind == 0 || depth == 0) {
		int n = snprintf(text, sizeof text, "%" PRId64, (int64_t)t_rand(seed));
		buf_add(plain, text, (size_t)n);
		buf_add(other, text, (size_t)n);
	} else if (kind == 1) {
		random_text(seed, 0, plain, other);
	} else {
		random_object(seed, depth - 1, plain, other);
	}
}

static void one_value_has_one_canonical_form(void)
{
	uint64_t seed = t_seed(20);
	for (int i = 0; i < 2000; i++) {
		struct buf plain = {0}, other = {0}, a = {0}, b = {0};
		random_value(&seed, 4, &plain, &other);
		T_EQ(canon_bytes(plain.data, plain.len, &a), ST_OK);
		T_EQ(canon_bytes(other.data, other.len, &b), ST_OK);
		if (a.len != plain.len || b.len != a.len || memcmp(a.data, plain.data, a.len) ||
		    memcmp(a.data, b.data, a.len))
			T_FAIL("round %d: %.*s", i, (int)other.len, (const char *)other.data);
		buf_done(&plain);
		buf_done(&other);
		buf_done(&a);
		buf_done(&b);
	}
}

int main(void)
{
	T_RUN(names_are_sorted_by_code_point_and_space_goes);
	T_RUN(texts_escape_quotes_and_backslashes_only);
	T_RUN(integers_are_whole_to_64_bits);
	T_RUN(a_name_twice_is_refused_however_it_is_spelled);
	T_RUN(texts_are_utf_8_without_nul_and_half_pairs);
	T_RUN(structure_is_strict);
	T_RUN(depth_and_memory_are_limited);
	T_RUN(one_value_has_one_canonical_form);
	return t_end();
}
