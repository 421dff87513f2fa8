/* The engine against the naive matcher: random signatures, random objects full of near misses,
 * every kernel level, bytes arriving in random portions. An anchor scheme that loses a match is
 * caught here. */
#include "test/t.h"

#include "match/cpu.h"
#include "naive.h"
#include "random_sig.h"
#include "sig/compile.h"
#include "verify/engine.h"
#include "verify/hits.h"
#include "verify/refute.h"

#define SIGS 60
#define OBJECTS 12
#define ROUNDS 60

static uint64_t seed;

struct world {
	struct ir_set set;
	struct buf bytes;
	void *aligned;
	struct db *db;
};

static void world_open(struct world *w, unsigned nsigs)
{
	struct err e = {0};
	uint8_t sources[32] = {0};
	w->bytes = (struct buf){0};
	ir_init(&w->set);
	for (unsigned i = 0; i < nsigs; i++)
		if (ir_add_sig(&w->set, random_sig(&w->set, &seed, i), &e) != ST_OK)
			abort();
	if (sig_emit(&w->set, sources, &w->bytes, &e) != ST_OK)
		T_FAIL("emit: %s", e.text);
	w->aligned = aligned_alloc(64, (w->bytes.len + 63) & ~(size_t)63);
	memcpy(w->aligned, w->bytes.data, w->bytes.len);
	if (db_open_memory(w->aligned, w->bytes.len, &w->db, &e) != ST_OK) {
		printf("open: %s\n", e.text);
		abort();
	}
}

static void world_close(struct world *w)
{
	db_close(w->db);
	free(w->aligned);
	buf_done(&w->bytes);
	ir_done(&w->set);
}

