/* The log's writer on a disk that loses power at every call (sim_disk.h): what is promised in
 * log/writer.h holds afterwards, whatever survived. */
#include "log/writer.h"
#include "test/t.h"
#include "tlog/checkpoint.h"
#include "sim_disk.h"

#define NAME "log.example/sim"
#define IDS 640         /* different entries */
#define NEVER UINT64_MAX
#define SIGNED_MAX 64

struct signed_tree {
	uint64_t size;
	struct tlog_hash root;
};

/* What the outside knows: it must stay true across crashes. */
struct world {
	struct signer signer; /* first: the recording one */
	struct signer *real;
	struct note_key key;
	struct tlog_hasher h;
	uint64_t acked[IDS];
	struct signed_tree signed_[SIGNED_MAX];
	size_t nsigned;
	uint64_t seen; /* largest size that a reader saw */
	bool created;
	/* The witness. */
	bool witnessed, was_witnessed;
	struct signer *witness;
	struct note_key witness_key;
	struct signed_tree cosigned;
	unsigned asked, refuse_every;
};

static st_t record_sign(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig,
                        struct err *e)
{
	struct world *w = (struct world *)(uintptr_t)s;
	struct checkpoint c;
	T_EQ(checkpoint_parse(rd_make(msg, n), &c, e), ST_OK);
	for (size_t i = 0; i < w->nsigned; i++)
		if (w->signed_[i].size == c.size && !tlog_hash_equal(&w->signed_[i].root, &c.root))
			T_FAIL("two trees of size %" PRIu64 " were signed", c.size);
	if (w->nsigned < SIGNED_MAX)
		w->signed_[w->nsigned++] = (struct signed_tree){c.size, c.root};
	else
		T_FAIL("too many signatures to remember");
	return signer_sign(w->real, msg, n, ret_sig, e);
}

static const struct signer_ops record_ops = {.sign = record_sign};

static void world_init(struct world *w, bool witnessed, unsigned refuse_every)
{
	static const uint8_t seed[32] = "log", other[32] = "witness";
	*w = (struct world){.witnessed = witnessed, .refuse_every = refuse_every};
	T_EQ(signer_new(SIGNER_ED25519, seed, &w->real, NULL), ST_OK);
	T_EQ(signer_new(SIGNER_ED25519, other, &w->witness, NULL), ST_OK);
	T_EQ(tlog_hasher_init(&w->h, NULL), ST_OK);
	w->signer = *w->real;
	w->signer.ops = &record_ops;
	T_EQ(note_key_of_signer(NAME, NOTE_ED25519, w->real, &w->key, NULL), ST_OK);
	T_EQ(note_key_of_signer("w.example", NOTE_COSIGNATURE_ED25519, w->witness, &w->witness_key,
	                        NULL), ST_OK);
	for (size_t i = 0; i < IDS; i++)
		w->acked[i] = NEVER;
}

static void world_done(struct world *w)
{
	signer_free(w->real);
	signer_free(w->witness);
	tlog_hasher_done(&w->h);
}

/* A witness as C2SP tlog-witness has it, in short: it cosigns what is consistent. */
static st_t collect(void *ctx, struct rd bytes, const struct tlog_nodes *nodes, uint64_t size,
                    struct buf *ret_lines, struct err *e)
{
	struct world *w = ctx;
	struct note *n = malloc(sizeof *n);
	struct checkpoint c;
	struct tlog_proof p;
	T_EQ(note_parse(bytes, n, e), ST_OK);
	T_EQ(checkpoint_parse(n->text, &c, e), ST_OK);
	T_EQ(c.size, size);
	struct rd text = n->text;
	free(n);
	if (w->refuse_every && ++w->asked % w->refuse_every == 0)
		return fail(e, ST_BAD_SIG, 0, "the witness is away");
	if (w->was_witnessed && w->cosigned.size) {
		st_t st = tlog_prove_consistency(&w->h, nodes, w->cosigned.size, size, &p, e);
		if (st == ST_OK)
			st = tlog_check_consistency(&w->h, w->cosigned.size, size, &w->cosigned.root,
			                            &c.root, &p, e);
		if (st == ST_BAD_PROOF)
			T_FAIL("the witness was shown another tree");
		if (st != ST_OK)
			return st;
	}
	w->was_witnessed = true;
	w->cosigned = (struct signed_tree){c.size, c.root};
	return note_sign(text, "w.example", NOTE_COSIGNATURE_ED25519, w->witness, 1700000000,
	                 ret_lines, e);
}

