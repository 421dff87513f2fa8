/* src/normal: every vector was seen in clamscan 1.4.6 (the copy that --leave-temps keeps) or in
 * sigtool 1.4.6. */
#include "normal/text.h"
#include "normal/utf16.h"
#include "test/t.h"
#include "test/unit/guard.h"

typedef st_t normal_fn(const uint8_t *data, size_t n, struct buf *out, struct err *e);

/* All bytes but 'A'-'Z', the blanks and those that are dropped stay what they are. */
static int byte_by_rule(int c)
{
	if (c < 9 || (c > 13 && c < 32) || c > 127)
		return -1;
	if (c < 33)
		return ' ';
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The rule, read aloud. */
static size_t by_rule(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		int c = byte_by_rule(in[i]);
		if (c < 0 || (c == ' ' && len && out[len - 1] == ' '))
			continue;
		out[len++] = (uint8_t)c;
	}
	return len;
}

static void check(normal_fn *fn, const char *in, size_t n, const char *want, size_t want_len)
{
	struct buf out = {0};
	T_EQ(fn((const uint8_t *)in, n, &out, NULL), ST_OK);
	T_EQ(out.len, want_len);
	if (out.len == want_len)
		T_MEM(out.data, want, want_len);
	buf_done(&out);
}

#define GIVES(fn, in, want) check(fn, in, sizeof(in) - 1, want, sizeof(want) - 1)

static void each_byte_is_kept_folded_or_dropped(void)
{
	for (int c = 0; c < 256; c++) {
		char in[] = {'x', 'q', (char)c, 'z', 'w'};
		int is = byte_by_rule(c);
		char with[] = {'x', 'q', (char)is, 'z', 'w'};
		check(normal_text, in, 5, is < 0 ? "xqzw" : with, is < 0 ? 4 : 5);
	}
}

static void of_blanks_in_a_row_one_is_left(void)
{
	GIVES(normal_text, "", "");
	GIVES(normal_text, "Hello   World\n\n\tFoo\1" "Bar\x80\xc4\r\nABC", "hello world foobar abc");
	GIVES(normal_text, "  a  ", " a ");
	GIVES(normal_text, "\n\na\n\n", " a ");
	GIVES(normal_text, "                    ", " ");
	GIVES(normal_text, "#!/bin/sh\nEcho  Hello\n", "#!/bin/sh echo hello ");
}

static void dropped_bytes_do_not_part_blanks(void)
{
	GIVES(normal_text, "a \1 b", "a b");
	GIVES(normal_text, "a \x80 b", "a b");
	GIVES(normal_text, "a\0 \0b", "a b");
	GIVES(normal_text, "\1 \1", " ");
	GIVES(normal_text, "\xe4\xe4\1\1", "");
}

static void no_encoding_is_known(void)
{
	GIVES(normal_text, "\xef\xbb\xbf\xc3\x84rger  \xc3\x9c" "BER \xe2\x82\xac\n", "rger ber ");
	GIVES(normal_text, "\xff\xfeH\0E\0L\0 \0 \0L\0O\0", "hel lo");
	GIVES(normal_text, "\xfe\xff\0H\0E\0L\0L\0O", "hello");
	GIVES(normal_text, "H\0E\0L\0L\0O\0\xe4\0 \xac\x20", "hello ");
}

/* Every byte at every place of a word, in front of and behind every kind of neighbour. */
static void a_word_at_once_gives_what_its_bytes_give(void)
{
	static const uint8_t near[] = {'a', 'Z', ' ', '\n', 0, 0x80, 0xff, 0x7f, '@', '['};
	uint8_t in[24], want[24], got[24];

	for (unsigned at = 0; at < 16; at++)
		for (unsigned c = 0; c < 256; c++)
			for (unsigned k = 0; k < sizeof near * sizeof near; k++) {
				memset(in, 'x', sizeof in);
				in[at] = (uint8_t)c;
				in[at + 1] = near[k % sizeof near];
				in[(at + 23) % 24] = near[k / sizeof near];
				struct normal_text t = {0};
				size_t n = by_rule(in, sizeof in, want);
				T_EQ(normal_text_run(&t, in, sizeof in, got), n);
				T_MEM(got, want, n);
			}
}

static void fill_random(uint8_t *p, size_t n, uint64_t *state)
{
	static const char few[] = "abcdefghXYZ[@`{ \n\t\1\x80";
	uint64_t kind = t_rand(state) % 3;
	for (size_t i = 0; i < n; i++) {
		uint64_t r = t_rand(state);
		p[i] = kind == 0 ? (uint8_t)r : (uint8_t)few[r % (kind == 1 ? 8 : sizeof few)];
		if (r >> 60 == 0)
			p[i] = ' ';
	}
}

