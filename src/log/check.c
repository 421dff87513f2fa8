/* One thread (the caller's) fetches, others hash.
 *
 * The work is a sequence of steps, one for each tile: those of level 0, each with its bundle, and
 * right behind the last tile below it each tile of a higher level. A window of steps is under way:
 *
 *   FREE -> ASKED   [ask_steps]        its files were asked for
 *   ASKED -> READY  [give_to_workers]  level 0: both files came
 *   READY -> DONE   [worker]           hashed and compared
 *   ASKED -> DONE   [take_one]         the other levels, and what could not be had
 *   DONE -> FREE    [retire_steps]     in the order of the steps
 *
 * Invariants
 * 1. Steps are retired in their order and a failure counts only then: the first fault is the same
 *    with any number of threads.
 * 2. What level k + 1 has to say is computed from level k before the tile of level k + 1 is looked
 *    at; the root is computed from the roots of the bundles alone.
 * 3. ST_OK only after every step was retired, and the root compared.
 * 4. Memory does not grow with the log: WINDOW steps of at most BUNDLE_BYTES_MAX +
 *    TILE_BYTES_MAX. */
#include "log/check.h"

#include "tlog/text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Steps under way: keeps a network or a disk busy, and takes at most a gigabyte if every entry has
 * ENTRY_MAX bytes. */
#define WINDOW 64

enum step_state { STEP_FREE, STEP_ASKED, STEP_READY, STEP_DONE };

/* Files of a step, and which tag they have: slot * FILES + file. */
enum { FILE_TILE, FILE_BUNDLE, FILES };

struct step {
	enum step_state state;
	struct tile t;
	unsigned missing; /* files that did not come yet */
	struct buf body[FILES];
	st_t st;
	struct err e;
	struct tlog_hash hash[TILE_WIDTH]; /* of the tile, checked against the bundle */
	struct tlog_hash root;             /* of a full tile */
};

/* The hashes that the next tile of a level has to have. */
struct expected {
	struct tlog_hash hash[TILE_WIDTH];
	unsigned n;
};

/* Where the sequence of steps stands. */
struct order {
	uint64_t tiles; /* of level 0 so far */
	unsigned above; /* 0, or the level where that may have completed a tile */
	unsigned edge;  /* at the end: the level whose partial tile was last */
};

struct check {
	struct log_source *source;
	uint64_t size;
	struct tlog_hasher h; /* of the caller's thread */
	struct tlog_frontier tree;
	struct expected expect[TILE_LEVELS];
	struct log_check_counts counts;

	struct order order;
	bool asked_all;
	unsigned outstanding; /* files */
	uint64_t tail;        /* steps that were asked for */
	uint64_t head;        /* steps that were retired; changed under the lock */
	struct step *step; /* WINDOW of them: step i is in slot i % WINDOW */

	pthread_mutex_t lock; /* of what follows, and of the states of steps */
	pthread_cond_t ready, done;
	struct step *queue[WINDOW];
	unsigned first, queued;
	bool stop;
};

/* --- Hashing. */

/* The root of a full tile. */
static void hash_full(struct tlog_hasher *h, const struct tlog_hash *hash, struct tlog_hash *ret)
{
	struct tlog_hash work[TILE_WIDTH / 2];
	const struct tlog_hash *from = hash;
	for (unsigned n = TILE_WIDTH / 2; n > 0; n /= 2, from = work)
		for (unsigned i = 0; i < n; i++)
			tlog_hash_node(h, &from[2 * i], &from[2 * i + 1], &work[i]);
	*ret = work[0];
}

static void name_tile(const struct tile *t, enum tile_kind kind, char ret[TILE_PATH_MAX])
{
	struct tile named = *t;
	named.kind = kind;
	tile_path(&named, ret);
}