/* An entry: some are empty, some longer than others. */
static struct log_entry content(unsigned id)
{
	static char text[IDS][64];
	if (!text[id][0])
		snprintf(text[id], sizeof text[id], "%.*s#%u", (int)(id * 7 % 40),
		         "0123456789012345678901234567890123456789", id);
	return (struct log_entry){text[id], id == 3 ? 0 : strlen(text[id])};
}

/* --- what a reader checks --- */

struct view {
	uint64_t size;
	struct tlog_hash root;
	struct tlog_hash *leaf;
	uint64_t index_of[IDS];
	bool broken;
};

static void plain_root(struct tlog_hasher *h, const struct tlog_hash *leaf, uint64_t n,
                       struct tlog_hash *ret)
{
	if (n == 0) {
		tlog_hash_empty(ret);
		return;
	}
	if (n == 1) {
		*ret = leaf[0];
		return;
	}
	uint64_t k = 1;
	struct tlog_hash l, r;
	while (k * 2 < n)
		k *= 2;
	plain_root(h, leaf, k, &l);
	plain_root(h, leaf + k, n - k, &r);
	tlog_hash_node(h, &l, &r, ret);
}

/* A tile as a client gets it: the partial one, or the full one in its place. */
static const uint8_t *client_get(const struct sim_disk *d, struct tile t, size_t *ret_n)
{
	char path[TILE_PATH_MAX];
	tile_path(&t, path);
	const uint8_t *p = sim_file(d, SIM_PUBLIC, path, ret_n);
	if (p || t.width == TILE_WIDTH)
		return p;
	t.width = TILE_WIDTH;
	tile_path(&t, path);
	return sim_file(d, SIM_PUBLIC, path, ret_n);
}

static void note_entry(struct view *v, uint64_t index, struct rd entry)
{
	for (unsigned id = 0; id < IDS; id++) {
		struct log_entry x = content(id);
		if (x.n != rd_left(&entry) || memcmp(entry.base, x.p, x.n))
			continue;
		if (v->index_of[id] != NEVER)
			T_FAIL("entry %u is in the log twice: %" PRIu64 ", %" PRIu64, id, v->index_of[id],
			       index);
		v->index_of[id] = index;
		return;
	}
	T_FAIL("an entry that nobody added, index %" PRIu64, index);
}

static void view_bundles(struct world *w, const struct sim_disk *d, struct view *v)
{
	for (uint64_t n = 0; n * TILE_WIDTH < v->size; n++) {
		struct tile t = {.kind = TILE_ENTRIES, .n = n, .width = tile_width(v->size, 0, n)};
		size_t len = 0;
		const uint8_t *p = client_get(d, t, &len);
		struct bundle b = bundle_open(rd_make(p, p ? len : 0), TILE_WIDTH);
		for (unsigned i = 0; i < t.width && !v->broken; i++) {
			struct rd x;
			struct err e = {0};
			b.left = t.width - i;
			if (!p || (bundle_next(&b, &x, &e) != ST_OK && e.st != ST_MALFORMED)) {
				T_FAIL("bundle %" PRIu64 " of the published tree: %s", n, p ? e.text : "missing");
				v->broken = true;
				return;
			}
			tlog_hash_leaf(&w->h, x.base, rd_left(&x), &v->leaf[n * TILE_WIDTH + i]);
			note_entry(v, n * TILE_WIDTH + i, x);
		}
	}
}

