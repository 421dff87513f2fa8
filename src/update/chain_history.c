/* One view: the tree that is shown now and the one that was accepted before are one tree. That is
 * what makes it impossible to show somebody a release and hide it from others later.
 *
 *   same size      same root
 *   larger         what was accepted is the beginning of it, proven by tiles of the log
 *   smaller        it is the beginning of what was accepted: a mirror that lags. Proven as well;
 *                  what was accepted stays what it is. How old it may be is freshness
 *
 * In the store, HEX being the first 16 digits of the SHA-256 of the origin:
 *   checkpoint-HEX   the note of the largest tree that was accepted. It was verified then
 *   joined-HEX       lines "SIZE SP base64(ROOT) LF": smaller trees that proofs of the same release
 *                    lead to and that were proven to be its beginning, so that it need not be done
 *                    again while nothing changes. A damaged one counts as none */
#include "crypto/digest.h"
#include "tlog/text.h"
#include "update/chain_tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char split[] = "keep the two checkpoints that stand in the evidence: they are the "
                            "proof that the log lied; tell the witnesses and whoever else uses it";

#define CHECKPOINT "checkpoint"
#define JOINED "joined"

/* Bytes of a line: 20 digits, 44 of base64. */
#define JOINED_LINE 66

static st_t store_name(const char *kind, const char *origin, char ret[CHAIN_NAME_MAX],
                       struct err *e)
{
	uint8_t sum[32];
	char hex[65];
	TRY(digest_bytes(DIGEST_SHA256, origin, strlen(origin), sum, e));
	hex_encode(sum, sizeof sum, hex);
	snprintf(ret, CHAIN_NAME_MAX, "%s-%.16s", kind, hex);
	return ST_OK;
}

/* Two lines of a policy may have one origin, as when a log's key is replaced: one history. */
static size_t view_of(const struct policy *p, size_t log)
{
	size_t i = 0;
	while (i < log && strcmp(p->logs[i].key.name, p->logs[log].key.name))
		i++;
	return i;
}

static st_t read_view(struct chain_view *v, const char *origin, struct err *e)
{
	struct note *note = malloc(sizeof *note);
	struct checkpoint k;
	if (!note)
		return fail(e, ST_NOMEM, 0, "history: out of memory");
	st_t st = note_parse(rd_make(v->note.data, v->note.len), note, e);
	if (st == ST_OK)
		st = checkpoint_parse(note->text, &k, e);
	free(note);
	TRY(st);
	if (!text_is(k.origin, origin) || k.size == 0)
		return fail(e, ST_MALFORMED, 0, "it is of another log, or empty");
	v->size = k.size;
	v->root = k.root;
	return ST_OK;
}

static const struct chain_joined *find_joined(struct chain_view *v, uint64_t size,
                                              const struct tlog_hash *root)
{
	for (size_t i = 0; i < v->njoined; i++) {
		struct chain_joined *j = &v->joined[i];
		if (j->size != size || !tlog_hash_equal(&j->root, root))
			continue;
		j->used = true;
		return j;
	}
	return NULL;
}

/* Where there is no room the oldest goes: it is proven again when it is needed. */
static void add_joined(struct chain_view *v, uint64_t size, const struct tlog_hash *root)
{
	if (size == 0 || find_joined(v, size, root))
		return;
	if (v->njoined == CHAIN_JOINED_MAX)
		memmove(v->joined, v->joined + 1, --v->njoined * sizeof v->joined[0]);
	v->joined[v->njoined++] = (struct chain_joined){size, *root, true};
	v->more_joined = true;
}

static st_t load_joined(struct chain *c, struct chain_view *v, const char *origin, struct err *e)
{
	char name[CHAIN_NAME_MAX];
	struct buf b = {0};
	TRY(store_name(JOINED, origin, name, e));
	st_t st = c->store.get(c->store.ctx, name, CHAIN_JOINED_MAX * JOINED_LINE, &b, NULL);
	struct rd in = rd_make(b.data, st == ST_OK ? b.len : 0), line, size;
	while (v->njoined < CHAIN_JOINED_MAX && text_line(&in, &line)) {
		struct chain_joined j = {.used = false};
		if (!text_until(&line, ' ', &size) || !text_decimal(size, &j.size) ||
		    !text_hash(line, &j.root))
			break;
		v->joined[v->njoined++] = j;
	}
	buf_done(&b);
	return st < ST_OK ? fail(e, st, 0, "history: %s of the store could not be read", name) : ST_OK;
}