static bool found(struct world *w, const uint32_t *sigs, size_t n, const char *name)
{
	char text[DB_NAME_MAX];
	struct err e = {0};
	for (size_t i = 0; i < n; i++) {
		if (db_name(w->db, db_sig_nameref(w->db, sigs[i]), text, &e) != ST_OK)
			T_FAIL("name: %s", e.text);
		if (strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static void feed(struct engine *g, size_t size)
{
	for (size_t have = 0; have < size;) {
		have += 1 + t_rand(&seed) % 400;
		engine_feed(g, have < size ? have : size);
	}
}

static uint64_t nfound, nmissed;

static uint8_t random_target(void)
{
	return (uint8_t[]){0, 1, 6, 7}[t_rand(&seed) % 4];
}

static struct object_facts facts;
static uint8_t layers[3];

/* With some layers around it. */
static void begin(struct engine *g, uint8_t target, const uint8_t *data, size_t size)
{
	facts = (struct object_facts){.file_size = size, .layers = layers,
	                              .nlayers = (uint32_t)t_rand(&seed) % 3};
	for (unsigned i = 0; i < sizeof layers; i++)
		layers[i] = (uint8_t)(t_rand(&seed) % 3);
	engine_begin(g, target, data, size, &facts);
}

/* Finishes the object that was begun: what is found must be what the naive matcher finds. */
static void finish(struct world *w, struct engine *g, uint8_t target, const uint8_t *data,
                   size_t size)
{
	static struct exe_layout exe;
	random_layout(&seed, size, &exe);
	const struct exe_layout *layout = target == 1 || target == 6 ? &exe : NULL;
	struct naive_object o = {data, size, target, layout, &facts};
	const uint32_t *sigs;
	size_t n;
	struct err e = {0};
	if (t_rand(&seed) % 2)
		feed(g, size);
	facts.exe = layout;
	T_EQ(engine_finish(g, &sigs, &n, &e), ST_OK);
	for (size_t i = 0; i < w->set.nsigs; i++) {
		const struct ir_sig *s = w->set.sigs[i];
		bool want = naive_match(s, &o), got = found(w, sigs, n, s->name);
		*(want ? &nfound : &nmissed) += 1;
		if (want != got)
			T_FAIL("%s (%s): naive %d, engine %d", s->name, engine_kernels(g), want, got);
	}
}

static void one_object(struct world *w, struct engine *g)
{
	/* Large ones are searched for what candidates need (verify/refute.h). */
	size_t size = t_rand(&seed) % 1500 + (t_rand(&seed) % 16 ? 0 : REFUTE_SIZE_MIN);
	uint8_t *data = malloc(size + (size == 0)), target = random_target();
	random_object(&w->set, &seed, data, size);
	begin(g, target, data, size);
	finish(w, g, target, data, size);
	free(data);
}

/* An object of several blocks, then slices of it, of any target: taking over what was found in the
 * whole finds the same as filtering the slice. */
static void one_container(struct world *w, struct engine *g, struct hits *hits)
{
	size_t size = 1 + t_rand(&seed) % (t_rand(&seed) % 2 ? 40000 : 1500);
	uint8_t *data = malloc(size), outer = t_rand(&seed) % 4 ? 0 : random_target();
	const uint32_t *sigs;
	size_t n;
	struct err e = {0};
	random_object(&w->set, &seed, data, size);
	begin(g, outer, data, size);
	engine_record(g, hits);
	if (t_rand(&seed) % 2)
		feed(g, size);
	T_EQ(engine_finish(g, &sigs, &n, &e), ST_OK);
	for (unsigned i = 0; i < 8 && t_bad == 0; i++) {
		size_t at = t_rand(&seed) % size, len = 1 + t_rand(&seed) % 1500;
		uint8_t target = t_rand(&seed) % 2 ? outer : random_target();
		len = len < size - at ? len : size - at;
		begin(g, target, data + at, len);
		engine_reuse(g, hits);
		finish(w, g, target, data + at, len);
	}
	free(data);
}

static void engine_equals_naive_matcher(void)
{
	static const uint32_t masks[] = {0, CPU_AVX2, CPU_ALL};
	for (unsigned r = 0; r < ROUNDS && t_bad == 0; r++) {
		uint64_t start = seed;
		struct world w;
		struct engine *g;
		struct err e = {0};
		world_open(&w, r % 8 == 0 ? 300 : SIGS);
		if (engine_new(w.db, masks[r % 3], &g, &e) != ST_OK)
			abort();
		for (unsigned i = 0; i < OBJECTS && t_bad == 0; i++)
			one_object(&w, g);
		if (t_bad)
			printf("  round %u started with seed 0x%" PRIx64 "\n", r, start);
		engine_free(g);
		world_close(&w);
	}
	printf("  %" PRIu64 " found, %" PRIu64 " not\n", nfound, nmissed);
	T_TRUE(nfound > 1000);
}

static void slice_equals_naive_matcher(void)
{
	struct hits *hits = hits_new();
	if (!hits)
		abort();
	for (unsigned r = 0; r < ROUNDS / 2 && t_bad == 0; r++) {
		uint64_t start = seed;
		struct world w;
		struct engine *g;
		struct err e = {0};
		world_open(&w, SIGS);
		if (engine_new(w.db, CPU_ALL, &g, &e) != ST_OK)
			abort();
		for (unsigned i = 0; i < OBJECTS / 2 && t_bad == 0; i++)
			one_container(&w, g, hits);
		if (t_bad)
			printf("  round %u started with seed 0x%" PRIx64 "\n", r, start);
		hits_trim(hits);
		engine_free(g);
		world_close(&w);
	}
	hits_free(hits);
}

/* Bytes outside the recorded object, or a record that never was finished, are filtered. */
static void only_finished_records_are_reused(void)
{
	struct world w;
	struct engine *g;
	struct err e = {0};
	struct hits *hits = hits_new();
	uint8_t data[3000];
	world_open(&w, SIGS);
	if (!hits || engine_new(w.db, CPU_ALL, &g, &e) != ST_OK)
		abort();
	for (unsigned i = 0; i < 60 && t_bad == 0; i++) {
		const uint32_t *sigs;
		size_t n;
		random_object(&w.set, &seed, data, sizeof data);
		begin(g, 0, data, 1500);
		engine_record(g, hits);
		if (i % 2)
			T_EQ(engine_finish(g, &sigs, &n, &e), ST_OK);
		size_t at = i % 2 ? 1000 : 200;
		begin(g, 0, data + at, 1000);
		engine_reuse(g, hits);
		finish(&w, g, 0, data + at, 1000);
	}
	hits_free(hits);
	engine_free(g);
	world_close(&w);
}

static void record_that_lost_a_hit_says_so(void)
{
	static const struct db_target target;
	struct hits *hits = hits_new();
	if (!hits)
		abort();
	hits_start(hits, &target, NULL, 0);
	for (uint32_t i = 0; i < HITS_MAX; i++)
		hits_add(hits, i, i);
	T_TRUE(!hits->lost);
	hits_add(hits, 0, 0);
	T_TRUE(hits->lost);
	hits_free(hits);
}

static void same_signatures_give_the_same_bytes(void)
{
	uint64_t start = seed;
	struct world a, b;
	world_open(&a, SIGS);
	seed = start;
	world_open(&b, SIGS);
	T_EQ(a.bytes.len, b.bytes.len);
	if (a.bytes.len == b.bytes.len)
		T_MEM(a.bytes.data, b.bytes.data, a.bytes.len);
	world_close(&a);
	world_close(&b);
}

/* Whatever byte is damaged, the database is refused or works; it never crashes. */
static void damaged_database_is_refused_or_harmless(void)
{
	struct world w;
	world_open(&w, SIGS);
	uint8_t *copy = aligned_alloc(64, (w.bytes.len + 63) & ~(size_t)63);
	unsigned refused = 0;
	for (unsigned i = 0; i < 400; i++) {
		struct db *db = NULL;
		struct err e = {0};
		memcpy(copy, w.bytes.data, w.bytes.len);
		copy[t_rand(&seed) % w.bytes.len] ^= (uint8_t)(1u << (t_rand(&seed) % 8));
		refused += db_open_memory(copy, w.bytes.len, &db, &e) != ST_OK;
		db_close(db);
	}
	T_TRUE(refused > 300);
	free(copy);
	world_close(&w);
}

int main(void)
{
	seed = t_seed(20180514);
	T_RUN(engine_equals_naive_matcher);
	T_RUN(slice_equals_naive_matcher);
	T_RUN(only_finished_records_are_reused);
	T_RUN(record_that_lost_a_hit_says_so);
	T_RUN(same_signatures_give_the_same_bytes);
	T_RUN(damaged_database_is_refused_or_harmless);
	return t_end();
}
