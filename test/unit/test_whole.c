/* Members unfolded at once against the same members read from libarchive block by block: the short
 * cut is taken where it should be, gives the same bytes, and leaves what is odd alone. */
#include "base/buf.h"
#include "base/num.h"
#include "parse/format.h"
#include "parse/gzip.h"
#include "test/t.h"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>

#define CONTENT_MAX ((size_t)200 << 10)
/* More than any child here has. */
#define READ_MAX (CONTENT_MAX * 8)
#define MEMBERS 8

static uint64_t seed;
static uint8_t packed[(size_t)4 << 20];
static size_t npacked;

/* Text, zeroes and noise, in runs: all kinds of deflate blocks. */
static size_t content(uint8_t *p)
{
	static const size_t most[] = {1, 40, 3000, CONTENT_MAX};
	size_t n = t_rand(&seed) % most[t_rand(&seed) % ARRAY_LEN(most)];
	uint64_t kind = 0;
	for (size_t i = 0; i < n; i++) {
		if (i % 1000 == 0)
			kind = t_rand(&seed) % 3;
		uint64_t r = t_rand(&seed);
		p[i] = kind == 2 ? (uint8_t)r : 0;
		if (kind == 1)
			p[i] = (uint8_t)"abcdefgh \n"[r % 10];
	}
	return n;
}

struct bytes {
	uint8_t *p;
	size_t n;
	st_t st;
};

/* The next member, or no more. */
static bool step(const struct format *f, struct format_ctx *c, struct member *m)
{
	struct err e = {0};
	bool end = true;
	return f->next(c, m, &end, &e) == ST_OK && !end;
}

static struct bytes read_rest(const struct format *f, struct format_ctx *c)
{
	struct bytes b = {.p = malloc(READ_MAX)};
	struct err e = {0};
	size_t n = 1;
	while (n > 0 && b.n < READ_MAX && b.st == ST_OK) {
		b.st = f->read(c, b.p + b.n, READ_MAX - b.n, &n, &e);
		b.n += n;
	}
	return b;
}

/* As scan/ does it, in a buffer that ends with the page where sanitizers look. */
static enum whole get_whole(const struct format *f, struct format_ctx *c, const struct member *m,
                            struct bytes *ret)
{
	size_t cap = (size_t)(m->has_size ? m->size : m->guess);
	enum whole w = WHOLE_LARGER;
	*ret = (struct bytes){0};
	while (w == WHOLE_LARGER && cap <= READ_MAX) {
		ret->p = realloc(ret->p, cap + 1);
		uint8_t *exact = malloc(cap ? cap : 1);
		w = f->whole(c, exact, cap, &ret->n);
		if (w == WHOLE_DONE && ret->n > 0)
			memcpy(ret->p, exact, ret->n);
		free(exact);
		cap = cap * 2 + 64;
	}
	return w;
}

/* What a walk came by. */
struct tally {
	unsigned members, tried, done;
};

