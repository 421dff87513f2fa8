/* Deltas: the new file comes back, whatever changed, and from nothing but the right old file; what
 * comes in a database costs what is new in it, not what it moves. */
#include "pack/delta.h"

#include "base/buf.h"
#include "base/io.h"
#include "db/layout.h"
#include "sig/compile.h"
#include "test/t.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("delta", 0);
	T_EQ(io_write_all(fd, p, n, NULL), ST_OK);
	return fd;
}

static uint64_t length(int fd)
{
	struct stat sb;
	return fstat(fd, &sb) == 0 ? (uint64_t)sb.st_size : UINT64_MAX;
}

static struct buf content(int fd)
{
	struct buf b = {0};
	T_EQ(io_read_up_to(fd, (size_t)length(fd), "test", &b, NULL), ST_OK);
	return b;
}

static struct buf delta_of(const struct buf *old, const struct buf *new)
{
	int a = file_of(old->data, old->len), b = file_of(new->data, new->len), d = file_of("", 0);
	uint64_t size = 0;
	T_EQ(delta_make(a, b, d, &size, NULL), ST_OK);
	T_EQ(size, length(d));
	struct buf ret = content(d);
	close(a);
	close(b);
	close(d);
	return ret;
}

/* The output never has more bytes than are allowed, whatever the status. */
static st_t apply(const struct buf *old, const void *delta, size_t n, uint64_t max,
                  struct buf *ret)
{
	int a = file_of(old->data, old->len), d = file_of(delta, n), out = file_of("", 0);
	st_t st = delta_apply(a, d, max, out, NULL);
	T_TRUE(length(out) <= max);
	if (st == ST_OK && ret)
		*ret = content(out);
	close(a);
	close(d);
	close(out);
	return st;
}

/* Makes a delta, applies it, compares; returns its length. */
static size_t there_and_back(const struct buf *old, const struct buf *new)
{
	struct buf d = delta_of(old, new), again = {0};
	size_t n = d.len;
	T_EQ(apply(old, d.data, d.len, new->len, &again), ST_OK);
	T_EQ(again.len, new->len);
	if (new->len && again.len == new->len)
		T_MEM(again.data, new->data, new->len);
	buf_done(&d);
	buf_done(&again);
	return n;
}

static struct buf noise(size_t n, uint64_t *seed)
{
	struct buf b = {0};
	while (b.len < n)
		buf_u64le(&b, t_rand(seed));
	b.len = n;
	return b;
}

/* Pieces of `old` in order, some left out, some moved, with new bytes between. */
static struct buf edited(const struct buf *old, uint64_t *seed)
{
	struct buf b = {0};
	for (size_t at = 0; at < old->len;) {
		uint64_t what = t_rand(seed) % 8;
		size_t n = t_rand(seed) % 3000;
		n = n < old->len - at ? n : old->len - at;
		struct buf some = noise(t_rand(seed) % 100, seed);
		if (what < 2)
			buf_add(&b, some.data, some.len);
		if (what == 2)
			buf_add(&b, old->data + t_rand(seed) % (old->len - n + 1), n);
		if (what != 3)
			buf_add(&b, old->data + at, n);
		at += n;
		buf_done(&some);
	}
	return b;
}

static void files_come_back(void)
{
	uint64_t seed = t_seed(17);
	for (unsigned i = 0; i < 60; i++) {
		struct buf old = noise(t_rand(&seed) % 60000, &seed), new = edited(&old, &seed);
		there_and_back(&old, &new);
		there_and_back(&new, &old);
		buf_done(&old);
		buf_done(&new);
	}
}

static void empty_and_equal_files_come_back(void)
{
	uint64_t seed = 3;
	struct buf none = {0}, some = noise(100000, &seed);
	there_and_back(&none, &none);
	there_and_back(&some, &none);
	there_and_back(&none, &some);
	T_TRUE(there_and_back(&some, &some) < 100);
	buf_done(&some);
}