static void view_tiles(struct world *w, const struct sim_disk *d, struct view *v)
{
	uint64_t span = 1;
	for (unsigned level = 0; v->size >= span; level++, span *= TILE_WIDTH) {
		for (uint64_t i = 0; i < v->size / span; i++) {
			uint64_t n = i / TILE_WIDTH;
			struct tile t = {TILE_HASHES, level, n, tile_width(v->size, level, n)};
			struct tlog_hash want;
			size_t len = 0;
			const uint8_t *p = client_get(d, t, &len);
			plain_root(&w->h, v->leaf + i * span, span, &want);
			if (len < (size_t)t.width * TLOG_HASH ||
			    memcmp(p + i % TILE_WIDTH * TLOG_HASH, want.b, TLOG_HASH)) {
				T_FAIL("level %u, tile %" PRIu64 " of the published tree is wrong", level, n);
				v->broken = true;
				return;
			}
		}
	}
}

static bool checkpoint_at(struct world *w, const struct sim_disk *d, struct view *v)
{
	size_t len = 0;
	const uint8_t *p = sim_file(d, SIM_PUBLIC, "checkpoint", &len);
	struct checkpoint c;
	uint64_t time;
	if (!p)
		return false;
	struct note *n = malloc(sizeof *n);
	struct err e = {0};
	st_t st = note_parse(rd_make(p, len), n, &e);
	T_EQ(st, ST_OK);
	if (st == ST_OK) {
		T_EQ(checkpoint_parse(n->text, &c, &e), ST_OK);
		T_EQ(note_verify(n->text, note_find(n, &w->key), &w->key, &time, &e), ST_OK);
		T_EQ(note_find(n, &w->witness_key) != NULL, w->witnessed);
		v->size = c.size;
		v->root = c.root;
	}
	free(n);
	return st == ST_OK;
}

/* The published tree is whole, as a reader finds it. False: nothing is published. */
static bool view_read(struct world *w, const struct sim_disk *d, struct view *v)
{
	struct tlog_hash root;
	*v = (struct view){0};
	for (size_t i = 0; i < IDS; i++)
		v->index_of[i] = NEVER;
	if (!checkpoint_at(w, d, v))
		return false;
	v->leaf = calloc(v->size + 1, sizeof *v->leaf);
	view_bundles(w, d, v);
	if (!v->broken)
		view_tiles(w, d, v);
	plain_root(&w->h, v->leaf, v->size, &root);
	if (!v->broken && !tlog_hash_equal(&root, &v->root))
		T_FAIL("the published root is not that of the entries");
	return true;
}

static void check_acknowledged(struct world *w, const struct view *v)
{
	for (unsigned id = 0; id < IDS; id++)
		if (w->acked[id] != NEVER && v->index_of[id] != w->acked[id])
			T_FAIL("entry %u was acknowledged at %" PRIu64 ", is at %" PRIu64, id, w->acked[id],
			       v->index_of[id]);
}

static void check_signed(struct world *w, const struct view *v)
{
	for (size_t i = 0; i < w->nsigned; i++) {
		struct tlog_hash root;
		if (w->signed_[i].size > v->size)
			continue;
		plain_root(&w->h, v->leaf, w->signed_[i].size, &root);
		if (!tlog_hash_equal(&root, &w->signed_[i].root))
			T_FAIL("size %" PRIu64 " was signed with another tree", w->signed_[i].size);
	}
}

static void reader_saw(void *arg, struct sim_disk *d, const char *name)
{
	struct world *w = arg;
	struct view v = {0};
	if (strcmp(name, "checkpoint") || !checkpoint_at(w, d, &v))
		return;
	if (v.size < w->seen)
		T_FAIL("the published checkpoint went from %" PRIu64 " to %" PRIu64, w->seen, v.size);
	w->seen = v.size;
}

/* --- what the operator does --- */

struct plan {
	unsigned first, n;
};

/* Over the borders 1, 255, 256, 257, 512; with what is known already, in the log and in a batch. */
static const struct plan plans[] = {{0, 1}, {1, 254}, {255, 1}, {256, 1}, {250, 12}, {262, 300},
                                    {0, 20}};

