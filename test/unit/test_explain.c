/* Signatures in words: what is said to be found is what the engine finds, and a hostile database
 * breaks nothing. */
#include "test/t.h"

#include "explain/explain.h"
#include "random_sig.h"
#include "sig/compile.h"
#include "verify/engine.h"

#define SIGS 30
#define OBJECTS 15
#define ROUNDS 30

static uint64_t seed;

struct world {
	struct ir_set set;
	struct buf bytes;
	void *aligned;
	struct db *db;
};

static void world_open(struct world *w)
{
	struct err e = {0};
	uint8_t sources[32] = {0};
	*w = (struct world){0};
	ir_init(&w->set);
	for (unsigned i = 0; i < SIGS; i++)
		if (ir_add_sig(&w->set, random_sig(&w->set, &seed, i), &e) != ST_OK)
			abort();
	if (sig_emit(&w->set, sources, &w->bytes, &e) != ST_OK)
		abort();
	w->aligned = aligned_alloc(64, (w->bytes.len + 63) & ~(size_t)63);
	memcpy(w->aligned, w->bytes.data, w->bytes.len);
	if (db_open_memory(w->aligned, w->bytes.len, &w->db, &e) != ST_OK)
		abort();
}

static void world_close(struct world *w)
{
	db_close(w->db);
	free(w->aligned);
	buf_done(&w->bytes);
	ir_done(&w->set);
}

static bool has(const uint32_t *sigs, size_t n, uint32_t sig)
{
	for (size_t i = 0; i < n; i++)
		if (sigs[i] == sig)
			return true;
	return false;
}

static uint64_t nfound, nmissed;

static void compare(struct world *w, uint8_t target, const struct exe_layout *exe,
                    const struct explain_object *object, const uint32_t *sigs, size_t n)
{
	struct object_facts facts = {.file_size = object->len, .exe = exe};
	for (uint32_t i = 0; i < db_view(w->db)->nsig; i++) {
		struct out o = {.json = i % 2};
		bool hit = false, words = false, engine = has(sigs, n, i);
		struct err e = {0};
		T_EQ(explain_test_sig(&o, w->db, i, target, &facts, object, &hit, &words, &e), ST_OK);
		T_EQ(out_finish(&o, &e), ST_OK);
		buf_u8(&o.all, 0);
		if (hit != engine || words != engine)
			T_FAIL("signature %u: engine %d, exact %d, words %d\n%s", (unsigned)i, engine, hit,
			       words, (const char *)o.all.data);
		*(engine ? &nfound : &nmissed) += 1;
		out_done(&o);
	}
}

static void one_object(struct world *w, struct engine *g)
{
	static struct exe_layout exe;
	uint8_t target = (uint8_t[]){0, 1, 6, 7}[t_rand(&seed) % 4];
	size_t size = t_rand(&seed) % 1200, n;
	uint8_t *data = calloc(1, size + DB_TAIL_PAD);
	const uint32_t *sigs;
	struct err e = {0};
	random_object(&w->set, &seed, data, size);
	random_layout(&seed, size, &exe);
	const struct exe_layout *layout = target == 1 || target == 6 ? &exe : NULL;
	struct object_facts facts = {.file_size = size, .exe = layout};
	engine_begin(g, target, data, size, &facts);
	T_EQ(engine_finish(g, &sigs, &n, &e), ST_OK);
	struct explain_object object = {.data = data, .len = size};
	compare(w, target, layout, &object, sigs, n);
	free(data);
}

static void what_is_said_to_be_found_is_what_the_engine_finds(void)
{
	for (unsigned r = 0; r < ROUNDS && t_bad == 0; r++) {
		struct world w;
		struct engine *g;
		world_open(&w);
		if (engine_new(w.db, 0, &g, NULL) != ST_OK)
			abort();
		for (unsigned i = 0; i < OBJECTS && t_bad == 0; i++)
			one_object(&w, g);
		engine_free(g);
		world_close(&w);
	}
	T_TRUE(nfound > 100 && nmissed > 100);
	printf("  %u found, %u not found\n", (unsigned)nfound, (unsigned)nmissed);
}

/* -- how answers are written ---------------------------------------------------------------- */

static char *text_of(struct out *o)
{
	struct err e = {0};
	T_EQ(out_finish(o, &e), ST_OK);
	buf_u8(&o->all, 0);
	return (char *)o->all.data;
}

static void write_sample(struct out *o)
{
	out_say(o, "%s", "Name ");
	out_name(o, "a\nb\\\x1b");
	out_open(o, "name");
	out_str(o, "name", "a\"\n");
	out_num(o, "n", 7);
	out_say(o, "one");
	out_item(o, "parts");
	out_say(o, "two");
	out_item(o, "parts");
	out_say(o, "for people");
	out_remark(o);
	out_say(o, "last");
	out_open_one(o, "end");
	out_bool(o, "good", true);
	out_close(o);
	out_close(o);
}

static void an_answer_is_text_or_json_with_nothing_that_breaks_a_line(void)
{
	struct out text = {0}, json = {.json = true};
	write_sample(&text);
	write_sample(&json);
	T_STR(text_of(&text), "Name a\\x0ab\\\\\\x1b\n  one\n  two\n  for people\n  last\n");
	T_STR(text_of(&json), "{\"words\":\"Name a\\\\x0ab\\\\\\\\\\\\x1b\",\"name\":\"a\\\"\\u000a\","
	                      "\"n\":7,\"parts\":[{\"words\":\"one\"},{\"words\":\"two\"}],"
	                      "\"end\":{\"words\":\"last\",\"good\":true}}\n");
	out_done(&text);
	out_done(&json);
}

static void an_answer_nested_too_deep_fails_and_goes_no_further(void)
{
	struct out o = {.json = true};
	struct err e = {0};
	for (unsigned i = 0; i < 2 * OUT_DEPTH_MAX; i++)
		out_open(&o, "x");
	for (unsigned i = 0; i < 2 * OUT_DEPTH_MAX; i++)
		out_close(&o);
	T_EQ(out_finish(&o, &e), ST_LIMIT);
	out_done(&o);
}

static st_t refuse(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)p;
	(void)n;
	return fail(e, ST_IO, 0, "disk full");
}

static void an_answer_that_cannot_be_written_fails(void)
{
	struct out o = {.write = refuse};
	struct err e = {0};
	out_say(&o, "a line");
	out_item(&o, "x");
	T_EQ(out_finish(&o, &e), ST_IO);
	T_STR(e.text, "disk full");
	out_done(&o);
}

int main(void)
{
	seed = t_seed(0x5eed);
	T_RUN(what_is_said_to_be_found_is_what_the_engine_finds);
	T_RUN(an_answer_is_text_or_json_with_nothing_that_breaks_a_line);
	T_RUN(an_answer_nested_too_deep_fails_and_goes_no_further);
	T_RUN(an_answer_that_cannot_be_written_fails);
	return t_end();
}
