/* Archives that are the same bytes for the same files, and what is no such archive. GNU tar and
 * bsdtar are asked in test/e2e/test_pack.py. */
#include "pack/tar.h"

#include "base/io.h"
#include "test/t.h"

#include <sys/mman.h>
#include <unistd.h>

static struct buf image;

static void add(const char *name, const char *content)
{
	uint8_t head[TAR_BLOCK];
	T_EQ(tar_header_make(name, strlen(content), head, NULL), ST_OK);
	buf_add(&image, head, sizeof head);
	buf_text(&image, content);
	buf_fill(&image, 0, tar_padding(strlen(content)));
}

static void add_end(void)
{
	buf_fill(&image, 0, 2 * TAR_BLOCK);
}

/* Reads the image to its end; *ret_n members passed. */
static st_t walk(bool free_first, unsigned *ret_n, struct err *e)
{
	int fd = memfd_create("tar", 0);
	struct tar_reader t = {.fd = fd, .size = image.len};
	struct tar_member m;
	bool more = true;
	st_t st = io_write_all(fd, image.data, image.len, e);
	*ret_n = 0;
	while (st == ST_OK && more) {
		st = tar_reader_next(&t, free_first, &m, &more, e);
		*ret_n += st == ST_OK && more;
	}
	close(fd);
	return st;
}

static void start(void)
{
	buf_done(&image);
	image = (struct buf){0};
}

static void two_members(void)
{
	start();
	add("a", "hello");
	add("dir/b", "");
	add_end();
}

static st_t walk_status(void)
{
	unsigned n;
	return walk(false, &n, NULL);
}

static void what_is_written_is_read(void)
{
	unsigned n;
	two_members();
	T_EQ(image.len, 5 * TAR_BLOCK);
	T_EQ(walk(false, &n, NULL), ST_OK);
	T_EQ(n, 2);
	start();
	add_end();
	T_EQ(walk(false, &n, NULL), ST_OK);
	T_EQ(n, 0);
}

static void every_changed_byte_outside_contents_is_refused(void)
{
	two_members();
	for (size_t i = 0; i < image.len; i++) {
		/* The content, and letters of names: they stay in order, but the sum is wrong. */
		bool content = i >= TAR_BLOCK && i < TAR_BLOCK + 5;
		for (uint8_t bit = 1; bit; bit = (uint8_t)(bit << 1)) {
			image.data[i] ^= bit;
			if ((walk_status() == ST_OK) != content)
				T_FAIL("byte %zu, bit %u", i, bit);
			image.data[i] ^= bit;
		}
	}
}

static void every_shorter_archive_is_truncated(void)
{
	two_members();
	size_t whole = image.len;
	for (image.len = 0; image.len < whole; image.len++)
		T_EQ(walk_status(), ST_TRUNCATED);
}

static void nothing_stands_behind_the_end(void)
{
	two_members();
	buf_fill(&image, 0, 1);
	T_EQ(walk_status(), ST_MALFORMED);
	buf_fill(&image, 0, 511);
	T_EQ(walk_status(), ST_MALFORMED);
}

static void names_ascend_and_differ(void)
{
	unsigned n;
	start();
	add("b", "1");
	add("a", "2");
	add("c", "3");
	add_end();
	T_EQ(walk(false, &n, NULL), ST_MALFORMED);
	T_EQ(n, 1);
	T_EQ(walk(true, &n, NULL), ST_OK);
	T_EQ(n, 3);
	start();
	add("b", "1");
	add("b", "2");
	add_end();
	T_EQ(walk(true, &n, NULL), ST_MALFORMED);
	start();
	add("z", "1");
	add("b", "1");
	add("a", "2");
	add_end();
	T_EQ(walk(true, &n, NULL), ST_MALFORMED);
}

static void names_that_lead_elsewhere_are_not_made(void)
{
	static const char *const bad[] = {"",      "/etc/x", "a/",    "a//b", "./a",  "a/.", "..",
	                                  "a/../b", "a\\b",   "a\nb",  "\x80",  "a/..", "\x7f"};
	static const char *const good[] = {"a", "a/b/c", ".a", "...", "a b", "a..b/..c", "%2F"};
	uint8_t head[TAR_BLOCK];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (tar_header_make(bad[i], 0, head, NULL) != ST_MALFORMED)
			T_FAIL("taken: \"%s\"", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (tar_header_make(good[i], 0, head, NULL) != ST_OK)
			T_FAIL("refused: \"%s\"", good[i]);
}

/* Makes a name of n bytes whose last "/" leaves `rest`. */
static void long_name(size_t n, size_t rest, char ret[400])
{
	memset(ret, 'x', n);
	ret[n - rest - 1] = '/';
	ret[n] = '\0';
}

static void long_names_are_split_at_a_slash(void)
{
	static const struct {
		size_t n, rest;
		st_t st;
	} cases[] = {
		{100, 50, ST_OK},  {101, 50, ST_OK},     {102, 100, ST_OK},
		{201, 100, ST_OK}, {202, 101, ST_LIMIT}, {255, 99, ST_OK},     {256, 100, ST_LIMIT},
		{255, 98, ST_LIMIT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[400];
		uint8_t head[TAR_BLOCK];
		unsigned n;
		long_name(cases[i].n, cases[i].rest, name);
		st_t st = tar_header_make(name, 3, head, NULL);
		if (st != cases[i].st)
			T_FAIL("%zu bytes, %zu behind \"/\": %s", cases[i].n, cases[i].rest, st_name(st));
		if (st != ST_OK)
			continue;
		start();
		add(name, "xyz");
		add_end();
		T_EQ(walk(false, &n, NULL), ST_OK);
	}
}

static void sizes_fit_eleven_octal_digits(void)
{
	uint8_t head[TAR_BLOCK];
	T_EQ(tar_header_make("a", TAR_SIZE_MAX - 1, head, NULL), ST_OK);
	T_STR((const char *)head + 124, "77777777777");
	T_EQ(tar_header_make("a", TAR_SIZE_MAX, head, NULL), ST_LIMIT);
	start();
	buf_add(&image, head, sizeof head);
	add_end();
	T_EQ(walk_status(), ST_TRUNCATED);
}

static void an_error_says_which_field_is_wrong(void)
{
	struct err e = {0};
	unsigned n;
	two_members();
	image.data[107 - 2] = '5';
	T_EQ(walk(false, &n, &e), ST_MALFORMED);
	T_STR(e.text, "tar: header: the mode is not 0644");
}

int main(void)
{
	T_RUN(what_is_written_is_read);
	T_RUN(every_changed_byte_outside_contents_is_refused);
	T_RUN(every_shorter_archive_is_truncated);
	T_RUN(nothing_stands_behind_the_end);
	T_RUN(names_ascend_and_differ);
	T_RUN(names_that_lead_elsewhere_are_not_made);
	T_RUN(long_names_are_split_at_a_slash);
	T_RUN(sizes_fit_eleven_octal_digits);
	T_RUN(an_error_says_which_field_is_wrong);
	buf_done(&image);
	return t_end();
}