struct session {
	struct world *w;
	struct log_store *store;
	struct log_cosigners cosigners;
	struct log_writer_opts o;
	struct log_writer *writer;
};

static st_t session_open(struct session *s, struct world *w, struct sim_disk *d, struct err *e)
{
	*s = (struct session){.w = w, .cosigners = {collect, w}};
	d->seen = reader_saw;
	d->seen_arg = w;
	TRY(log_store_open_folder(&d->io, SIM_PUBLIC, &s->store, e));
	s->o = (struct log_writer_opts){
	    .io = &d->io, .private_dir = SIM_PRIVATE, .store = s->store, .signer = &w->signer,
	    .key = &w->key, .cosigners = w->witnessed ? &s->cosigners : NULL, .seed = {1, 2}};
	if (!w->created) {
		TRY(log_writer_create(&s->o, e));
		w->created = true;
	}
	return log_writer_open(&s->o, &s->writer, e);
}

static void session_free(struct session *s)
{
	log_writer_free(s->writer);
	log_store_free(s->store);
}

/* Each entry twice in a row, so that batches have duplicates within. */
static st_t add_plan(struct session *s, struct plan p, struct err *e)
{
	struct log_entry entry[2 * IDS];
	uint64_t index[2 * IDS];
	for (unsigned i = 0; i < 2 * p.n; i++)
		entry[i] = content(p.first + i / 2);
	st_t st = log_writer_add(s->writer, entry, (size_t)p.n * 2, index, e);
	for (int tries = 0; st == ST_BAD_SIG && tries < 3; tries++) {
		err_clear(e);
		st = log_writer_publish(s->writer, e);
	}
	for (unsigned i = 0; st == ST_OK && i < 2 * p.n; i++) {
		uint64_t *was = &s->w->acked[p.first + i / 2];
		if (*was != NEVER)
			T_EQ(index[i], *was);
		*was = index[i];
	}
	return st;
}

static st_t play(struct world *w, struct sim_disk *d, struct err *e)
{
	struct session s;
	st_t st = session_open(&s, w, d, e);
	for (size_t i = 0; st == ST_OK && i < sizeof plans / sizeof plans[0]; i++)
		st = add_plan(&s, plans[i], e);
	if (st == ST_OK)
		st = log_writer_close(s.writer, e);
	session_free(&s);
	return st;
}

/* The first log: an attempt to make it may have ended before anything was there. */
static st_t reopen(struct session *s, struct world *w, struct sim_disk *d, struct err *e)
{
	st_t st = session_open(s, w, d, e);
	if (st != ST_CONFLICT || w->created)
		return st;
	/* It was made, but nobody was told. */
	session_free(s);
	err_clear(e);
	w->created = true;
	return session_open(s, w, d, e);
}

static void check_recovered(struct world *w, struct sim_disk *d)
{
	struct view v;
	if (!view_read(w, d, &v))
		T_FAIL("nothing is published");
	check_acknowledged(w, &v);
	check_signed(w, &v);
	if (v.size < w->seen)
		T_FAIL("published again: %" PRIu64 ", but %" PRIu64 " was seen", v.size, w->seen);
	for (size_t i = 0; i < w->nsigned; i++)
		if (w->signed_[i].size > v.size)
			T_FAIL("size %" PRIu64 " was signed, the log has %" PRIu64, w->signed_[i].size, v.size);
	free(v.leaf);
}

/* Before recovery: what a web server on the same folder shows is whole. */
static void check_found(struct world *w, struct sim_disk *d)
{
	struct view v;
	if (!view_read(w, d, &v))
		return;
	check_acknowledged(w, &v);
	check_signed(w, &v);
	free(v.leaf);
}

