/* Paths, tiles, bundles, and proofs out of tiles. */
#include "tlog/tile.h"

#include "test/merkle_ref.h"
#include "test/t.h"

static struct tlog_hasher hasher;

static st_t parse(const char *path, struct tile *ret)
{
	return tile_path_parse(rd_make(path, strlen(path)), ret, NULL);
}

static void paths_are_written_as_the_specification_shows(void)
{
	static const struct {
		struct tile t;
		const char *path;
	} cases[] = {
		{{TILE_CHECKPOINT, 0, 0, 256}, "checkpoint"},
		{{TILE_HASHES, 0, 0, 256}, "tile/0/000"},
		{{TILE_HASHES, 0, 5, 256}, "tile/0/005"},
		{{TILE_HASHES, 0, 999, 256}, "tile/0/999"},
		{{TILE_HASHES, 1, 1000, 256}, "tile/1/x001/000"},
		{{TILE_HASHES, 63, 1234067, 256}, "tile/63/x001/x234/067"},
		{{TILE_HASHES, 2, 0, 1}, "tile/2/000.p/1"},
		{{TILE_ENTRIES, 0, 273, 112}, "tile/entries/273.p/112"},
		{{TILE_ENTRIES, 0, TLOG_SIZE_MAX, 255},
	     "tile/entries/x009/x223/x372/x036/x854/x775/807.p/255"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char path[TILE_PATH_MAX];
		struct tile t = {.width = 9};
		tile_path(&cases[i].t, path);
		T_STR(path, cases[i].path);
		T_EQ(parse(cases[i].path, &t), ST_OK);
		T_EQ(t.kind, cases[i].t.kind);
		T_EQ(t.level, cases[i].t.level);
		T_EQ(t.n, cases[i].t.n);
		T_EQ(t.width, cases[i].t.width);
	}
}

static void random_tiles_keep_their_paths(void)
{
	uint64_t seed = t_seed(11);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t n = t_rand(&seed) >> 1 >> t_rand(&seed) % 63;
		struct tile t = {.kind = t_rand(&seed) % 2 ? TILE_HASHES : TILE_ENTRIES,
		                 .n = n,
		                 .width = 1 + (unsigned)(t_rand(&seed) % 256)}, back = {0};
		char path[TILE_PATH_MAX], again[TILE_PATH_MAX];
		if (t.kind == TILE_HASHES)
			t.level = (unsigned)(t_rand(&seed) % 64);
		tile_path(&t, path);
		T_EQ(parse(path, &back), ST_OK);
		tile_path(&back, again);
		T_STR(again, path);
		T_TRUE(back.kind == t.kind && back.level == t.level && back.n == t.n &&
		       back.width == t.width);
	}
}

static void other_spellings_of_paths_are_refused(void)
{
	static const char *const bad[] = {
		"", "/", "/checkpoint", "checkpoint/", "checkpoints", "checkpointtile/0/000",
		"Checkpoint", "checkpoint\n", "tile", "tile/",
		"tile//000", "tile/0", "tile/0/", "/tile/0/000", "tile/00/000", "tile/01/000",
		"tile/64/000", "tile/100/000", "tile/-1/000", "tile/+1/000", "tile/a/000", "tile/0/0",
		"tile/0/00", "tile/0/0000", "tile/0/x000", "tile/0/x000/000", "tile/0/x000/x001/000",
		"tile/0/x001", "tile/0/x001/", "tile/0/x001/x002", "tile/0/001/002", "tile/0/001/",
		"tile/0/X001/002", "tile/0/x01/002", "tile/0/x0001/002", "tile/0/ 01", "tile/0/+01",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/00", "tile/0/000.p/01",
		"tile/0/000.p/256", "tile/0/000.p/999", "tile/0/000.p/1000", "tile/0/000.p/1/",
		"tile/0/000.p/1 ", "tile/0/000.P/1", "tile/0/000/p/1", "tile/0/000p/1", "tile/0/000.p/-1",
		"tile/entries", "tile/entries/", "tile/entries/0", "tile/Entries/000", "tile/entries/0/000",
		"tile/entries/000.p/256", "tile/data/000", "tile/8/0/000", "tile/0/../0/000",
		"tile/0/x009/x223/x372/x036/x854/x775/808", "tile/0/x010/x000/x000/x000/x000/x000/000",
		"tile/0/x018/x446/x744/x073/x709/x551/616",
		"tile/0/x001/x000/x000/x000/x000/x000/x000/000",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct tile t = {.width = 77};
		if (parse(bad[i], &t) != ST_MALFORMED)
			T_FAIL("taken: \"%s\"", bad[i]);
		T_EQ(t.width, 77);
	}
	struct tile t;
	T_EQ(tile_path_parse(rd_make("tile/0/000\0", 11), &t, NULL), ST_MALFORMED);
}

