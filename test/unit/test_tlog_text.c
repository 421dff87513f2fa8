/* tlog/text: lines, numbers, base64 and UTF-8 of the C2SP formats. */
#include "tlog/text.h"

#include "test/t.h"
#include "tlog_vectors.h"

static void a_line_ends_with_lf_and_the_last_one_needs_it_too(void)
{
	struct rd in = rd_str("a\n\nbc"), line;
	T_TRUE(text_line(&in, &line) && text_is(line, "a"));
	T_TRUE(text_line(&in, &line) && text_is(line, ""));
	T_TRUE(!text_line(&in, &line));
	T_EQ(rd_left(&in), 2);
	in = rd_make(NULL, 0);
	T_TRUE(!text_line(&in, &line));
}

static void decimals_have_one_spelling(void)
{
	static const char *const bad[] = {"", "00", "01", "+1", "-1", " 1", "1 ", "1a", "0x1", "1_0",
	                                  "18446744073709551616", "99999999999999999999", "1\n", "1.",
	                                  "\xd9\xa1"};
	uint64_t v = 7;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (text_decimal(rd_str(bad[i]), &v))
			T_FAIL("accepted \"%s\"", bad[i]);
	T_EQ(v, 7);
	T_TRUE(text_decimal(rd_str("0"), &v) && v == 0);
	T_TRUE(text_decimal(rd_str("18446744073709551615"), &v) && v == UINT64_MAX);
}

static void decimals_are_read_as_they_are_written(void)
{
	uint64_t state = t_seed(1), v;
	for (int i = 0; i < 2000; i++) {
		struct buf b = {0};
		uint64_t n = t_rand(&state) >> (t_rand(&state) % 64);
		text_decimal_add(&b, n);
		T_TRUE(text_decimal(rd_buf(&b), &v) && v == n);
		buf_done(&b);
	}
}

/* RFC 4648 section 10. */
static void base64_is_that_of_rfc_4648(void)
{
	static const char *const pair[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	                                      {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
	                                      {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8="}};
	for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
		struct buf b = {0};
		uint8_t raw[16];
		size_t n;
		text_base64_add(&b, pair[i][0], strlen(pair[i][0]));
		T_TRUE(buf_is(&b, rd_str(pair[i][1])));
		T_TRUE(text_base64(rd_str(pair[i][1]), raw, sizeof raw, &n));
		T_EQ(n, strlen(pair[i][0]));
		T_MEM(raw, pair[i][0], n);
		buf_done(&b);
	}
}

static void base64_has_one_spelling(void)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8", "====", "Zg==Zg==",
	                                  "Zm9v\n", "Zm 9v", "Z===", "=Zg=", "Zm9-", "Zm9_", "Zm8=\n",
	                                  "Zg=a", "=", "==", "Zm9vZ===", "\xc3\xa9g=="};
	uint8_t raw[16];
	size_t n = 99;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (text_base64(rd_str(bad[i]), raw, sizeof raw, &n) ||
		    text_base64_check(rd_str(bad[i]), &n))
			T_FAIL("accepted \"%s\"", bad[i]);
	T_TRUE(!text_base64(rd_str("Zm9v"), raw, 2, &n));
	T_EQ(n, 99);
}

/* Every text of four characters of a small alphabet: what is accepted is what encoding gives. */
static void base64_accepted_is_base64_written(void)
{
	static const char abc[] = "AQBgwx/+9=\n";
	uint8_t raw[3];
	size_t n, accepted = 0;
	for (size_t i = 0; i < 11 * 11 * 11 * 11; i++) {
		char s[5] = {abc[i % 11], abc[i / 11 % 11], abc[i / 121 % 11], abc[i / 1331], 0};
		struct buf b = {0};
		if (text_base64(rd_str(s), raw, sizeof raw, &n)) {
			text_base64_add(&b, raw, n);
			T_TRUE(buf_is(&b, rd_str(s)));
			accepted++;
		}
		buf_done(&b);
	}
	T_TRUE(accepted > 9 * 9 * 9 * 9);
}