static void recover(struct world *w, struct sim_disk *d)
{
	struct session s;
	struct err e = {0};
	st_t st = reopen(&s, w, d, &e);
	for (int tries = 0; s.writer && tries < 4; tries++) {
		err_clear(&e);
		st = log_writer_publish(s.writer, &e);
		if (st != ST_BAD_SIG)
			break;
	}
	if (st != ST_OK) {
		T_FAIL("cannot go on: %s", e.text);
		session_free(&s);
		return;
	}
	check_recovered(w, d);
	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
		T_EQ(add_plan(&s, plans[i], &e), ST_OK);
	T_EQ(add_plan(&s, (struct plan){600, 40}, &e), ST_OK);
	T_EQ(log_writer_close(s.writer, &e), ST_OK);
	session_free(&s);
	check_recovered(w, d);
}

static struct world copy_world(const struct world *w)
{
	struct world c = *w;
	return c;
}

/* Killed at call n of a first run, then perhaps at some call of the recovery, found as `how`. */
static void crash_at(const struct world *fresh, uint64_t n, enum sim_crash how, uint64_t seed,
                     bool twice, bool *ret_ended)
{
	struct world w = copy_world(fresh);
	struct sim_disk *d = sim_new();
	struct err e = {0};
	int before = t_bad;
	d->stop = n;
	*ret_ended = play(&w, d, &e) == ST_OK && !d->stopped;
	if (twice && !*ret_ended) {
		uint64_t state = seed;
		/* Killed without power cut: what the first writer left may be seen and not be durable. */
		struct sim_disk *k = sim_crash(d, t_rand(&state) % 4 ? SIM_KILLED : how, seed);
		k->stop = 1 + t_rand(&state) % 40;
		sim_free(d);
		d = k;
		err_clear(&e);
		struct session s;
		if (reopen(&s, &w, d, &e) == ST_OK && log_writer_publish(s.writer, &e) == ST_OK &&
		    add_plan(&s, plans[5], &e) == ST_OK)
			(void)log_writer_close(s.writer, &e);
		session_free(&s);
	}
	struct sim_disk *c = sim_crash(d, how, seed);
	if (how != SIM_KILLED)
		check_found(&w, c);
	recover(&w, c);
	if (t_bad != before)
		printf("  stopped at call %" PRIu64 ", mode %d, seed %" PRIu64 "%s\n", n, how, seed,
		       twice ? ", twice" : "");
	sim_free(c);
	sim_free(d);
}

#define MODES 7
static const enum sim_crash modes[MODES] = {SIM_KILLED, SIM_DURABLE, SIM_ALL,   SIM_NAMES,
                                            SIM_BYTES,  SIM_RANDOM,  SIM_RANDOM};
static const enum sim_crash twice_modes[MODES] = {SIM_DURABLE, SIM_DURABLE, SIM_BYTES, SIM_NAMES,
                                                  SIM_RANDOM,  SIM_RANDOM,  SIM_RANDOM};

static void crash_everywhere(bool witnessed, unsigned refuse_every, bool twice)
{
	struct world w;
	bool ended = false;
	world_init(&w, witnessed, refuse_every);
	uint64_t n = 1;
	for (; !ended && t_bad < 5; n++) {
		for (int i = 0; i < MODES; i++) {
			bool e = false;
			enum sim_crash how = twice ? twice_modes[i] : modes[i];
			crash_at(&w, n, how, n * MODES + (uint64_t)i, twice, &e);
			ended = e;
		}
	}
	T_TRUE(n > 100);
	world_done(&w);
}

static void power_cut_at_any_call_loses_no_acknowledged_entry_and_signs_one_tree(void)
{
	crash_everywhere(false, 0, false);
}

static void power_cut_with_a_witness_that_is_sometimes_away(void)
{
	crash_everywhere(true, 3, false);
}

static void second_power_cut_while_recovering(void)
{
	crash_everywhere(true, 4, true);
}

/* Call n fails and all others work: the writer stops, the next one goes on. */
static void failure_of_any_call_is_reported_and_the_next_writer_goes_on(void)
{
	struct world fresh;
	bool ended = false;
	world_init(&fresh, false, 0);
	for (uint64_t n = 1; !ended && t_bad < 5; n++) {
		struct world w = copy_world(&fresh);
		struct sim_disk *d = sim_new();
		struct err e = {0};
		d->fault = n;
		st_t st = play(&w, d, &e);
		ended = d->calls < n;
		d->fault = 0;
		struct sim_disk *c = sim_crash(d, n % 2 ? SIM_KILLED : SIM_DURABLE, n);
		recover(&w, c);
		if (t_bad)
			printf("  call %" PRIu64 " failed: %s %s\n", n, st_name(st), e.text);
		sim_free(c);
		sim_free(d);
	}
	world_done(&fresh);
}