/* "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of
 * width 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial level 2
 * tile of width 1. Note that a tree of size 256 will be represented by a full level 0 tile and a
 * partial level 1 tile of width 1." */
static void widths_are_those_of_the_specification(void)
{
	T_EQ(tile_width(70000, 0, 0), 256);
	T_EQ(tile_width(70000, 0, 272), 256);
	T_EQ(tile_width(70000, 0, 273), 112);
	T_EQ(tile_width(70000, 0, 274), 0);
	T_EQ(tile_width(70000, 1, 0), 256);
	T_EQ(tile_width(70000, 1, 1), 17);
	T_EQ(tile_width(70000, 1, 2), 0);
	T_EQ(tile_width(70000, 2, 0), 1);
	T_EQ(tile_width(70000, 2, 1), 0);
	T_EQ(tile_width(70000, 3, 0), 0);
	T_EQ(tile_width(256, 0, 0), 256);
	T_EQ(tile_width(256, 0, 1), 0);
	T_EQ(tile_width(256, 1, 0), 1);
	T_EQ(tile_width(255, 1, 0), 0);
	T_EQ(tile_width(0, 0, 0), 0);
	T_EQ(tile_width(TLOG_SIZE_MAX, 7, 0), 127);
	T_EQ(tile_width(TLOG_SIZE_MAX, 8, 0), 0);
	T_EQ(tile_width(TLOG_SIZE_MAX, 63, 0), 0);
	T_EQ(tile_width(5, 0, UINT64_MAX), 0);
	T_EQ(tile_level_size(70000, 1), 273);
	T_EQ(tile_level_size(TLOG_SIZE_MAX, 7), 127);
	T_EQ(tile_level_size(UINT64_MAX, 8), 0);
}

static void a_tile_has_exactly_its_width(void)
{
	static uint8_t bytes[TILE_BYTES_MAX + TLOG_HASH];
	static struct tlog_hash got[TILE_WIDTH];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned w = 1; w <= TILE_WIDTH; w++) {
		struct tile t = {TILE_HASHES, 0, 3, w};
		size_t n = w * TLOG_HASH;
		memset(got, 0, sizeof got);
		T_EQ(tile_read(&t, rd_make(bytes, n), got, NULL), ST_OK);
		T_MEM(got, bytes, n);
		T_EQ(tile_read(&t, rd_make(bytes, n - 1), got, NULL), ST_MALFORMED);
		T_EQ(tile_read(&t, rd_make(bytes, n + 1), got, NULL), ST_MALFORMED);
		T_EQ(tile_read(&t, rd_make(bytes, n - TLOG_HASH), got, NULL), ST_MALFORMED);
		T_EQ(tile_read(&t, rd_make(bytes, n + TLOG_HASH), got, NULL), ST_MALFORMED);
	}
	struct tile none = {TILE_HASHES, 0, 0, 0}, wide = {TILE_HASHES, 0, 0, 257};
	T_EQ(tile_read(&none, rd_make(bytes, 0), got, NULL), ST_MALFORMED);
	T_EQ(tile_read(&wide, rd_make(bytes, sizeof bytes), got, NULL), ST_MALFORMED);
}

static void bundles_hold_what_was_added(void)
{
	static uint8_t entry[ENTRY_MAX + 1];
	uint64_t seed = t_seed(12);
	for (unsigned width = 0; width <= TILE_WIDTH; width += 1 + width / 4) {
		struct buf b = {0};
		struct rd e;
		uint64_t again = seed;
		for (unsigned i = 0; i < width; i++) {
			size_t n = (size_t)(t_rand(&seed) % 300);
			entry[0] = (uint8_t)i;
			T_EQ(bundle_add(&b, entry, n, NULL), ST_OK);
		}
		struct bundle r = bundle_open(rd_make(b.data, b.len), width);
		for (unsigned i = 0; i < width; i++) {
			T_EQ(bundle_next(&r, &e, NULL), ST_OK);
			T_EQ(e.len, t_rand(&again) % 300);
			T_EQ(rd_byte(&e, 0), e.len ? i : 0);
		}
		T_EQ(bundle_next(&r, &e, NULL), ST_NOT_FOUND);
		buf_done(&b);
	}
}