static bool prefix_of(const struct bytes *a, const struct bytes *b)
{
	return a->n <= b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Nothing less and nothing else than libarchive gives, nor what it gives with a complaint at the
 * end. It gives nothing of members that say they are devices, and ends early where zlib is stricter
 * than libdeflate: there the short cut gives more. */
static bool covers(const struct bytes *fast, const struct bytes *slow)
{
	if (!prefix_of(slow, fast))
		return false;
	return slow->n < fast->n ? slow->n == 0 || slow->st != ST_OK : slow->st == ST_OK;
}

static void compare_member(const struct format *f, struct format_ctx *c, const struct member *m,
                           struct format_ctx *plain, struct tally *t)
{
	struct bytes fast, slow = read_rest(f, plain);
	enum whole w = m->whole ? get_whole(f, c, m, &fast) : WHOLE_NO;
	t->members++;
	t->tried += m->whole;
	t->done += w == WHOLE_DONE;
	if (w == WHOLE_DONE) {
		T_TRUE(covers(&fast, &slow));
	} else {
		struct bytes after = read_rest(f, c);
		T_TRUE(after.st == slow.st && after.n == slow.n && prefix_of(&after, &slow));
		free(after.p);
	}
	if (m->whole)
		free(fast.p);
	free(slow.p);
}

/* Walks two readers of the same bytes side by side, one of which takes the short cut. */
static struct tally compare(const void *p, size_t n)
{
	struct tally t = {0};
	struct rd in = rd_make(p, n);
	struct format_ctx *a, *b;
	struct member m, plain;
	const struct format *f = format_for(FT_BINARY_DATA, in);
	if (!f || f->open(in, FT_BINARY_DATA, &a, NULL) != ST_OK)
		return t;
	T_EQ(f->open(in, FT_BINARY_DATA, &b, NULL), ST_OK);
	for (;;) {
		bool more = step(f, a, &m);
		T_EQ(more, step(f, b, &plain));
		if (!more)
			break;
		T_STR(m.name, plain.name);
		if (m.is_regular)
			compare_member(f, a, &m, b, &t);
	}
	f->close(a);
	f->close(b);
	return t;
}

static void add(struct archive *a, const char *name, unsigned type, const uint8_t *p, size_t n)
{
	struct archive_entry *en = archive_entry_new();
	archive_entry_set_pathname(en, name);
	archive_entry_set_filetype(en, type);
	archive_entry_set_perm(en, 0644);
	archive_entry_set_size(en, (int64_t)n);
	T_EQ(archive_write_header(a, en), ARCHIVE_OK);
	if (n > 0)
		T_EQ(archive_write_data(a, p, n), n);
	archive_entry_free(en);
}

/* A zip of a folder and members of random content; how many of them are not empty. */
static unsigned make_zip(const char *options)
{
	static uint8_t text[CONTENT_MAX];
	unsigned full = 0;
	struct archive *a = archive_write_new();
	T_EQ(archive_write_set_format_zip(a), ARCHIVE_OK);
	T_EQ(archive_write_set_options(a, options), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	T_EQ(archive_write_open_memory(a, packed, sizeof packed, &npacked), ARCHIVE_OK);
	add(a, "dir", AE_IFDIR, NULL, 0);
	for (int i = 0; i < MEMBERS; i++) {
		char name[32];
		size_t n = content(text);
		snprintf(name, sizeof name, "dir/member %d", i);
		add(a, name, AE_IFREG, text, n);
		full += n > 0;
	}
	T_EQ(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return full;
}

static void gzip_head(struct buf *b, unsigned flags)
{
	buf_add(b, "\x1f\x8b\x08", 3);
	buf_u8(b, (uint8_t)flags);
	buf_fill(b, 0, 6);
	if (flags & 4)
		buf_add(b, "\3\0xyz", 5);
	if (flags & 8)
		buf_add(b, "name.txt", 9);
	if (flags & 16)
		buf_add(b, "a comment", 10);
	if (flags & 2)
		buf_u16le(b, (uint16_t)libdeflate_crc32(0, b->data, b->len));
}

/* One member with these flags. */
static void gzip_member(struct buf *out, unsigned flags, const void *p, size_t n)
{
	static uint8_t deflated[CONTENT_MAX * 2];
	struct buf b = {0};
	struct libdeflate_compressor *c = libdeflate_alloc_compressor((int)(t_rand(&seed) % 10));
	gzip_head(&b, flags);
	buf_add(&b, deflated, libdeflate_deflate_compress(c, p, n, deflated, sizeof deflated));
	buf_u32le(&b, libdeflate_crc32(0, p, n));
	buf_u32le(&b, (uint32_t)n);
	libdeflate_free_compressor(c);
	buf_add(out, b.data, b.len);
	buf_done(&b);
}

static void expect_gzip(const struct buf *b, bool done)
{
	struct tally t = compare(b->data, b->len);
	T_EQ(t.members, 1);
	T_EQ(t.tried, 1);
	T_EQ(t.done, done);
}

static void gzip_with_any_header_is_unfolded_at_once(void)
{
	static uint8_t text[CONTENT_MAX];
	for (unsigned i = 0; i < 64; i++) {
		struct buf b = {0};
		/* FHCRC takes every other: all sets of the four flags, four times. */
		gzip_member(&b, (i % 16) << 1, text, content(text));
		expect_gzip(&b, true);
		buf_done(&b);
	}
}

static void gzip_of_several_members_is_one_child(void)
{
	static uint8_t text[CONTENT_MAX];
	for (unsigned i = 0; i < 32; i++) {
		struct buf b = {0};
		for (unsigned k = 0; k < 2 + i % 4; k++)
			gzip_member(&b, k ? 0 : 8, text, content(text));
		expect_gzip(&b, true);
		buf_done(&b);
	}
}

static void what_follows_a_gzip_is_ignored_as_libarchive_does(void)
{
	static const char *tails[] = {"\0\0\0\0\0\0\0\0", "garbage behind it",
	                              "\x1f\x8b\x08\xe0 reserved flags", "\x1f\x8b", "\x1f"};
	static const size_t lens[] = {8, 17, 20, 2, 1};
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		struct buf b = {0};
		gzip_member(&b, 0, "some text", 9);
		buf_add(&b, tails[i], lens[i]);
		expect_gzip(&b, true);
		buf_done(&b);
	}
	struct buf b = {0};
	gzip_member(&b, 0, "some text", 9);
	gzip_head(&b, 0);
	buf_add(&b, "no deflate data", 15);
	expect_gzip(&b, false);
	buf_done(&b);
}

static void a_gzip_that_lies_is_left_to_libarchive(void)
{
	for (size_t back = 1; back <= 8; back++) {
		struct buf b = {0};
		gzip_member(&b, 8, "text text text text", 19);
		b.data[b.len - back] ^= 0x5a;
		expect_gzip(&b, false);
		buf_done(&b);
	}
	for (size_t cut = 1; cut <= 12; cut++) {
		struct buf b = {0};
		gzip_member(&b, 0, "text text text text", 19);
		b.len -= cut;
		T_EQ(compare(b.data, b.len).done, 0);
		buf_done(&b);
	}
}

static void the_guess_of_a_gzip_is_no_more_than_it_can_hold(void)
{
	struct buf b = {0};
	gzip_member(&b, 0, "text", 4);
	struct rd in = rd_make(b.data, b.len);
	T_EQ(gzip_guess(&in), 4);
	memset(b.data + b.len - 4, 0xff, 4);
	T_EQ(gzip_guess(&in), b.len * 1032);
	in = rd_make(b.data, 10);
	T_EQ(gzip_guess(&in), 0);
	buf_done(&b);
}

static void deflated_members_of_a_zip_are_unfolded_at_once(void)
{
	for (int i = 0; i < 20; i++) {
		unsigned full = make_zip("zip:compression=deflate");
		struct tally t = compare(packed, npacked);
		T_EQ(t.members, MEMBERS);
		T_EQ(t.done, t.tried);
		T_EQ(t.done, full);
	}
}

static void stored_members_are_left_to_libarchive(void)
{
	make_zip("zip:compression=store");
	T_EQ(compare(packed, npacked).tried, 0);
}

static size_t place_of(const char *sig, size_t from)
{
	for (size_t i = from; i + 4 <= npacked; i++)
		if (!memcmp(packed + i, sig, 4))
			return i;
	T_FAIL("no such record");
	return 0;
}

/* Fields of the records of the first member that is not empty, changed one at a time. */
static void a_zip_at_odds_with_itself_is_left_to_libarchive(void)
{
	static const struct {
		const char *sig;
		size_t off;
	} fields[] = {
		{"PK\1\2", 8}, {"PK\1\2", 10}, {"PK\1\2", 16}, {"PK\1\2", 20}, {"PK\1\2", 24},
		{"PK\1\2", 34}, {"PK\1\2", 42}, {"PK\1\2", 46}, {"PK\3\4", 0}, {"PK\3\4", 6},
		{"PK\3\4", 8}, {"PK\3\4", 26}, {"PK\3\4", 28}, {"PK\3\4", 30}, {"PK\7\x8", 4},
		{"PK\7\x8", 8}, {"PK\7\x8", 12},
	};
	unsigned full = 0;
	while (full < MEMBERS)
		full = make_zip("zip:compression=deflate");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		bool in_pairs = memcmp(fields[i].sig, "PK\7\x8", 4) != 0;
		size_t first = place_of(fields[i].sig, 0);
		/* The first header is the folder's. */
		size_t at = (in_pairs ? place_of(fields[i].sig, first + 1) : first) + fields[i].off;
		packed[at] ^= 1;
		struct tally t = compare(packed, npacked);
		if (t.done >= MEMBERS)
			T_FAIL("field %zu: %u of %u done", i, t.done, t.members);
		packed[at] ^= 1;
	}
	T_EQ(compare(packed, npacked).done, MEMBERS);
}

/* Checks are those of compare_member(). */
static void flipped_bytes_give_the_same_as_libarchive(void)
{
	unsigned done = 0;
	for (int i = 0; i < 12; i++) {
		make_zip("zip:compression=deflate");
		for (int k = 0; k < 60; k++) {
			/* Mostly where records are: the tail. */
			size_t area = k % 3 ? num_min_size(npacked, 1200) : npacked;
			size_t at = npacked - 1 - t_rand(&seed) % area;
			uint8_t old = packed[at];
			packed[at] = (uint8_t)t_rand(&seed);
			done += compare(packed, npacked).done;
			packed[at] = old;
		}
	}
	T_TRUE(done > 0);
	for (int i = 0; i < 400; i++) {
		static uint8_t text[CONTENT_MAX];
		struct buf b = {0};
		gzip_member(&b, 30, text, content(text) % 500);
		gzip_member(&b, 0, text, content(text) % 500);
		b.data[t_rand(&seed) % b.len] = (uint8_t)t_rand(&seed);
		(void)compare(b.data, b.len);
		buf_done(&b);
	}
}

int main(void)
{
	seed = t_seed(0x77686f6c65);
	T_RUN(gzip_with_any_header_is_unfolded_at_once);
	T_RUN(gzip_of_several_members_is_one_child);
	T_RUN(what_follows_a_gzip_is_ignored_as_libarchive_does);
	T_RUN(a_gzip_that_lies_is_left_to_libarchive);
	T_RUN(the_guess_of_a_gzip_is_no_more_than_it_can_hold);
	T_RUN(deflated_members_of_a_zip_are_unfolded_at_once);
	T_RUN(stored_members_are_left_to_libarchive);
	T_RUN(a_zip_at_odds_with_itself_is_left_to_libarchive);
	T_RUN(flipped_bytes_give_the_same_as_libarchive);
	return t_end();
}