static st_t load_view(struct chain *c, struct chain_view *v, const char *origin, struct err *e)
{
	char name[CHAIN_NAME_MAX];
	struct err why = {0};
	if (v->loaded)
		return ST_OK;
	TRY(store_name(CHECKPOINT, origin, name, e));
	st_t st = c->store.get(c->store.ctx, name, NOTE_SIZE_MAX, &v->note, &why);
	v->loaded = st == ST_OK || st == ST_NOT_FOUND;
	if (st == ST_NOT_FOUND)
		return ST_OK;
	if (st == ST_OK)
		st = read_view(v, origin, &why);
	if (st == ST_OK)
		return load_joined(c, v, origin, e);
	return chain_advise(c, "remove that file in the folder tuf of this set; what the log showed "
	                    "before is forgotten then",
	                    fail(e, st, 0, "history: the accepted checkpoint (%s) cannot be read: "
	                         "%.120s", name, why.text));
}

/* Each tile is kept: with them anybody can check the proof again. */
static st_t get_tile(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	return chain_tiles_get(ctx, t, true, ret, e);
}

static st_t prove(struct chain_tiles *s, struct tile_nodes *nodes, uint64_t from, uint64_t to,
                  const struct tlog_hash *old, const struct tlog_hash *new, struct err *e)
{
	struct tile_source src = {get_tile, s};
	struct tlog_hasher h;
	struct tlog_proof proof;
	TRY(tlog_hasher_init(&h, e));
	tile_nodes_init(nodes, &src, &h, to);
	struct tlog_nodes n = tile_nodes_as_nodes(nodes);
	st_t st = tlog_prove_consistency(&h, &n, from, to, &proof, e);
	if (st == ST_OK)
		st = tlog_check_consistency(&h, from, to, old, new, &proof, e);
	tlog_hasher_done(&h);
	return st;
}

/* ST_BAD_PROOF: they are not one tree, or the tiles are not those of the larger one. */
static st_t check_grown(struct chain *c, const char *origin, uint64_t from,
                        const struct tlog_hash *old, uint64_t to, const struct tlog_hash *new,
                        struct err *e)
{
	struct chain_tiles s;
	struct tile_nodes *nodes = malloc(sizeof *nodes); /* 64 kB of cached tiles */
	st_t st = chain_tiles_open(c, origin, &s, e);
	if (st == ST_OK && !nodes)
		st = fail(e, ST_NOMEM, 0, "history: out of memory");
	if (st == ST_OK)
		st = prove(&s, nodes, from, to, old, new, e);
	chain_tiles_close(&s);
	free(nodes);
	return st;
}

/* The first tree of a log ends what an older file may say of trees that are joined. */
static void take_view(struct chain_view *v, const struct chain_proof *p, struct buf *note)
{
	v->more_joined = v->more_joined || v->size == 0;
	buf_done(&v->note);
	v->note = *note;
	v->size = p->c.size;
	v->root = p->c.root;
	v->newer = true;
}

/* Both notes, for the log's owner signed each. */
static st_t keep_split(struct chain *c, const struct chain_view *v, const struct chain_proof *p,
                       struct err *e)
{
	TRY(chain_keep(c, "conflict/checkpoint-accepted", rd_make(v->note.data, v->note.len), e));
	return chain_keep(c, "conflict/checkpoint-offered", p->note, e);
}

static st_t refuse_split(struct chain *c, const struct chain_view *v, const struct chain_proof *p,
                         const char *why, struct err *e)
{
	TRY(keep_split(c, v, p, e));
	return chain_advise(c, split, fail(e, ST_CONFLICT, 0, "history: %s showed two trees: one of "
	                    "%llu entries before, and one of %llu now, which do not belong together: "
	                    "%.80s", c->rq->policy->logs->logs[p->log].key.name,
	                    (unsigned long long)v->size, (unsigned long long)p->c.size, why));
}