static void a_hash_is_32_bytes(void)
{
	struct tlog_hash h, empty;
	tlog_hash_empty(&empty);
	T_TRUE(text_hash(rd_str("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), &h));
	T_TRUE(tlog_hash_equal(&h, &empty));
	T_TRUE(!text_hash(rd_str("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA=="), &h));
	T_TRUE(!text_hash(rd_str("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA"), &h));
	T_TRUE(!text_hash(rd_str("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="), &h));
	T_TRUE(!text_hash(rd_str(""), &h));
}

static void utf8_is_that_of_rfc_3629(void)
{
	static const char *const bad[] = {"\x80",
	                                  "\xc0\x80",
	                                  "\xc1\xbf",
	                                  "\xe0\x9f\xbf",
	                                  "\xed\xa0\x80",
	                                  "\xed\xbf\xbf",
	                                  "\xf0\x8f\xbf\xbf",
	                                  "\xf4\x90\x80\x80",
	                                  "\xf8\x88\x80\x80\x80",
	                                  "\xff",
	                                  "\xfe",
	                                  "\xe2\x80",
	                                  "\xe2",
	                                  "\xf0\x9f\x98",
	                                  "a\xe2\x80z",
	                                  "\xc3\xc3"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (text_is_note(rd_str(bad[i])))
			T_FAIL("accepted number %zu", i);
	T_TRUE(
		text_is_note(rd_str("\x7f\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90"
	                        "\x80\x80\xf4\x8f\xbf\xbf\n")));
}

static size_t utf8_encode(uint32_t c, uint8_t s[4])
{
	if (c < 0x80)
		return s[0] = (uint8_t)c, 1;
	if (c < 0x800)
		return s[0] = (uint8_t)(0xc0 | c >> 6), s[1] = (uint8_t)(0x80 | (c & 63)), 2;
	if (c < 0x10000)
		return s[0] = (uint8_t)(0xe0 | c >> 12), s[1] = (uint8_t)(0x80 | (c >> 6 & 63)),
		       s[2] = (uint8_t)(0x80 | (c & 63)), 3;
	return s[0] = (uint8_t)(0xf0 | c >> 18), s[1] = (uint8_t)(0x80 | (c >> 12 & 63)),
	       s[2] = (uint8_t)(0x80 | (c >> 6 & 63)), s[3] = (uint8_t)(0x80 | (c & 63)), 4;
}

static void every_code_point_is_read_back_and_surrogates_are_none(void)
{
	uint32_t got = 0;
	for (uint32_t c = 0; c < 0x110400; c++) {
		uint8_t s[4];
		size_t n = utf8_encode(c, s);
		struct rd in = rd_make(s, n);
		bool ok = text_rune(&in, &got);
		bool want = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		if (ok != want || (ok && (got != c || rd_left(&in))))
			T_FAIL("U+%04X", c);
	}
}

static void a_note_has_no_control_characters_but_lf(void)
{
	for (int c = 0; c < 0x20; c++) {
		char s[] = {'a', (char)c, 'b'};
		T_EQ(text_is_note(rd_make(s, sizeof s)), c == '\n');
	}
	struct err e = {0};
	T_EQ(text_check_note(rd_str("ab\rc"), &e), ST_MALFORMED);
	T_STR(e.text, "signed-note: control character 0x0d");
	T_EQ(e.off, 2);
}

static void items_are_what_spaces_and_tabs_separate(void)
{
	static const char *const want[] = {"a", "b+c", "d"};
	struct rd line = rd_make("\ta  b+c\t d ", 11), item;
	for (size_t i = 0; i < 3; i++)
		T_TRUE(text_item(&line, &item) && text_is(item, want[i]));
	T_TRUE(!text_item(&line, &item));
	line = rd_make("", 0);
	T_TRUE(!text_item(&line, &item));
}

static void what_stands_before_a_byte_is_taken_with_it_or_nothing(void)
{
	struct rd in = rd_make("a++b", 4), part;
	T_TRUE(text_until(&in, '+', &part) && text_is(part, "a"));
	T_TRUE(text_until(&in, '+', &part) && text_is(part, ""));
	T_TRUE(!text_until(&in, '+', &part) && text_is(in, "b"));
}

int main(void)
{
	T_RUN(items_are_what_spaces_and_tabs_separate);
	T_RUN(what_stands_before_a_byte_is_taken_with_it_or_nothing);
	T_RUN(a_line_ends_with_lf_and_the_last_one_needs_it_too);
	T_RUN(decimals_have_one_spelling);
	T_RUN(decimals_are_read_as_they_are_written);
	T_RUN(base64_is_that_of_rfc_4648);
	T_RUN(base64_has_one_spelling);
	T_RUN(base64_accepted_is_base64_written);
	T_RUN(a_hash_is_32_bytes);
	T_RUN(utf8_is_that_of_rfc_3629);
	T_RUN(every_code_point_is_read_back_and_surrogates_are_none);
	T_RUN(a_note_has_no_control_characters_but_lf);
	return t_end();
}