static void the_longest_entry_fits_and_no_longer_one(void)
{
	static uint8_t entry[ENTRY_MAX + 1];
	struct buf b = {0};
	struct rd e;
	T_EQ(bundle_add(&b, entry, ENTRY_MAX + 1, NULL), ST_LIMIT);
	T_EQ(b.len, 0);
	T_EQ(bundle_add(&b, entry, ENTRY_MAX, NULL), ST_OK);
	struct bundle r = bundle_open(rd_make(b.data, b.len), 1);
	T_EQ(bundle_next(&r, &e, NULL), ST_OK);
	T_EQ(e.len, ENTRY_MAX);
	buf_done(&b);
}

/* How many entries come before the status that ends it. */
static unsigned count_entries(const void *p, size_t n, unsigned width, st_t *ret)
{
	struct bundle b = bundle_open(rd_make(p, n), width);
	struct rd e;
	unsigned count = 0;
	while ((*ret = bundle_next(&b, &e, NULL)) == ST_OK)
		count++;
	return count;
}

static void a_bundle_of_another_length_is_refused(void)
{
	static const uint8_t three[] = {0, 1, 'a', 0, 0, 0, 2, 'b', 'c'};
	st_t st;
	T_EQ(count_entries(three, sizeof three, 3, &st), 3);
	T_EQ(st, ST_NOT_FOUND);
	T_EQ(count_entries(three, sizeof three, 2, &st), 2);
	T_EQ(st, ST_MALFORMED);
	T_EQ(count_entries(three, sizeof three, 4, &st), 3);
	T_EQ(st, ST_MALFORMED);
	for (size_t n = 0; n < sizeof three; n++) {
		T_TRUE(count_entries(three, n, 3, &st) < 3);
		T_EQ(st, ST_MALFORMED);
	}
	T_EQ(count_entries(NULL, 0, 0, &st), 0);
	T_EQ(st, ST_NOT_FOUND);
}

/* A log in memory: level by level all hashes that tiles have. */
#define LEAVES 70000

struct memory_log {
	struct tlog_hash *level[3];
	uint64_t size;
	unsigned asked;
	bool broken;
};

static void level_up(struct memory_log *log, unsigned l)
{
	uint64_t n = tile_level_size(LEAVES, l);
	log->level[l] = calloc(n, TLOG_HASH);
	for (uint64_t i = 0; i < n; i++) {
		struct tlog_frontier f = {0};
		for (unsigned k = 0; k < TILE_WIDTH; k++)
			tlog_frontier_add(&f, &hasher, &log->level[l - 1][i * TILE_WIDTH + k]);
		tlog_frontier_root(&f, &hasher, &log->level[l][i]);
	}
}

static void memory_log_make(struct memory_log *log)
{
	*log = (struct memory_log){.size = LEAVES};
	log->level[0] = calloc(LEAVES, TLOG_HASH);
	for (unsigned i = 0; i < LEAVES; i++) {
		char text[40];
		int n = snprintf(text, sizeof text, "fixture entry %u\n", i);
		tlog_hash_leaf(&hasher, text, (size_t)n, &log->level[0][i]);
	}
	level_up(log, 1);
	level_up(log, 2);
}

static void memory_log_done(struct memory_log *log)
{
	for (unsigned l = 0; l < 3; l++)
		free(log->level[l]);
}

static st_t memory_get(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	struct memory_log *log = ctx;
	log->asked++;
	if (log->broken)
		return fail(e, ST_IO, 0, "the source is broken");
	if (t->kind != TILE_HASHES || t->level > 2 || !t->width ||
	    t->width != tile_width(log->size, t->level, t->n))
		return fail(e, ST_MALFORMED, 0, "asked for a tile that the tree has not");
	memcpy(ret, log->level[t->level] + t->n * TILE_WIDTH, t->width * sizeof *ret);
	return ST_OK;
}