/* --- where a tile of hashes becomes full: 256 bundles --- */

#define BASE 65530u
#define MORE 20u

static st_t open_plain(struct world *w, struct sim_disk *d, struct session *s, struct err *e)
{
	*s = (struct session){.w = w};
	TRY(log_store_open_folder(&d->io, SIM_PUBLIC, &s->store, e));
	s->o = (struct log_writer_opts){.io = &d->io, .private_dir = SIM_PRIVATE, .store = s->store,
	                                .signer = w->real, .key = &w->key, .seed = {1, 2}};
	return log_writer_open(&s->o, &s->writer, e);
}

static st_t add_numbers(struct session *s, uint32_t first, uint32_t n, struct err *e)
{
	static uint32_t number[LOG_BATCH_MAX];
	static struct log_entry entry[LOG_BATCH_MAX];
	static uint64_t index[LOG_BATCH_MAX];
	for (uint32_t i = 0; i < n; i++) {
		number[i] = first + i;
		entry[i] = (struct log_entry){&number[i], sizeof number[i]};
	}
	TRY(log_writer_add(s->writer, entry, n, index, e));
	for (uint32_t i = 0; i < n; i++)
		T_EQ(index[i], first + i);
	return ST_OK;
}

static struct sim_disk *make_base(struct world *w)
{
	struct session s;
	struct sim_disk *d = sim_new();
	T_EQ(log_store_open_folder(&d->io, SIM_PUBLIC, &s.store, NULL), ST_OK);
	struct log_writer_opts o = {.io = &d->io, .private_dir = SIM_PRIVATE, .store = s.store,
	                            .signer = w->real, .key = &w->key, .seed = {1, 2}};
	T_EQ(log_writer_create(&o, NULL), ST_OK);
	log_store_free(s.store);
	T_EQ(open_plain(w, d, &s, NULL), ST_OK);
	for (uint32_t i = 0; i < BASE; i += LOG_BATCH_MAX)
		T_EQ(add_numbers(&s, i, BASE - i < LOG_BATCH_MAX ? BASE - i : LOG_BATCH_MAX, NULL), ST_OK);
	T_EQ(log_writer_close(s.writer, NULL), ST_OK);
	session_free(&s);
	return d;
}

static void expect_root(struct world *w, const struct sim_disk *d)
{
	struct tlog_frontier f = {0};
	struct tlog_hash leaf, root;
	struct view v = {0};
	for (uint32_t i = 0; i < BASE + MORE; i++) {
		tlog_hash_leaf(&w->h, &i, sizeof i, &leaf);
		tlog_frontier_add(&f, &w->h, &leaf);
	}
	tlog_frontier_root(&f, &w->h, &root);
	T_TRUE(checkpoint_at(w, d, &v));
	T_EQ(v.size, BASE + MORE);
	T_TRUE(tlog_hash_equal(&root, &v.root));
	size_t n = 0;
	T_TRUE(sim_file(d, SIM_PUBLIC, "tile/1/000", &n) && n == TILE_BYTES_MAX);
	T_TRUE(sim_file(d, SIM_PUBLIC, "tile/2/000.p/1", &n) && n == TLOG_HASH);
}

static bool stop_at_border(struct world *w, const struct sim_disk *base, uint64_t stop,
                           enum sim_crash how)
{
	struct session s;
	struct err e = {0};
	struct sim_disk *d = sim_crash(base, SIM_ALL, 0);
	d->stop = stop;
	bool ended = open_plain(w, d, &s, &e) == ST_OK && add_numbers(&s, BASE, MORE, &e) == ST_OK;
	session_free(&s);
	struct sim_disk *c = sim_crash(d, how, stop);
	sim_free(d);
	err_clear(&e);
	if (open_plain(w, c, &s, &e) != ST_OK || add_numbers(&s, BASE, MORE, &e) != ST_OK)
		T_FAIL("stopped at call %" PRIu64 ": cannot go on: %s", stop, e.text);
	session_free(&s);
	expect_root(w, c);
	sim_free(c);
	return ended;
}