/* Signature i as text, one of three kinds. Names sort in another order than they are read. */
static void put_line(struct buf *b, uint64_t i)
{
	char line[256];
	uint64_t seed = 1000 + i, a = t_rand(&seed), c = t_rand(&seed);
	unsigned size = (unsigned)(a % 100000) + 1, family = (unsigned)(c % 7);
	int n;
	if (i % 3 == 0)
		n = snprintf(line, sizeof line,
		             "%016" PRIx64 "%016" PRIx64 ":%u:Fam.Kind%u-%" PRIu64 "\n",
		             a, c, size, family, i);
	else if (i % 3 == 1)
		n = snprintf(line, sizeof line,
		             "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64
		             ":%u:Fam.Kind%u-%" PRIu64 ":73\n",
		             c, a, a, c, size, family, i);
	else
		n = snprintf(line, sizeof line,
		             "Fam.Logic%u-%" PRIu64 ";Engine:81-255,Target:1;0&1;%016" PRIx64
		             "*%016" PRIx64 ";%016" PRIx64 "??%016" PRIx64 "::i\n",
		             family, i, a, c, c, a);
	buf_add(b, line, (size_t)n);
}

struct set {
	struct buf text[3];
};

/* Every `step`-th of the first `common` is left out. */
static struct buf compiled(uint64_t common, uint64_t more, uint64_t step)
{
	static const char *const name[] = {"a.hdb", "b.hsb", "c.ldb"};
	struct set s = {0};
	struct sig_source src[3] = {0};
	struct buf db = {0};
	struct ir_set set;
	for (uint64_t i = 0; i < common + more; i++)
		if (i >= common || step == 0 || i % step)
			put_line(&s.text[i % 3], i);
	for (unsigned i = 0; i < 3; i++)
		src[i] = (struct sig_source){.name = name[i], .text = (const char *)s.text[i].data,
		                             .len = s.text[i].len};
	ir_init(&set);
	T_EQ(sig_compile(src, 3, &(struct sig_opts){0}, &db, &set, NULL), ST_OK);
	ir_done(&set);
	for (unsigned i = 0; i < 3; i++)
		buf_done(&s.text[i]);
	return db;
}

static void databases_come_back(void)
{
	static const uint64_t change[][3] = {{0, 5, 0},    {5, 0, 0},      {300, 1, 0},
	                                     {300, 0, 7},  {1000, 100, 3}, {3000, 30, 500},
	                                     {30, 3000, 2}};
	for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
		struct buf old = compiled(change[i][0], 0, 0);
		struct buf new = compiled(change[i][0], change[i][1], change[i][2]);
		there_and_back(&old, &new);
		there_and_back(&new, &old);
		buf_done(&old);
		buf_done(&new);
	}
}

static void what_only_moves_costs_nothing(void)
{
	struct buf old = compiled(30000, 0, 0), new = compiled(30000, 30, 3000);
	size_t n = there_and_back(&old, &new);
	/* 40 lines changed of 30,000; each has some 60 bytes that nobody can guess. */
	if (n > 40 * 150)
		T_FAIL("%zu bytes for 40 lines of %zu bytes", n, new.len);
	buf_done(&old);
	buf_done(&new);
}

static void a_damaged_database_comes_back_too(void)
{
	struct buf old = compiled(300, 0, 0), new = compiled(300, 9, 50);
	uint64_t seed = t_seed(23);
	for (unsigned i = 0; i < 300; i++) {
		struct buf *b = t_rand(&seed) % 2 ? &old : &new;
		size_t at = t_rand(&seed) % (i % 2 ? b->len : 2000);
		uint8_t was = b->data[at];
		b->data[at] = (uint8_t)t_rand(&seed);
		there_and_back(&old, &new);
		b->data[at] = was;
	}
	buf_done(&old);
	buf_done(&new);
}