/* Where the proof could not be made, the answer is no as well, but nobody lied. */
static st_t check_sizes(struct chain *c, struct chain_view *v, const struct chain_proof *p,
                        struct err *e)
{
	const char *origin = c->rq->policy->logs->logs[p->log].key.name;
	struct err why = {0};
	if (v->size > p->c.size && find_joined(v, p->c.size, &p->c.root))
		return ST_OK;
	st_t st = v->size < p->c.size
	              ? check_grown(c, origin, v->size, &v->root, p->c.size, &p->c.root, &why)
	              : check_grown(c, origin, p->c.size, &p->c.root, v->size, &v->root, &why);
	if (st == ST_OK)
		return ST_OK;
	if (st == ST_BAD_PROOF)
		return refuse_split(c, v, p, why.text, e);
	if (v->size > p->c.size)
		return chain_advise(c, "the mirror may lag: try again later, or use another one",
		                    fail(e, st < 0 ? st : ST_CONFLICT, 0, "history: a tree of %llu "
		                         "entries, accepted before was one of %llu, and it cannot be "
		                         "proven that it is older and not another: %.100s",
		                         (unsigned long long)p->c.size, (unsigned long long)v->size,
		                         why.text));
	return fail(e, st, 0, "history: it cannot be proven that the tree of %llu entries extends the "
	            "one of %llu that was accepted before: %.110s", (unsigned long long)p->c.size,
	            (unsigned long long)v->size, why.text);
}

static void say_joined(struct chain *c, const struct chain_view *v, const struct chain_proof *p)
{
	unsigned long long was = v->size, is = p->c.size;
	if (was == 0)
		chain_say(c, "the first tree of this log that is accepted here: %llu entries", is);
	else if (was == is)
		chain_say(c, "the tree that was accepted before: %llu entries", is);
	else if (was < is)
		chain_say(c, "%llu entries, of which the first %llu are what was accepted before", is, was);
	else
		chain_say(c, "%llu entries, the beginning of the %llu that were accepted before: the "
		          "mirror lags", is, was);
}

static st_t join(struct chain *c, struct chain_view *v, const struct chain_proof *p, bool say,
                 struct err *e)
{
	const struct policy *logs = c->rq->policy->logs;
	struct buf note = {0};
	TRY(load_view(c, v, logs->logs[p->log].key.name, e));
	if (v->size && v->size == p->c.size && !tlog_hash_equal(&v->root, &p->c.root))
		return refuse_split(c, v, p, "the sizes are equal, the roots differ", e);
	if (v->size && v->size != p->c.size)
		TRY(check_sizes(c, v, p, e));
	if (say)
		say_joined(c, v, p);
	if (p->c.size < v->size)
		add_joined(v, p->c.size, &p->c.root);
	if (p->c.size <= v->size)
		return ST_OK;
	add_joined(v, v->size, &v->root);
	buf_add(&note, p->note.base + p->note.pos, rd_left(&p->note));
	st_t st = buf_check(&note, e, "history");
	if (st != ST_OK)
		buf_done(&note);
	else
		take_view(v, p, &note);
	return st;
}

st_t chain_join_view(struct chain *c, const struct chain_proof *p, bool say, struct err *e)
{
	struct chain_view *v = &c->view[view_of(c->rq->policy->logs, p->log)];
	TRY(join(c, v, p, say, e));
	if (!v->least || p->c.size < v->least)
		v->least = p->c.size;
	if (p->c.size > v->most) {
		v->most = p->c.size;
		v->most_root = p->c.root;
	}
	return ST_OK;
}

st_t chain_check_history(struct chain *c, struct err *e)
{
	return chain_join_view(c, &c->entry, true, e);
}

static st_t store_joined(struct chain *c, const struct chain_view *v, const char *origin,
                         struct err *e)
{
	char name[CHAIN_NAME_MAX];
	struct buf b = {0};
	st_t st = store_name(JOINED, origin, name, e);
	for (size_t i = 0; i < v->njoined; i++) {
		if (!v->joined[i].used)
			continue;
		text_decimal_add(&b, v->joined[i].size);
		buf_u8(&b, ' ');
		text_base64_add(&b, v->joined[i].root.b, TLOG_HASH);
		buf_u8(&b, '\n');
	}
	if (st == ST_OK)
		st = buf_check(&b, e, name);
	if (st == ST_OK)
		st = c->store.put(c->store.ctx, name, rd_make(b.data, b.len), e);
	buf_done(&b);
	return st;
}

/* The checkpoint first: what is joined to it says nothing without it. */
st_t chain_store_views(struct chain *c, struct err *e)
{
	const struct policy *p = c->rq->policy->logs;
	for (size_t i = 0; i < p->nlogs; i++) {
		const struct chain_view *v = &c->view[i];
		char name[CHAIN_NAME_MAX];
		if (v->newer) {
			TRY(store_name(CHECKPOINT, p->logs[i].key.name, name, e));
			TRY(c->store.put(c->store.ctx, name, rd_make(v->note.data, v->note.len), e));
		}
		if (v->more_joined)
			TRY(store_joined(c, v, p->logs[i].key.name, e));
	}
	return ST_OK;
}