static void power_cut_where_a_tile_of_hashes_becomes_full(void)
{
	struct world w;
	bool ended = false;
	world_init(&w, false, 0);
	struct sim_disk *base = make_base(&w);
	for (uint64_t stop = 1; !ended && t_bad < 3; stop++) {
		(void)stop_at_border(&w, base, stop, SIM_DURABLE);
		ended = stop_at_border(&w, base, stop, SIM_RANDOM);
		T_TRUE(stop < 200);
	}
	sim_free(base);
	world_done(&w);
}

static st_t collect_too_many(void *ctx, struct rd bytes, const struct tlog_nodes *nodes,
                             uint64_t size, struct buf *ret_lines, struct err *e)
{
	struct world *w = ctx;
	(void)nodes;
	(void)size;
	struct rd text = rd_make(bytes.base, bytes.len);
	const uint8_t *end = memmem(bytes.base, bytes.len, "\n\n", 2);
	text = rd_sub(&text, (size_t)(end - bytes.base) + 1);
	for (unsigned i = 0; i < NOTE_SIGNATURES_MAX; i++)
		TRY(note_sign(text, "w.example", NOTE_COSIGNATURE_ED25519, w->witness, 1 + i, ret_lines,
		              e));
	return ST_OK;
}

static void what_nobody_could_read_is_not_published(void)
{
	struct world w;
	struct session s;
	struct err e = {0};
	uint64_t index;
	size_t n;
	const struct log_entry entry = content(0);
	world_init(&w, true, 0);
	struct sim_disk *d = sim_new();
	T_EQ(session_open(&s, &w, d, NULL), ST_OK);
	s.cosigners.collect = collect_too_many;
	T_EQ(log_writer_add(s.writer, &entry, 1, &index, &e), ST_BAD_SIG);
	T_TRUE(strstr(e.text, "more than 100 signatures"));
	T_TRUE(!sim_file(d, SIM_PUBLIC, "checkpoint", &n));
	s.cosigners.collect = collect;
	T_EQ(log_writer_add(s.writer, &entry, 1, &index, NULL), ST_OK);
	T_TRUE(sim_file(d, SIM_PUBLIC, "checkpoint", &n));
	session_free(&s);
	sim_free(d);
	world_done(&w);
}

static st_t collect_later(void *ctx, struct rd bytes, const struct tlog_nodes *nodes,
                          uint64_t size, struct buf *ret_lines, struct err *e)
{
	struct world *w = ctx;
	(void)nodes;
	(void)size;
	struct rd text = bytes;
	const uint8_t *end = memmem(bytes.base, bytes.len, "\n\n", 2);
	text = rd_sub(&text, (size_t)(end - bytes.base) + 1);
	return note_sign(text, "w.example", NOTE_COSIGNATURE_ED25519, w->witness, 1700009999,
	                 ret_lines, e);
}

static void refreshed_checkpoint_is_the_same_tree_with_new_cosignatures(void)
{
	struct world w;
	struct session s;
	uint64_t index;
	const struct log_entry entry = content(0);
	static char old[4096], now[4096];
	world_init(&w, true, 0);
	struct sim_disk *d = sim_new();
	T_EQ(session_open(&s, &w, d, NULL), ST_OK);
	T_EQ(log_writer_add(s.writer, &entry, 1, &index, NULL), ST_OK);
	struct rd note = log_writer_checkpoint(s.writer);
	memcpy(old, note.base, note.len);
	T_EQ(log_writer_publish(s.writer, NULL), ST_OK);
	T_MEM(log_writer_checkpoint(s.writer).base, old, note.len);
	s.cosigners.collect = collect_later;
	T_EQ(log_writer_refresh(s.writer, NULL), ST_OK);
	note = log_writer_checkpoint(s.writer);
	memcpy(now, note.base, note.len);
	const char *cosigned = strstr(now, "w.example");
	T_TRUE(cosigned && !memcmp(old, now, (size_t)(cosigned - now)) && strcmp(old, now));
	T_EQ(log_writer_size(s.writer), 1);
	s.cosigners.collect = collect_too_many;
	T_EQ(log_writer_refresh(s.writer, NULL), ST_BAD_SIG);
	note = log_writer_checkpoint(s.writer);
	T_MEM(note.base, now, note.len);
	session_free(&s);
	sim_free(d);
	world_done(&w);
}