static void the_same_files_give_the_same_delta(void)
{
	struct buf old = compiled(500, 0, 0), new = compiled(500, 10, 9);
	struct buf a = delta_of(&old, &new), b = delta_of(&old, &new);
	T_TRUE(a.len == b.len && !memcmp(a.data, b.data, a.len));
	buf_done(&old);
	buf_done(&new);
	buf_done(&a);
	buf_done(&b);
}

static void another_old_file_is_refused(void)
{
	struct buf old = compiled(50, 0, 0), new = compiled(50, 1, 0), d = delta_of(&old, &new);
	old.data[old.len / 2] ^= 1;
	T_EQ(apply(&old, d.data, d.len, new.len, NULL), ST_CONFLICT);
	old.data[old.len / 2] ^= 1;
	old.len--;
	T_EQ(apply(&old, d.data, d.len, new.len, NULL), ST_CONFLICT);
	buf_done(&old);
	buf_done(&new);
	buf_done(&d);
}

static void more_bytes_than_expected_are_refused(void)
{
	struct buf old = compiled(50, 0, 0), new = compiled(50, 1, 0), d = delta_of(&old, &new);
	T_EQ(apply(&old, d.data, d.len, new.len - 1, NULL), ST_LIMIT);
	T_EQ(apply(&old, d.data, d.len, new.len, NULL), ST_OK);
	buf_done(&old);
	buf_done(&new);
	buf_done(&d);
}

static void every_shorter_or_longer_delta_is_refused(void)
{
	struct buf old = compiled(50, 0, 0), new = compiled(50, 3, 9), d = delta_of(&old, &new);
	for (size_t n = 0; n < d.len; n++)
		T_EQ(apply(&old, d.data, n, new.len, NULL), ST_TRUNCATED);
	buf_u8(&d, 0);
	T_EQ(apply(&old, d.data, d.len, new.len, NULL), ST_MALFORMED);
	buf_done(&old);
	buf_done(&new);
	buf_done(&d);
}

static void a_changed_delta_writes_no_more_than_it_may(void)
{
	struct buf old = compiled(50, 0, 0), new = compiled(50, 3, 9), d = delta_of(&old, &new);
	for (size_t i = 0; i < d.len; i++) {
		d.data[i] ^= 1;
		st_t st = apply(&old, d.data, d.len, new.len, NULL);
		T_TRUE(st >= ST_OK);
		d.data[i] ^= 1;
	}
	buf_done(&old);
	buf_done(&new);
	buf_done(&d);
}

/* What src/pack/delta_vdb.h says of the format, which it may not include. */
static void the_database_is_the_one_that_the_plan_knows(void)
{
	T_EQ(DB_VERSION, 2);
	T_EQ(DB_SECTIONS_END - 1, 31);
	T_EQ(sizeof(struct db_sig), 24);
	T_EQ(sizeof(struct db_pattern), 32);
	T_EQ(sizeof(struct db_part), 40);
	T_EQ(sizeof(struct db_slot), 16);
	T_EQ(sizeof(struct db_filter), 192);
	T_EQ(sizeof(struct db_hash_table), 40);
	T_EQ(offsetof(struct db_meta, nnames), 80);
	T_EQ(offsetof(struct db_sig, pattern), 12);
	T_EQ(offsetof(struct db_part, lit), 28);
	T_EQ(offsetof(struct db_slot, part), 8);
	T_EQ(DB_NAMEREF_INDEX, (1 << 28) - 1);
	T_EQ(DB_NAME_BLOCK, 32);
}

int main(void)
{
	T_RUN(files_come_back);
	T_RUN(empty_and_equal_files_come_back);
	T_RUN(databases_come_back);
	T_RUN(what_only_moves_costs_nothing);
	T_RUN(a_damaged_database_comes_back_too);
	T_RUN(the_same_files_give_the_same_delta);
	T_RUN(another_old_file_is_refused);
	T_RUN(more_bytes_than_expected_are_refused);
	T_RUN(every_shorter_or_longer_delta_is_refused);
	T_RUN(a_changed_delta_writes_no_more_than_it_may);
	T_RUN(the_database_is_the_one_that_the_plan_knows);
	return t_end();
}