/* MTH from the leaves alone. */
static void leaves_mth(void *ctx, uint64_t begin, uint64_t end, struct tlog_hash *ret)
{
	struct memory_log *log = ctx;
	struct tlog_hash l, r;
	if (end - begin == 1) {
		*ret = log->level[0][begin];
		return;
	}
	uint64_t k = ref_split(end - begin);
	leaves_mth(ctx, begin, begin + k, &l);
	leaves_mth(ctx, begin + k, end, &r);
	tlog_hash_node(&hasher, &l, &r, ret);
}

static void proofs_out_of_tiles_are_those_of_the_leaves(void)
{
	static struct tile_nodes tn;
	static const uint64_t sizes[] = {1,   2,   255,   256,   257,   511,
	                                 512, 513, 65535, 65536, 65537, 70000};
	struct memory_log log;
	uint64_t seed = t_seed(13);
	memory_log_make(&log);
	struct tile_source src = {memory_get, &log};
	struct ref_tree ref = {leaves_mth, &log};
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		uint64_t n = log.size = sizes[s];
		struct tlog_hash root, got;
		tile_nodes_init(&tn, &src, &hasher, n);
		struct tlog_nodes nodes = tile_nodes_as_nodes(&tn);
		leaves_mth(&log, 0, n, &root);
		T_EQ(tlog_tree_root(&hasher, &nodes, n, &got, NULL), ST_OK);
		T_TRUE(tlog_hash_equal(&got, &root));
		for (unsigned round = 0; round < 12; round++) {
			uint64_t i = t_rand(&seed) % n;
			struct tlog_proof p = {0}, want = {0};
			T_EQ(tlog_prove_inclusion(&hasher, &nodes, i, n, &p, NULL), ST_OK);
			ref_path(&ref, i, 0, n, &want);
			T_EQ(p.n, want.n);
			T_MEM(p.hash, want.hash, p.n * sizeof p.hash[0]);
			want.n = 0;
			T_EQ(tlog_prove_consistency(&hasher, &nodes, i + 1, n, &p, NULL), ST_OK);
			ref_subproof(&ref, i + 1, 0, n, true, &want);
			T_EQ(p.n, want.n);
			T_MEM(p.hash, want.hash, p.n * sizeof p.hash[0]);
		}
	}
	memory_log_done(&log);
}

static void every_node_comes_from_its_tile_and_none_from_outside(void)
{
	static struct tile_nodes tn;
	struct memory_log log;
	struct tlog_hash got, want;
	struct err e = {0};
	memory_log_make(&log);
	log.size = 1000;
	struct tile_source src = {memory_get, &log};
	tile_nodes_init(&tn, &src, &hasher, log.size);
	struct tlog_nodes nodes = tile_nodes_as_nodes(&tn);
	for (unsigned level = 0; level < 10; level++) {
		for (uint64_t i = 0; i < log.size >> level; i++) {
			T_EQ(nodes.get(nodes.ctx, level, i, &got, &e), ST_OK);
			leaves_mth(&log, i << level, (i + 1) << level, &want);
			T_TRUE(tlog_hash_equal(&got, &want));
		}
		T_EQ(nodes.get(nodes.ctx, level, log.size >> level, &got, NULL), ST_BAD_PROOF);
	}
	T_EQ(nodes.get(nodes.ctx, 63, 0, &got, NULL), ST_BAD_PROOF);
	T_EQ(nodes.get(nodes.ctx, 200, 0, &got, NULL), ST_BAD_PROOF);
	T_EQ(nodes.get(nodes.ctx, 0, UINT64_MAX, &got, NULL), ST_BAD_PROOF);
	/* Four tiles, each once for eight levels in a row, and one of level 1. */
	tile_nodes_init(&tn, &src, &hasher, log.size);
	log.asked = 0;
	for (uint64_t i = 0; i < log.size; i++)
		T_EQ(nodes.get(nodes.ctx, 0, i, &got, NULL), ST_OK);
	T_EQ(log.asked, 4);
	memory_log_done(&log);
}