/* Puts the path in front of what was wrong with a file. */
static st_t fail_file(const struct tile *t, enum tile_kind kind, st_t st, const struct err *why,
                      struct err *e)
{
	char path[TILE_PATH_MAX];
	name_tile(t, kind, path);
	return fail(e, st, why->off, "%s: %s", path, why->text[0] ? why->text : st_name(st));
}

static st_t fail_entry(const struct tile *t, unsigned i, struct err *e)
{
	char bundle[TILE_PATH_MAX], tile[TILE_PATH_MAX];
	name_tile(t, TILE_ENTRIES, bundle);
	name_tile(t, TILE_HASHES, tile);
	return fail(e, ST_BAD_SUM, 0,
	            "entry %" PRIu64 ": number %u of %s does not hash to number %u of %s",
	            t->n * TILE_WIDTH + i, i, bundle, i, tile);
}

static st_t read_tile(struct step *s, struct err *e)
{
	struct err why = {0};
	const struct buf *b = &s->body[FILE_TILE];
	st_t st = tile_read(&s->t, rd_make(b->data, b->len), s->hash, &why);
	return st == ST_OK ? ST_OK : fail_file(&s->t, TILE_HASHES, st, &why, e);
}

static st_t compare_entries(struct tlog_hasher *h, struct step *s, struct err *e)
{
	struct err why = {0};
	const struct buf *body = &s->body[FILE_BUNDLE];
	struct bundle b = bundle_open(rd_make(body->data, body->len), s->t.width);
	struct rd entry;
	struct tlog_hash leaf;
	st_t st;
	for (unsigned i = 0; (st = bundle_next(&b, &entry, &why)) == ST_OK; i++) {
		tlog_hash_leaf(h, entry.base, entry.len, &leaf);
		TRY(tlog_hasher_check(h, e));
		if (!tlog_hash_equal(&leaf, &s->hash[i]))
			return fail_entry(&s->t, i, e);
	}
	return st == ST_NOT_FOUND ? ST_OK : fail_file(&s->t, TILE_ENTRIES, st, &why, e);
}

static st_t check_leaves(struct tlog_hasher *h, struct step *s, struct err *e)
{
	TRY(read_tile(s, e));
	TRY(compare_entries(h, s, e));
	if (s->t.width == TILE_WIDTH)
		hash_full(h, s->hash, &s->root);
	return tlog_hasher_check(h, e);
}

/* --- Workers. */

static struct step *worker_next(struct check *c)
{
	struct step *s = NULL;
	pthread_mutex_lock(&c->lock);
	while (!c->stop && c->queued == 0)
		pthread_cond_wait(&c->ready, &c->lock);
	if (!c->stop) {
		s = c->queue[c->first];
		c->first = (c->first + 1) % WINDOW;
		c->queued--;
	}
	pthread_mutex_unlock(&c->lock);
	return s;
}

static void worker_done(struct check *c, struct step *s)
{
	pthread_mutex_lock(&c->lock);
	s->state = STEP_DONE;
	if (s == &c->step[c->head % WINDOW])
		pthread_cond_signal(&c->done);
	pthread_mutex_unlock(&c->lock);
}

static void *worker(void *ctx)
{
	struct check *c = ctx;
	struct tlog_hasher h;
	struct step *s;
	struct err e = {0};
	st_t started = tlog_hasher_init(&h, &e);
	while ((s = worker_next(c))) {
		s->st = started == ST_OK ? check_leaves(&h, s, &s->e)
		                         : fail(&s->e, started, 0, "%s", e.text);
		worker_done(c, s);
	}
	tlog_hasher_done(&h);
	return NULL;
}

static void give_to_workers(struct check *c, struct step *s)
{
	pthread_mutex_lock(&c->lock);
	s->state = STEP_READY;
	c->queue[(c->first + c->queued++) % WINDOW] = s;
	pthread_cond_signal(&c->ready);
	pthread_mutex_unlock(&c->lock);
}

/* --- The order of the steps. */

