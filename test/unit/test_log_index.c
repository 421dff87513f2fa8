/* The table from leaf hash to index: it may forget and it may be damaged, but never lies. */
#include "log/index.h"
#include "sim_disk.h"
#include "test/t.h"

#define LEAVES 9000 /* the first table has 4,096 slots: it grows twice */

struct tree {
	uint64_t size; /* known to the tree, or in the batch at hand */
};

static void make_leaf(uint64_t i, struct tlog_hash *ret)
{
	uint64_t state = i + 1;
	for (size_t k = 0; k < TLOG_HASH; k++)
		ret->b[k] = (uint8_t)t_rand(&state);
}

static st_t get_leaf(void *ctx, uint64_t index, struct tlog_hash *ret, struct err *e)
{
	struct tree *t = ctx;
	if (index >= t->size)
		return fail(e, ST_NOT_FOUND, 0, "no such index");
	make_leaf(index, ret);
	return ST_OK;
}

static const uint64_t seed[2] = {5, 7};

static struct log_index *open_index(struct sim_disk *d, const struct log_leaves *l, uint64_t size)
{
	struct log_index *ix = NULL;
	T_EQ(log_index_open(&d->io, SIM_PRIVATE, seed, l, size, &ix, NULL), ST_OK);
	return ix;
}

/* Adds leaves [from, to); true if all went well. */
static bool add(struct log_index *ix, struct tree *t, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct tlog_hash leaf;
		uint64_t got = 0;
		make_leaf(i, &leaf);
		t->size = i + 1;
		if (log_index_find_or_add(ix, &leaf, i, &got, NULL) != ST_OK)
			return false;
		if (got != i)
			T_FAIL("leaf %" PRIu64 " is said to be at %" PRIu64, i, got);
	}
	return true;
}

static void expect_all(struct log_index *ix, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct tlog_hash leaf;
		uint64_t got = 0;
		make_leaf(i, &leaf);
		T_EQ(log_index_find_or_add(ix, &leaf, n, &got, NULL), ST_OK);
		if (got != i) {
			T_FAIL("leaf %" PRIu64 " of %" PRIu64 " is missed", i, n);
			return;
		}
	}
}

static void every_leaf_is_found_while_the_table_grows(void)
{
	struct sim_disk *d = sim_new();
	struct tree t = {0};
	struct log_leaves l = {get_leaf, &t};
	struct log_index *ix = open_index(d, &l, 0);
	T_TRUE(add(ix, &t, 0, LEAVES));
	expect_all(ix, LEAVES);
	log_index_free(ix);
	sim_free(d);
}

static void clean_table_is_used_and_one_that_is_behind_catches_up(void)
{
	struct sim_disk *d = sim_new();
	struct tree t = {0};
	struct log_leaves l = {get_leaf, &t};
	struct log_index *ix = open_index(d, &l, 0);
	T_TRUE(add(ix, &t, 0, 500));
	T_EQ(log_index_commit(ix, 500, NULL), ST_OK);
	log_index_free(ix);
	t.size = 700;
	for (uint64_t size = 500; size <= 700; size += 200) {
		uint64_t calls = d->calls;
		ix = open_index(d, &l, size);
		T_TRUE(size == 700 || d->calls == calls);
		expect_all(ix, size);
		log_index_free(ix);
	}
	sim_free(d);
}

/* One session that ends well, one that is stopped at call `stop`. */
static bool stopped_session(struct sim_disk *d, struct tree *t, uint64_t stop)
{
	struct log_leaves l = {get_leaf, t};
	struct log_index *ix = open_index(d, &l, 0);
	T_TRUE(add(ix, t, 0, 2000));
	T_EQ(log_index_commit(ix, 2000, NULL), ST_OK);
	log_index_free(ix);
	ix = NULL;
	d->stop = d->calls + stop;
	bool ended = log_index_open(&d->io, SIM_PRIVATE, seed, &l, 2000, &ix, NULL) == ST_OK &&
	             add(ix, t, 2000, 3000) && log_index_commit(ix, 3000, NULL) == ST_OK;
	log_index_free(ix);
	return ended;
}

static void power_cut_makes_it_forget_nothing(void)
{
	uint64_t random = t_seed(3);
	bool ended = false;
	for (uint64_t stop = 1; !ended && t_bad == 0; stop++) {
		struct sim_disk *d = sim_new();
		struct tree t = {0};
		ended = stopped_session(d, &t, stop);
		t.size = 3000;
		for (int i = 0; i < 8; i++) {
			enum sim_crash how = i < SIM_RANDOM ? (enum sim_crash)i : SIM_RANDOM;
			struct sim_disk *c = sim_crash(d, how, t_rand(&random));
			struct log_leaves l = {get_leaf, &t};
			struct log_index *ix = open_index(c, &l, 3000);
			expect_all(ix, 3000);
			log_index_free(ix);
			sim_free(c);
		}
		sim_free(d);
	}
	T_TRUE(ended);
}

static void damaged_table_gives_no_wrong_index(void)
{
	uint64_t random = t_seed(4);
	for (int round = 0; round < 200; round++) {
		struct sim_disk *d = sim_new();
		struct tree t = {0};
		struct log_leaves l = {get_leaf, &t};
		struct log_index *ix = open_index(d, &l, 0);
		T_TRUE(add(ix, &t, 0, 1000));
		T_EQ(log_index_commit(ix, 1000, NULL), ST_OK);
		log_index_free(ix);
		size_t n = 0;
		uint8_t *file = (uint8_t *)(uintptr_t)sim_file(d, SIM_PRIVATE, "index", &n);
		uint64_t from = round % 2 ? 0 : LOG_INDEX_HEADER;
		for (int i = 0; i < 2000; i++)
			file[from + t_rand(&random) % (n - from)] ^= (uint8_t)t_rand(&random);
		ix = open_index(d, &l, 1000);
		for (uint64_t i = 0; i < 1000; i++) {
			struct tlog_hash leaf;
			uint64_t got = 0;
			make_leaf(i, &leaf);
			st_t st = log_index_find_or_add(ix, &leaf, 1000, &got, NULL);
			if (st == ST_OK && got != i && got != 1000)
				T_FAIL("leaf %" PRIu64 " is said to be at %" PRIu64, i, got);
		}
		log_index_free(ix);
		sim_free(d);
	}
}

static void table_without_a_free_slot_is_built_anew(void)
{
	struct sim_disk *d = sim_new();
	struct tree t = {0};
	struct log_leaves l = {get_leaf, &t};
	struct log_index *ix = open_index(d, &l, 0);
	T_TRUE(add(ix, &t, 0, 100));
	T_EQ(log_index_commit(ix, 100, NULL), ST_OK);
	log_index_free(ix);
	size_t n = 0;
	uint8_t *file = (uint8_t *)(uintptr_t)sim_file(d, SIM_PRIVATE, "index", &n);
	memset(file + LOG_INDEX_HEADER, 0x55, n - LOG_INDEX_HEADER);
	t.size = 200;
	ix = open_index(d, &l, 200);
	expect_all(ix, 200);
	log_index_free(ix);
	sim_free(d);
}

int main(void)
{
	T_RUN(every_leaf_is_found_while_the_table_grows);
	T_RUN(clean_table_is_used_and_one_that_is_behind_catches_up);
	T_RUN(power_cut_makes_it_forget_nothing);
	T_RUN(damaged_table_gives_no_wrong_index);
	T_RUN(table_without_a_free_slot_is_built_anew);
	return t_end();
}
