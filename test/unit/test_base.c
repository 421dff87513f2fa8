/* src/base and src/crypto: the rules that everything above rests on. Where a rule speaks of any
 * input, it is tried with random input against a plain reference. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/num.h"
#include "base/rd.h"
#include "base/st.h"
#include "base/sum64.h"
#include "crypto/digest.h"
#include "test/t.h"

#include <sys/mman.h>
#include <unistd.h>

static uint64_t seed;

/* ---- st ---- */

static void a_failure_keeps_the_first_cause(void)
{
	struct err e = {0};
	T_EQ(fail(&e, ST_TRUNCATED, 7, "zip: entry %d", 3), ST_TRUNCATED);
	T_EQ(fail(&e, ST_LIMIT, 9, "later"), ST_LIMIT);
	T_EQ(e.st, ST_TRUNCATED);
	T_EQ(e.off, 7);
	T_STR(e.text, "zip: entry 3");
	err_clear(&e);
	T_EQ(fail(&e, ST_LIMIT, 9, "later"), ST_LIMIT);
	T_STR(e.text, "later");
}

static void a_failure_needs_no_record(void)
{
	T_EQ(fail(NULL, ST_MALFORMED, 0, "x"), ST_MALFORMED);
	errno = ENOENT;
	T_EQ(fail_errno(NULL, "x"), -ENOENT);
}

static void a_failed_call_is_named_with_the_reason_of_the_system(void)
{
	struct err e = {0};
	errno = ENOENT;
	T_EQ(fail_errno(&e, "open %s", "a.vdb"), -ENOENT);
	T_STR(e.text, "open a.vdb: No such file or directory");
	err_clear(&e);
	errno = 0; /* a failure without errno is still a failure */
	T_EQ(fail_errno(&e, "x"), -EIO);
}