/* The tile above, if `tiles` full tiles of level 0 just completed one of level `above`. */
static bool next_above(struct order *o, uint64_t size, struct tile *ret)
{
	unsigned shift = TILE_HEIGHT * o->above;
	if (o->above == 0 || o->above >= TILE_LEVELS || o->tiles > size / TILE_WIDTH ||
	    (o->tiles & ((UINT64_C(1) << shift) - 1))) {
		o->above = 0;
		return false;
	}
	*ret = (struct tile){TILE_HASHES, o->above++, (o->tiles >> shift) - 1, TILE_WIDTH};
	return true;
}

/* False behind the last step: the partial tile of the highest level. */
static bool next_step(struct order *o, uint64_t size, struct tile *ret)
{
	if (next_above(o, size, ret))
		return true;
	unsigned width = tile_width(size, 0, o->tiles);
	if (width) {
		*ret = (struct tile){TILE_HASHES, 0, o->tiles++, width};
		o->above = 1;
		return true;
	}
	while (++o->edge < TILE_LEVELS) {
		uint64_t n = tile_level_size(size, o->edge) / TILE_WIDTH;
		*ret = (struct tile){TILE_HASHES, o->edge, n, tile_width(size, o->edge, n)};
		if (ret->width)
			return true;
	}
	return false;
}

static st_t ask_file(struct check *c, size_t slot, unsigned file, struct err *e)
{
	struct tile t = c->step[slot].t;
	if (file == FILE_BUNDLE)
		t.kind = TILE_ENTRIES;
	TRY(log_source_ask(c->source, &t, slot * FILES + file, e));
	c->step[slot].missing++;
	c->outstanding++;
	return ST_OK;
}

static st_t ask_steps(struct check *c, struct err *e)
{
	while (!c->asked_all && c->tail - c->head < WINDOW) {
		size_t slot = c->tail % WINDOW;
		struct step *s = &c->step[slot];
		struct tile t;
		if (!next_step(&c->order, c->size, &t)) {
			c->asked_all = true;
			break;
		}
		s->t = t;
		s->st = ST_OK;
		s->e.st = ST_OK;
		s->state = STEP_ASKED;
		c->tail++;
		TRY(ask_file(c, slot, FILE_TILE, e));
		if (t.level == 0)
			TRY(ask_file(c, slot, FILE_BUNDLE, e));
	}
	return ST_OK;
}

/* Of two files that are wrong the tile counts, whichever came first. */
static void note_failure(struct step *s, unsigned file, st_t st, const struct err *e)
{
	if (s->st == ST_OK || file == FILE_TILE) {
		s->st = st;
		s->e = *e;
	}
}

static st_t take_one(struct check *c, struct err *e)
{
	uint64_t tag;
	st_t st;
	struct buf body;
	struct err why = {0};
	TRY(log_source_take(c->source, &tag, &body, &st, &why, e));
	struct step *s = &c->step[tag / FILES];
	unsigned file = (unsigned)(tag % FILES);
	c->outstanding--;
	s->body[file] = body;
	if (st != ST_OK)
		note_failure(s, file, st, &why);
	if (--s->missing)
		return ST_OK;
	if (s->st == ST_OK && s->t.level == 0)
		give_to_workers(c, s);
	else
		worker_done(c, s);
	return ST_OK;
}

/* --- Retiring. */

static void step_free(struct step *s)
{
	buf_done(&s->body[FILE_TILE]);
	buf_done(&s->body[FILE_BUNDLE]);
	s->state = STEP_FREE;
}

static void expect_above(struct check *c, unsigned level, const struct tlog_hash *root)
{
	struct expected *x = &c->expect[level + 1];
	x->hash[x->n++] = *root;
}

static st_t fail_above(const struct tile *t, unsigned i, struct err *e)
{
	struct tile below = {TILE_HASHES, t->level - 1, t->n * TILE_WIDTH + i, TILE_WIDTH};
	char path[TILE_PATH_MAX], path_below[TILE_PATH_MAX];
	tile_path(t, path);
	tile_path(&below, path_below);
	return fail(e, ST_BAD_SUM, 0, "%s: number %u is not the hash of %s", path, i, path_below);
}