static void a_tile_that_could_not_be_had_is_not_kept(void)
{
	static struct tile_nodes tn;
	struct memory_log log;
	struct tlog_hash got;
	struct err e = {0};
	memory_log_make(&log);
	struct tile_source src = {memory_get, &log};
	tile_nodes_init(&tn, &src, &hasher, log.size);
	struct tlog_nodes nodes = tile_nodes_as_nodes(&tn);
	T_EQ(nodes.get(nodes.ctx, 0, 5, &got, &e), ST_OK);
	log.broken = true;
	T_EQ(nodes.get(nodes.ctx, 0, 300, &got, &e), ST_IO);
	T_STR(e.text, "the source is broken");
	T_EQ(nodes.get(nodes.ctx, 0, 5, &got, NULL), ST_IO);
	log.broken = false;
	T_EQ(nodes.get(nodes.ctx, 0, 5, &got, NULL), ST_OK);
	T_TRUE(tlog_hash_equal(&got, &log.level[0][5]));
	memory_log_done(&log);
}

static size_t read_file(const char *path, uint8_t *ret, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(ret, 1, max, f) : 0;
	if (f)
		fclose(f);
	T_TRUE(n > 0);
	return n;
}

/* test/vectors/tlog/log300, which others wrote and checked. */
static void tiles_of_vectors_hash_their_bundles(void)
{
	static uint8_t bytes[TILE_BYTES_MAX], entries[TILE_BYTES_MAX];
	static struct tlog_hash tile[TILE_WIDTH], leaf;
	struct tlog_frontier f = {0};
	for (uint64_t n = 0; n < 2; n++) {
		struct tile t = {TILE_HASHES, 0, n, tile_width(300, 0, n)}, b = t;
		char path[TILE_PATH_MAX], file[512];
		struct rd entry;
		b.kind = TILE_ENTRIES;
		tile_path(&t, path);
		snprintf(file, sizeof file, "%s/log300/%s", VECTORS, path);
		T_EQ(tile_read(&t, rd_make(bytes, read_file(file, bytes, sizeof bytes)), tile, NULL),
		     ST_OK);
		tile_path(&b, path);
		snprintf(file, sizeof file, "%s/log300/%s", VECTORS, path);
		struct bundle r =
			bundle_open(rd_make(entries, read_file(file, entries, sizeof entries)), b.width);
		for (unsigned i = 0; i < t.width; i++) {
			T_EQ(bundle_next(&r, &entry, NULL), ST_OK);
			tlog_hash_leaf(&hasher, entry.base, entry.len, &leaf);
			T_TRUE(tlog_hash_equal(&leaf, &tile[i]));
			tlog_frontier_add(&f, &hasher, &leaf);
		}
		T_EQ(bundle_next(&r, &entry, NULL), ST_NOT_FOUND);
	}
	static const uint8_t root[TLOG_HASH] = {
		0xaf, 0x68, 0xb9, 0x6e, 0xff, 0x4c, 0xa5, 0x61, 0x88, 0x9a, 0x7e,
		0xdc, 0xfb, 0xb7, 0x3d, 0xad, 0x6f, 0x03, 0x4f, 0x2f, 0x28, 0x8b,
		0x6a, 0x44, 0x1b, 0x00, 0x0e, 0xa8, 0x26, 0xbd, 0xa8, 0x1d,
	};
	tlog_frontier_root(&f, &hasher, &leaf);
	T_MEM(leaf.b, root, sizeof root);
}

int main(void)
{
	if (tlog_hasher_init(&hasher, NULL) != ST_OK)
		return 1;
	T_RUN(paths_are_written_as_the_specification_shows);
	T_RUN(random_tiles_keep_their_paths);
	T_RUN(other_spellings_of_paths_are_refused);
	T_RUN(widths_are_those_of_the_specification);
	T_RUN(a_tile_has_exactly_its_width);
	T_RUN(bundles_hold_what_was_added);
	T_RUN(the_longest_entry_fits_and_no_longer_one);
	T_RUN(a_bundle_of_another_length_is_refused);
	T_RUN(proofs_out_of_tiles_are_those_of_the_leaves);
	T_RUN(every_node_comes_from_its_tile_and_none_from_outside);
	T_RUN(a_tile_that_could_not_be_had_is_not_kept);
	T_RUN(tiles_of_vectors_hash_their_bundles);
	tlog_hasher_done(&hasher);
	return t_end();
}