static void a_long_message_is_cut(void)
{
	char text[2 * ERR_TEXT_MAX];
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	struct err e = {0};
	T_EQ(fail(&e, ST_LIMIT, 0, "%s", text), ST_LIMIT);
	T_EQ(strlen(e.text), ERR_TEXT_MAX - 1);
	err_clear(&e);
	errno = ENOENT;
	T_EQ(fail_errno(&e, "%s", text), -ENOENT);
	T_EQ(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void every_status_has_a_name(void)
{
	for (int st = ST_MIN_; st < 100; st++)
		T_TRUE(st_name((st_t)st) && *st_name((st_t)st));
	T_STR(st_name(ST_OK), "ok");
	T_STR(st_name(ST_ENCRYPTED), "encrypted");
}

/* ---- num ---- */

static void sums_and_products_refuse_to_overflow(void)
{
	uint64_t v = 5;
	T_TRUE(!num_add_u64(UINT64_MAX, 1, &v));
	T_TRUE(!num_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &v));
	T_EQ(v, 5);
	T_TRUE(num_add_u64(UINT64_MAX - 1, 1, &v));
	T_TRUE(v == UINT64_MAX);
	T_TRUE(num_mul_u64(3, 4, &v));
	T_EQ(v, 12);
}

static void smaller_and_larger_are_chosen_right(void)
{
	T_EQ(num_min_u64(1, 2), 1);
	T_EQ(num_min_u64(2, 1), 1);
	T_EQ(num_max_u64(1, 2), 2);
	T_EQ(num_max_u64(2, 1), 2);
	T_EQ(num_min_size(2, 1), 1);
	T_EQ(num_min_size(1, 2), 1);
}

static void loads_are_little_endian_at_any_address(void)
{
	static const uint8_t b[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	T_EQ(load_u16le(b + 1), 0x0201);
	T_EQ(load_u32le(b + 1), 0x04030201);
	T_EQ(load_u64le(b + 1), 0x0807060504030201);
}

/* ---- rd ---- */

static const uint8_t count_up[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void little_endian_reads_follow_each_other(void)
{
	struct rd r = rd_make(count_up, sizeof count_up);
	T_EQ(rd_u8(&r), 0x01);
	T_EQ(rd_u16le(&r), 0x0302);
	T_EQ(rd_u32le(&r), 0x07060504);
	T_EQ(rd_u64le(&r), 0x0f0e0d0c0b0a0908);
	T_EQ(rd_left(&r), 1);
	T_TRUE(!r.bad);
}

static void big_endian_reads_follow_each_other(void)
{
	struct rd r = rd_make(count_up, sizeof count_up);
	T_EQ(rd_u16be(&r), 0x0102);
	T_EQ(rd_u32be(&r), 0x03040506);
	T_EQ(rd_u64be(&r), 0x0708090a0b0c0d0e);
	T_EQ(rd_left(&r), 2);
	T_TRUE(!r.bad);
}

static void reading_past_the_end_sticks(void)
{
	struct rd r = rd_make(count_up, 3);
	T_EQ(rd_u32le(&r), 0);
	T_TRUE(r.bad);
	T_EQ(r.pos, 0);
	T_EQ(rd_u8(&r), 0); /* would fit, but the reader is bad */
	T_TRUE(!rd_take(&r, 0));
	rd_seek(&r, 0);
	T_TRUE(r.bad);
	struct err e = {0};
	T_EQ(rd_check(&r, &e, "pe: header"), ST_TRUNCATED);
	T_STR(e.text, "pe: header: truncated");
}

static void a_read_up_to_the_end_is_good(void)
{
	struct rd r = rd_make(count_up, 4);
	T_EQ(rd_u32be(&r), 0x01020304);
	T_TRUE(rd_take(&r, 0) == count_up + 4);
	rd_skip(&r, 0);
	T_EQ(rd_check(&r, NULL, "x"), ST_OK);
	rd_skip(&r, 1);
	T_TRUE(r.bad);
}

static void seeking_past_the_end_is_bad(void)
{
	struct rd r = rd_make(count_up, 4);
	rd_seek(&r, 4);
	T_TRUE(!r.bad);
	T_EQ(rd_left(&r), 0);
	rd_seek(&r, 5);
	T_TRUE(r.bad);
	T_EQ(r.pos, 4);
	r = rd_make(count_up, 4);
	rd_seek(&r, UINT64_MAX);
	T_TRUE(r.bad);
}

static void a_child_cannot_leave_its_region(void)
{
	struct rd r = rd_make(count_up, sizeof count_up);
	struct rd child = rd_sub(&r, 4);
	T_EQ(r.pos, 4);
	T_EQ(rd_u32be(&child), 0x01020304);
	T_EQ(rd_u8(&child), 0);
	T_TRUE(child.bad);
	T_TRUE(!r.bad); /* the parent does not suffer */
	child = rd_sub(&r, 100);
	T_TRUE(child.bad && child.len == 0);
	T_TRUE(r.bad);
}

static void a_region_by_offset_is_inside_or_bad(void)
{
	struct rd r = rd_make(count_up, sizeof count_up);
	struct rd c = rd_at(&r, 12, 4);
	T_EQ(rd_u32be(&c), 0x0d0e0f10);
	T_EQ(r.pos, 0);
	T_TRUE(!rd_at(&r, 16, 0).bad);
	T_TRUE(rd_at(&r, 12, 5).bad);
	T_TRUE(rd_at(&r, 17, 0).bad);
	T_TRUE(rd_at(&r, 1, UINT64_MAX).bad); /* the sum wraps */
	T_TRUE(rd_at(&r, UINT64_MAX, 1).bad);
	T_TRUE(!r.bad);
}

static void no_bytes_at_no_address_are_an_empty_region(void)
{
	struct rd r = rd_make(NULL, 0);
	T_TRUE(rd_take(&r, 0) && !r.bad);
	struct rd child = rd_sub(&r, 0);
	T_TRUE(!child.bad && rd_left(&child) == 0);
	T_TRUE(!rd_at(&r, 0, 0).bad && rd_peek(&r, "", 0));
	T_EQ(rd_u8(&r), 0);
	T_TRUE(r.bad);
	r = rd_make(NULL, 8); /* cannot be */
	T_EQ(rd_left(&r), 0);
}

static void a_byte_behind_the_end_is_zero(void)
{
	struct rd r = rd_make(count_up, 4);
	T_EQ(rd_byte(&r, 0), 1);
	T_EQ(rd_byte(&r, 3), 4);
	T_EQ(rd_byte(&r, 4), 0);
	T_EQ(rd_byte(&r, SIZE_MAX), 0);
	T_TRUE(!r.bad && r.pos == 0);
}

static void a_failed_copy_leaves_zeroes(void)
{
	struct rd r = rd_make(count_up, 4);
	uint8_t to[4] = {9, 9, 9, 9};
	rd_copy(&r, to, 3);
	T_MEM(to, count_up, 3);
	T_EQ(to[3], 9);
	rd_copy(&r, to, 4);
	T_MEM(to, "\0\0\0", 4);
	T_TRUE(r.bad);
}

static void peeking_neither_moves_nor_sticks(void)
{
	struct rd r = rd_make(count_up, 4);
	T_TRUE(rd_peek(&r, "\1\2", 2));
	T_TRUE(rd_peek(&r, "\1\2\3\4", 4));
	T_TRUE(!rd_peek(&r, "\1\3", 2));
	T_TRUE(!rd_peek(&r, "\1\2\3\4\5", 5));
	T_TRUE(!r.bad);
	T_EQ(r.pos, 0);
}

/* One random operation on a reader. */
static void rd_random_op(struct rd *r, uint64_t v)
{
	uint8_t tmp[64];
	size_t n = v >> 8 & 63;
	switch (v % 9) {
	case 0: (void)rd_u8(r); break;
	case 1: (void)rd_u16le(r); break;
	case 2: (void)rd_u32be(r); break;
	case 3: (void)rd_u64le(r); break;
	case 4: rd_skip(r, n); break;
	case 5: rd_seek(r, n * 2); break;
	case 6: rd_copy(r, tmp, n); break;
	case 7: (void)rd_peek(r, tmp, 0); break;
	default: *r = v & 1 << 20 ? rd_sub(r, n) : rd_at(r, n, v >> 16 & 63); break;
	}
}

/* The region lies between two unmapped pages, at either edge: a stray read dies. */
static void no_sequence_of_reads_leaves_the_region(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *m = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T_TRUE(m != MAP_FAILED && mprotect(m + page, page, PROT_READ | PROT_WRITE) == 0);
	uint64_t rng = seed;
	for (int round = 0; round < 20000; round++) {
		size_t len = t_rand(&rng) % 100;
		const uint8_t *base = round & 1 ? m + page : m + 2 * page - len;
		struct rd r = rd_make(base, len);
		for (int op = 0; op < 12; op++) {
			rd_random_op(&r, t_rand(&rng));
			T_TRUE(r.pos <= r.len && r.len <= len);
		}
	}
	munmap(m, 3 * page);
}

/* ---- arena ---- */

static void fill_arena(struct arena *a)
{
	enum { N = 2000 };
	static uint8_t *p[N];
	static size_t size[N];
	uint64_t rng = seed;
	for (int i = 0; i < N; i++) {
		size[i] = t_rand(&rng) % (i % 100 ? 300 : 600000);
		p[i] = arena_alloc(a, size[i]);
		T_TRUE(p[i] && (uintptr_t)p[i] % 16 == 0);
		for (size_t k = 0; k < size[i]; k += 61)
			T_EQ(p[i][k], 0);
		memset(p[i], i | 1, size[i]);
	}
	for (int i = 0; i < N; i++)
		for (size_t k = 0; k < size[i]; k++)
			if (p[i][k] != (uint8_t)(i | 1))
				T_FAIL("allocation %d was overwritten at %zu", i, k);
}

/* The second time, malloc gives memory back that was written to. */
static void arena_memory_is_zeroed_aligned_and_disjoint(void)
{
	struct arena a;
	arena_init(&a, 0);
	for (int round = 0; round < 2; round++) {
		fill_arena(&a);
		arena_done(&a);
	}
}

static void an_arena_never_exceeds_its_limit(void)
{
	const size_t limit = (size_t)3 << 20;
	struct arena a;
	arena_init(&a, limit);
	uint64_t rng = seed;
	size_t given = 0;
	for (int i = 0; i < 10000; i++) {
		size_t n = t_rand(&rng) % 20000;
		given += arena_alloc(&a, n) ? n : 0;
		T_TRUE(a.total <= limit && given <= limit);
	}
	T_TRUE(given > limit / 2);
	T_TRUE(!arena_alloc(&a, limit));
	T_TRUE(!arena_alloc(&a, SIZE_MAX));
	T_TRUE(!arena_alloc(&a, SIZE_MAX - 15));
	arena_done(&a);
	T_EQ(a.total, 0);
	T_TRUE(arena_alloc(&a, limit)); /* can be used again, with the same limit */
	T_TRUE(!arena_alloc(&a, 1));
	arena_done(&a);
}

static void an_empty_allocation_is_not_a_failure(void)
{
	struct arena a;
	arena_init(&a, 0);
	T_TRUE(arena_alloc(&a, 0));
	arena_done(&a);
	arena_done(&a); /* twice is harmless */
}

static void a_copied_string_ends_with_nul(void)
{
	struct arena a;
	arena_init(&a, 0);
	char *s = arena_strndup(&a, "vitrine", 3);
	T_STR(s, "vit");
	T_STR(arena_strndup(&a, "", 0), "");
	arena_done(&a);
}

/* ---- buf ---- */

static void a_string_of_impossible_length_is_refused(void)
{
	struct arena a;
	arena_init(&a, 0);
	T_TRUE(!arena_strndup(&a, "x", SIZE_MAX));
	T_TRUE(!arena_strndup(&a, "x", SIZE_MAX - 1));
	arena_done(&a);
}

static void a_buffer_holds_what_was_appended(void)
{
	static uint8_t want[1 << 16];
	struct buf b = {0};
	uint64_t rng = seed;
	for (size_t n = 0; n < sizeof want - 400;) {
		uint64_t v = t_rand(&rng);
		size_t k = v % 300;
		if (v >> 60 == 0) {
			memset(want + n, (int)(v >> 8 & 255), k);
			buf_fill(&b, (uint8_t)(v >> 8), k);
		} else {
			for (size_t i = 0; i < k; i++)
				want[n + i] = (uint8_t)t_rand(&rng);
			buf_add(&b, want + n, k);
		}
		n += k;
		T_EQ(b.len, n);
	}
	T_MEM(b.data, want, b.len);
	T_EQ(buf_check(&b, NULL, "x"), ST_OK);
	buf_done(&b);
	T_TRUE(!b.data && !b.len);
}

static void numbers_are_written_little_endian(void)
{
	struct buf b = {0};
	buf_u8(&b, 1);
	buf_u16le(&b, 0x0302);
	buf_u32le(&b, 0x07060504);
	buf_u64le(&b, 0x0f0e0d0c0b0a0908);
	T_EQ(b.len, 15);
	T_MEM(b.data, count_up, 15);
	buf_done(&b);
}

static void aligning_adds_zeroes_up_to_the_boundary(void)
{
	struct buf b = {0};
	for (size_t n = 0; n < 130; n++) {
		b.len = 0;
		buf_fill(&b, 0xff, n);
		buf_align(&b, 64);
		T_EQ(b.len % 64, 0);
		T_TRUE(b.len - n < 64);
		for (size_t i = n; i < b.len; i++)
			T_EQ(b.data[i], 0);
	}
	buf_done(&b);
}

static void a_failed_append_sticks(void)
{
	struct buf b = {0};
	buf_u8(&b, 1);
	T_TRUE(!buf_room(&b, SIZE_MAX));
	T_TRUE(b.oom);
	buf_u8(&b, 2);
	T_TRUE(!buf_room(&b, 1));
	T_EQ(b.len, 1);
	struct err e = {0};
	T_EQ(buf_check(&b, &e, "database"), ST_NOMEM);
	T_STR(e.text, "database: out of memory");
	buf_done(&b);
	T_TRUE(!b.oom);
}

/* ---- io ---- */

static void a_whole_read_ends_only_at_the_end_of_the_file(void)
{
	AUTO_FD fd = memfd_create("t", MFD_CLOEXEC);
	T_EQ(io_write_all(fd, count_up, sizeof count_up, NULL), ST_OK);
	uint8_t got[32];
	size_t n = 0;
	T_EQ(io_pread_full(fd, got, 8, 4, &n, NULL), ST_OK);
	T_EQ(n, 8);
	T_MEM(got, count_up + 4, 8);
	T_EQ(io_pread_full(fd, got, sizeof got, 10, &n, NULL), ST_OK);
	T_EQ(n, 6);
	T_EQ(io_pread_full(fd, got, sizeof got, 100, &n, NULL), ST_OK);
	T_EQ(n, 0);
}

static void a_failed_read_or_write_is_reported(void)
{
	struct err e = {0};
	size_t n = 77;
	uint8_t b;
	T_EQ(io_pread_full(-1, &b, 1, 0, &n, &e), -EBADF);
	T_EQ(n, 77);
	T_STR(e.text, "read: Bad file descriptor");
	T_EQ(io_write_all(-1, &b, 1, NULL), -EBADF);
}

static void a_descriptor_is_closed_once(void)
{
	int fd = memfd_create("t", MFD_CLOEXEC), was = fd;
	fd_closep(&fd);
	T_EQ(fd, -1);
	T_EQ(close(was), -1);
	fd_closep(&fd);
	T_EQ(fd, -1);
}

/* ---- sum64 ---- */

static void every_flipped_bit_changes_the_sum(void)
{
	uint64_t rng = seed;
	uint8_t b[300];
	for (int round = 0; round < 300; round++) {
		size_t len = t_rand(&rng) % sizeof b;
		for (size_t i = 0; i < len; i++)
			b[i] = round % 10 ? (uint8_t)t_rand(&rng) : 0;
		uint64_t sum = sum64(b, len);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			T_TRUE(sum64(b, len) != sum);
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		T_TRUE(sum64(b, len) == sum);
	}
}

static void every_length_of_zeroes_has_its_own_sum(void)
{
	static const uint8_t zero[500];
	uint64_t seen[500];
	for (size_t n = 0; n < 500; n++) {
		seen[n] = sum64(zero, n);
		for (size_t i = 0; i < n; i++)
			T_TRUE(seen[i] != seen[n]);
	}
}

static void swapped_words_change_the_sum(void)
{
	uint64_t rng = seed;
	uint64_t w[16];
	for (size_t i = 0; i < 16; i++)
		w[i] = t_rand(&rng);
	uint64_t sum = sum64(w, sizeof w);
	for (size_t i = 0; i < 16; i++)
		for (size_t k = 0; k < i; k++) {
			uint64_t t = w[i];
			w[i] = w[k];
			w[k] = t;
			T_TRUE(sum64(w, sizeof w) != sum);
			w[k] = w[i];
			w[i] = t;
		}
}

/* The values are part of the database format; computed by a second implementation. */
static void the_sum_is_the_same_on_every_machine(void)
{
	uint8_t b[100];
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)(i * 7);
	T_EQ(sum64(b, 0), 0xb0e73d6f93e2571f);
	T_EQ(sum64(b, 1), 0x7d017b7eca7d86a9);
	T_EQ(sum64(b, 15), 0xf18d0c2c05d457cc);
	T_EQ(sum64(b, 100), 0xf385c983cfdeaacc);
}

/* ---- digest ---- */

static void check_digest(enum digest_kind kind, const char *text, const char *want)
{
	uint8_t d[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	T_EQ(digest_bytes(kind, text, strlen(text), d, NULL), ST_OK);
	hex_encode(d, digest_size(kind), hex);
	T_STR(hex, want);
}

/* RFC 1321 A.5; FIPS 180-2 appendices A and B. */
static void digests_equal_the_published_vectors(void)
{
	T_EQ(digest_preload(NULL), ST_OK);
	check_digest(DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e");
	check_digest(DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72");
	check_digest(DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0");
	check_digest(DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	check_digest(DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	check_digest(DIGEST_SHA256, "",
	             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_digest(DIGEST_SHA256, "abc",
	             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_digest_has_the_size_and_name_of_its_kind(void)
{
	T_EQ(digest_size(DIGEST_MD5), 16);
	T_EQ(digest_size(DIGEST_SHA1), 20);
	T_EQ(digest_size(DIGEST_SHA256), 32);
	T_STR(digest_name(DIGEST_MD5), "md5");
	T_STR(digest_name(DIGEST_SHA1), "sha1");
	T_STR(digest_name(DIGEST_SHA256), "sha256");
}

static void check_pieces(enum digest_kind kind, const uint8_t *p, size_t len, uint64_t *rng)
{
	uint8_t whole[DIGEST_MAX] = {0}, pieces[DIGEST_MAX] = {0};
	T_EQ(digest_bytes(kind, p, len, whole, NULL), ST_OK);
	struct digest d = {0};
	T_EQ(digest_init(&d, kind, NULL), ST_OK);
	for (size_t at = 0; at < len;) {
		size_t n = num_min_size(t_rand(rng) % 200, len - at);
		T_EQ(digest_add(&d, p + at, n, NULL), ST_OK);
		at += n;
	}
	T_EQ(digest_end(&d, pieces, NULL), ST_OK);
	T_MEM(whole, pieces, sizeof whole);
	T_TRUE(!d.ctx);
	digest_done(&d);
}

static void a_digest_of_pieces_is_that_of_the_whole(void)
{
	uint64_t rng = seed;
	uint8_t b[3000];
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)t_rand(&rng);
	for (int round = 0; round < 100; round++)
		for (enum digest_kind k = 0; k < DIGEST_KINDS; k++)
			check_pieces(k, b, t_rand(&rng) % sizeof b, &rng);
}

static void hex_is_lower_case_and_ends_with_nul(void)
{
	char hex[9];
	memset(hex, 'x', sizeof hex);
	hex_encode((const uint8_t *)"\x00\x9a\xbc\xff", 4, hex);
	T_STR(hex, "009abcff");
	hex_encode(NULL, 0, hex);
	T_STR(hex, "");
}

static void run_base(void)
{
	T_RUN(a_failure_keeps_the_first_cause);
	T_RUN(a_failure_needs_no_record);
	T_RUN(a_failed_call_is_named_with_the_reason_of_the_system);
	T_RUN(a_long_message_is_cut);
	T_RUN(every_status_has_a_name);
	T_RUN(sums_and_products_refuse_to_overflow);
	T_RUN(smaller_and_larger_are_chosen_right);
	T_RUN(loads_are_little_endian_at_any_address);
	T_RUN(arena_memory_is_zeroed_aligned_and_disjoint);
	T_RUN(an_arena_never_exceeds_its_limit);
	T_RUN(an_empty_allocation_is_not_a_failure);
	T_RUN(a_copied_string_ends_with_nul);
	T_RUN(a_string_of_impossible_length_is_refused);
	T_RUN(a_buffer_holds_what_was_appended);
	T_RUN(numbers_are_written_little_endian);
	T_RUN(aligning_adds_zeroes_up_to_the_boundary);
	T_RUN(a_failed_append_sticks);
	T_RUN(a_whole_read_ends_only_at_the_end_of_the_file);
	T_RUN(a_failed_read_or_write_is_reported);
	T_RUN(a_descriptor_is_closed_once);
}

static void run_rd(void)
{
	T_RUN(little_endian_reads_follow_each_other);
	T_RUN(big_endian_reads_follow_each_other);
	T_RUN(reading_past_the_end_sticks);
	T_RUN(a_read_up_to_the_end_is_good);
	T_RUN(seeking_past_the_end_is_bad);
	T_RUN(a_child_cannot_leave_its_region);
	T_RUN(a_region_by_offset_is_inside_or_bad);
	T_RUN(no_bytes_at_no_address_are_an_empty_region);
	T_RUN(a_byte_behind_the_end_is_zero);
	T_RUN(a_failed_copy_leaves_zeroes);
	T_RUN(peeking_neither_moves_nor_sticks);
	T_RUN(no_sequence_of_reads_leaves_the_region);
}

int main(void)
{
	seed = t_seed(1);
	run_base();
	run_rd();
	T_RUN(every_flipped_bit_changes_the_sum);
	T_RUN(every_length_of_zeroes_has_its_own_sum);
	T_RUN(swapped_words_change_the_sum);
	T_RUN(the_sum_is_the_same_on_every_machine);
	T_RUN(digests_equal_the_published_vectors);
	T_RUN(a_digest_has_the_size_and_name_of_its_kind);
	T_RUN(a_digest_of_pieces_is_that_of_the_whole);
	T_RUN(hex_is_lower_case_and_ends_with_nul);
	return t_end();
}