static st_t retire_above(struct check *c, struct step *s, struct err *e)
{
	struct expected *x = &c->expect[s->t.level];
	TRY(read_tile(s, e));
	for (unsigned i = 0; i < s->t.width; i++)
		if (i >= x->n || !tlog_hash_equal(&s->hash[i], &x->hash[i]))
			return fail_above(&s->t, i, e);
	x->n = 0;
	if (s->t.width < TILE_WIDTH)
		return ST_OK;
	hash_full(&c->h, s->hash, &s->root);
	expect_above(c, s->t.level, &s->root);
	return ST_OK;
}

static void retire_leaves(struct check *c, const struct step *s)
{
	if (s->t.width == TILE_WIDTH) {
		expect_above(c, 0, &s->root);
		tlog_frontier_add_subtree(&c->tree, &c->h, TILE_HEIGHT, &s->root);
	} else {
		for (unsigned i = 0; i < s->t.width; i++)
			tlog_frontier_add(&c->tree, &c->h, &s->hash[i]);
	}
	c->counts.entries += s->t.width;
	c->counts.bundles++;
}

static st_t retire(struct check *c, struct step *s, struct err *e)
{
	if (s->st != ST_OK)
		return fail(e, s->st, s->e.off, "%s", s->e.text);
	c->counts.tiles++;
	c->counts.bytes += s->body[FILE_TILE].len + s->body[FILE_BUNDLE].len;
	if (s->t.level)
		return retire_above(c, s, e);
	retire_leaves(c, s);
	return ST_OK;
}

/* The oldest step, if it is done; waits for it if `wait`. */
static struct step *oldest_done(struct check *c, bool wait)
{
	struct step *s = &c->step[c->head % WINDOW];
	if (c->head == c->tail)
		return NULL;
	pthread_mutex_lock(&c->lock);
	while (wait && s->state != STEP_DONE)
		pthread_cond_wait(&c->done, &c->lock);
	bool done = s->state == STEP_DONE;
	pthread_mutex_unlock(&c->lock);
	return done ? s : NULL;
}

static st_t retire_steps(struct check *c, const struct log_check_opts *o, struct err *e)
{
	struct step *s;
	bool wait = c->outstanding == 0;
	while ((s = oldest_done(c, wait))) {
		wait = false;
		TRY(retire(c, s, e));
		step_free(s);
		pthread_mutex_lock(&c->lock);
		c->head++;
		pthread_mutex_unlock(&c->lock);
		if (o->progress)
			o->progress(o->ctx, c->counts.entries, c->size);
	}
	return ST_OK;
}

static st_t run(struct check *c, const struct log_check_opts *o, struct err *e)
{
	for (;;) {
		TRY(ask_steps(c, e));
		if (c->head == c->tail)
			return tlog_hasher_check(&c->h, e);
		if (c->outstanding)
			TRY(take_one(c, e));
		TRY(retire_steps(c, o, e));
	}
}

static st_t compare_root(struct check *c, const struct tlog_hash *want, struct err *e)
{
	struct tlog_hash root;
	tlog_frontier_root(&c->tree, &c->h, &root);
	TRY(tlog_hasher_check(&c->h, e));
	if (c->tree.size != c->size)
		return fail(e, ST_BAD_PROOF, 0, "%" PRIu64 " entries were read, not %" PRIu64,
		            c->tree.size, c->size);
	if (tlog_hash_equal(&root, want))
		return ST_OK;
	struct buf b = {0};
	text_base64_add(&b, root.b, TLOG_HASH);
	buf_add(&b, ", not ", 6);
	text_base64_add(&b, want->b, TLOG_HASH);
	buf_u8(&b, 0);
	st_t st = fail(e, ST_BAD_PROOF, 0, "checkpoint: the root of these %" PRIu64 " entries is %s",
	               c->size, b.oom ? "another" : (const char *)b.data);
	buf_done(&b);
	return st;
}