static uint8_t *tile_file(struct sim_disk *d, const char *path)
{
	size_t n;
	return (uint8_t *)(uintptr_t)sim_file(d, SIM_PUBLIC, path, &n);
}

/* Entry 1000 is not in the log; its hash is put into the tile where entry `at` was, and the index
 * is built of that. */
static void expect_no_lie(struct world *w, const struct sim_disk *base, uint32_t at)
{
	struct session s;
	struct err e = {0};
	struct tlog_hash leaf;
	struct tlog_proof proof;
	uint32_t stranger = 1000;
	uint64_t index = NEVER;
	const struct log_entry entry = {&stranger, sizeof stranger};
	struct sim_disk *d = sim_crash(base, SIM_ALL, 1);
	const char *path = at < 256 ? "tile/0/000" : "tile/0/001";
	tlog_hash_leaf(&w->h, &stranger, sizeof stranger, &leaf);
	T_EQ(open_plain(w, d, &s, NULL), ST_OK);
	memcpy(tile_file(d, path) + at % 256 * TLOG_HASH, leaf.b, TLOG_HASH);
	T_EQ(log_writer_prove(s.writer, at, &proof, &e), ST_BAD_PROOF);
	T_TRUE(strstr(e.text, "restore it from a copy"));
	session_free(&s);
	size_t n;
	T_TRUE(sim_file(d, SIM_PRIVATE, "index", &n));
	T_EQ(d->io.unlink(d->io.ctx, SIM_PRIVATE, "index", 0), 0);
	T_EQ(open_plain(w, d, &s, NULL), ST_OK);
	err_clear(&e);
	T_EQ(log_writer_add(s.writer, &entry, 1, &index, &e), ST_BAD_PROOF);
	T_TRUE(strstr(e.text, "do not fit the private state"));
	session_free(&s);
	sim_free(d);
}

static void who_changes_a_tile_cannot_have_an_entry_acknowledged_that_is_not_in_the_log(void)
{
	struct world w;
	struct session s;
	world_init(&w, false, 0);
	struct sim_disk *d = sim_new();
	T_EQ(session_open(&s, &w, d, NULL), ST_OK);
	T_EQ(add_numbers(&s, 0, 600, NULL), ST_OK);
	T_EQ(add_numbers(&s, 0, 600, NULL), ST_OK); /* all known, and proven */
	T_EQ(log_writer_close(s.writer, NULL), ST_OK);
	session_free(&s);
	expect_no_lie(&w, d, 0);
	expect_no_lie(&w, d, 255);
	expect_no_lie(&w, d, 300);
	sim_free(d);
	world_done(&w);
}

int main(void)
{
	T_RUN(what_nobody_could_read_is_not_published);
	T_RUN(refreshed_checkpoint_is_the_same_tree_with_new_cosignatures);
	T_RUN(who_changes_a_tile_cannot_have_an_entry_acknowledged_that_is_not_in_the_log);
	T_RUN(power_cut_at_any_call_loses_no_acknowledged_entry_and_signs_one_tree);
	T_RUN(power_cut_with_a_witness_that_is_sometimes_away);
	T_RUN(second_power_cut_while_recovering);
	T_RUN(power_cut_where_a_tile_of_hashes_becomes_full);
	T_RUN(failure_of_any_call_is_reported_and_the_next_writer_goes_on);
	return t_end();
}