static void pieces_of_any_size_give_the_same_and_stay_in_their_room(void)
{
	uint64_t state = t_seed(1);
	struct guard in = guard_new(1), out = guard_new(1);
	static uint8_t want[GUARD_PAGE];

	for (int round = 0; round < 2000; round++) {
		size_t n = t_rand(&state) % 200, len = 0;
		uint8_t *src = in.end - n, *dst = out.end - n;
		struct normal_text t = {0};
		fill_random(src, n, &state);
		for (size_t i = 0, piece; i < n; i += piece) {
			piece = 1 + t_rand(&state) % (n - i);
			len += normal_text_run(&t, src + i, piece, dst + len);
		}
		T_EQ(len, by_rule(src, n, want));
		T_MEM(dst, want, len);
	}
	guard_free(&in);
	guard_free(&out);
}

static void what_is_in_the_buffer_stays(void)
{
	struct buf out = {0};
	buf_add(&out, "A ", 2);
	T_EQ(normal_text((const uint8_t *)" B", 2, &out, NULL), ST_OK);
	T_EQ(normal_utf16((const uint8_t *)"C\0", 2, &out, NULL), ST_OK);
	T_EQ(out.len, 5);
	T_MEM(out.data, "A  bC", 5);
	buf_done(&out);
}

/* 131072 bytes at a time: a blank on both sides of the seam, none when the run starts there. */
static void sigtool_forgets_a_blank_every_128_kib(void)
{
	static char in[131072 + 6];
	static const struct {
		int letters; /* before the 128 KiB are full */
		size_t blanks;
	} cases[] = {{3, 1}, {2, 1}, {1, 2}, {0, 1}, {-1, 1}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = (size_t)(131072 - cases[i].letters);
		struct buf out = {0};
		memset(in, 'a', n);
		memcpy(in + n, "  ", 2);
		T_EQ(normal_text_sigtool((uint8_t *)in, n + 2, &out, NULL), ST_OK);
		T_EQ(out.len, n + cases[i].blanks);
		out.len = 0;
		T_EQ(normal_text((uint8_t *)in, n + 2, &out, NULL), ST_OK);
		T_EQ(out.len, n + 1);
		buf_done(&out);
	}
}

static void a_character_of_utf16_is_low_plus_sixteen_times_high(void)
{
	GIVES(normal_utf16, "\xff\xfeH\0e\0l\0l\0o\0", "\xdfHello");
	GIVES(normal_utf16, "a\0\xe4\0\xdf\0\xac\x20\x41\x4e\x3d\xd8\0\xde\0\x08\xff\xff",
	      "a\xe4\xdf\xac!\xbd\xe0\x80\xef");
	GIVES(normal_utf16, "z\0\0\0y\0", "z\0y");
	GIVES(normal_utf16, "a\0b", "a");
	GIVES(normal_utf16, "", "");
}

static void sigtool_decodes_strings_of_256_characters(void)
{
	static char in[2 * 1000], want[1000];

	GIVES(normal_utf16_sigtool, "\xff\xfeH\0i\0", "\xdfHi");
	GIVES(normal_utf16_sigtool, "z\0\0\0y\0", "z");
	for (size_t at = 0; at < 1000; at++) {
		for (size_t i = 0; i < 1000; i++)
			in[2 * i] = 'b';
		in[2 * at] = 0;
		size_t next = at / 256 * 256 + 256;
		memset(want, 'b', sizeof want);
		check(normal_utf16_sigtool, in, sizeof in, want, at + (next < 1000 ? 1000 - next : 0));
	}
}

int main(void)
{
	T_RUN(each_byte_is_kept_folded_or_dropped);
	T_RUN(of_blanks_in_a_row_one_is_left);
	T_RUN(dropped_bytes_do_not_part_blanks);
	T_RUN(no_encoding_is_known);
	T_RUN(a_word_at_once_gives_what_its_bytes_give);
	T_RUN(pieces_of_any_size_give_the_same_and_stay_in_their_room);
	T_RUN(what_is_in_the_buffer_stays);
	T_RUN(sigtool_forgets_a_blank_every_128_kib);
	T_RUN(a_character_of_utf16_is_low_plus_sixteen_times_high);
	T_RUN(sigtool_decodes_strings_of_256_characters);
	return t_end();
}