/* --- All of it. */

static st_t run_with_workers(struct check *c, const struct log_check_opts *o, struct err *e)
{
	pthread_t thread[LOG_CHECK_JOBS_MAX];
	unsigned n = 0;
	st_t st = ST_OK;
	for (; st == ST_OK && n < o->jobs; n++) {
		int failed = pthread_create(&thread[n], NULL, worker, c);
		if (failed) {
			st = fail(e, (st_t)-failed, 0, "log: no more threads");
			break;
		}
	}
	if (st == ST_OK)
		st = run(c, o, e);
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->ready);
	pthread_mutex_unlock(&c->lock);
	while (n-- > 0)
		pthread_join(thread[n], NULL);
	return st;
}

static void check_done(struct check *c)
{
	for (size_t i = 0; c->step && i < WINDOW; i++)
		step_free(&c->step[i]);
	free(c->step);
	tlog_hasher_done(&c->h);
	pthread_cond_destroy(&c->ready);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static st_t check_new(struct log_source *s, uint64_t size, struct check **ret, struct err *e)
{
	struct check *c = calloc(1, sizeof *c);
	if (!c)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	c->source = s;
	c->size = size;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->ready, NULL);
	pthread_cond_init(&c->done, NULL);
	c->step = calloc(WINDOW, sizeof *c->step);
	st_t st = c->step ? tlog_hasher_init(&c->h, e) : fail(e, ST_NOMEM, 0, "log: out of memory");
	if (st != ST_OK)
		check_done(c);
	else
		*ret = c;
	return st;
}

st_t log_check_tree(struct log_source *s, uint64_t size, const struct tlog_hash *root,
                    const struct log_check_opts *o, struct log_check_counts *ret, struct err *e)
{
	struct check *c = NULL;
	if (o->jobs == 0 || o->jobs > LOG_CHECK_JOBS_MAX || size > TLOG_SIZE_MAX)
		return fail(e, (st_t)-EINVAL, 0, "log: 1 to %d threads, at most 2^63 - 1 entries",
		            LOG_CHECK_JOBS_MAX);
	TRY(check_new(s, size, &c, e));
	st_t st = run_with_workers(c, o, e);
	if (st == ST_OK)
		st = compare_root(c, root, e);
	*ret = c->counts;
	check_done(c);
	return st;
}

static st_t judge_checkpoint(const struct policy *p, struct log_check_report *r, struct err *e)
{
	struct rd in = rd_make(r->note_bytes.data, r->note_bytes.len);
	if (p)
		return policy_check(p, in, &r->note, &r->checkpoint, &r->verdict, e);
	TRY(note_parse(in, &r->note, e));
	return checkpoint_parse(r->note.text, &r->checkpoint, e);
}

st_t log_check(struct log_source *s, const struct policy *p, const struct log_check_opts *o,
               struct log_check_report *ret, struct err *e)
{
	static const struct tile checkpoint = {.kind = TILE_CHECKPOINT, .width = TILE_WIDTH};
	memset(ret, 0, sizeof *ret);
	st_t st = log_source_get(s, &checkpoint, &ret->note_bytes, e);
	if (st == ST_NOT_FOUND)
		return (st_t)-ENOENT; /* no log: nothing that could be wrong */
	TRY(st);
	TRY(judge_checkpoint(p, ret, e));
	return log_check_tree(s, ret->checkpoint.size, &ret->checkpoint.root, o, &ret->counts, e);
}

void log_check_report_done(struct log_check_report *r)
{
	buf_done(&r->note_bytes);
}

bool log_check_could_not(st_t st)
{
	return st < 0 || st == ST_TIMEOUT || st == ST_UNSUPPORTED;
}
