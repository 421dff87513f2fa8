/* TUF's links: the four roles, and the root that the customer pinned.
 *
 * The store has, besides what src/tuf puts there, "roots/N.root.json": every root since the pinned
 * one. So whoever is shown the evidence can walk from the root that a person got by hand to the one
 * that is trusted now; and a policy whose pinned root is changed is noticed.
 *
 *   nothing stored      the pinned root is put into the store, and trusted
 *   pinned <= stored    roots/PINNED.root.json must be the pinned root, and all since be there
 *   pinned > stored     the stored one is followed; the root of that version that comes must be the
 *                       pinned one, and it must come
 */
#include "update/chain_inside.h"

#include <stdio.h>
#include <string.h>

static const char repin[] = "nothing was changed; if the new root is meant, move the folder tuf "
                            "of this set away, which also forgets what was accepted before";

/* Longest "metadata/" and name of a role's file. */
#define PATH_MAX_BYTES (CHAIN_NAME_MAX + 16)

static st_t fetch_get(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e)
{
	struct chain *c = ctx;
	char full[PATH_MAX_BYTES];
	snprintf(full, sizeof full, "metadata/%s", path);
	return chain_get(c, full, max, ret, e);
}

static const struct tuf_store *under(const struct chain *c)
{
	return c->rq->place.store;
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	const struct tuf_store *s = under(ctx);
	return s->get(s->ctx, name, max, ret, e);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	const struct tuf_store *s = under(ctx);
	return s->put(s->ctx, name, bytes, e);
}

static st_t store_remove(void *ctx, const char *name, struct err *e)
{
	const struct tuf_store *s = under(ctx);
	return s->remove(s->ctx, name, e);
}

static bool same(struct rd a, struct rd b)
{
	size_t n = rd_left(&a);
	return n == rd_left(&b) && !memcmp(a.base + a.pos, b.base + b.pos, n);
}

static void root_name(uint64_t version, char ret[CHAIN_NAME_MAX])
{
	snprintf(ret, CHAIN_NAME_MAX, "roots/%llu.root.json", (unsigned long long)version);
}

static st_t other_root(struct chain *c, struct err *e)
{
	return chain_advise(c, repin,
	                    fail(e, ST_CONFLICT, 0, "root: the root that the policy pins (version "
	                         "%llu) is not the one of that version that was trusted so far",
	                         (unsigned long long)c->pinned));
}

/* Roots come in order; the client has put the newest into the store already, under its plain name.
 * Its own name comes second: if the power fails between, check_stored() brings it. */
static st_t take_root(struct chain *c, const char *name, struct rd bytes, struct err *e)
{
	char own[CHAIN_NAME_MAX];
	struct buf old = {0};
	char pinned[CHAIN_NAME_MAX];
	root_name(c->pinned, pinned);
	snprintf(own, sizeof own, "roots/%.200s", name);
	if (!strcmp(own, pinned) && !same(bytes, c->rq->policy->root_bytes))
		return other_root(c, e);
	st_t st = under(c)->get(under(c)->ctx, own, TUF_ROOT_MAX, &old, NULL);
	bool there = st == ST_OK && same(rd_make(old.data, old.len), bytes);
	buf_done(&old);
	if (st < ST_OK)
		return fail(e, st, 0, "root: %s of the store could not be read", own);
	return there ? ST_OK : under(c)->put(under(c)->ctx, own, bytes, e);
}

/* Delegated roles are looked at once for each target that they list. */
static bool was_kept(const struct chain *c, const char *name)
{
	for (size_t at = 0; at < c->kept.len; at += strlen((const char *)c->kept.data + at) + 1)
		if (!strcmp((const char *)c->kept.data + at, name))
			return true;
	return false;
}

static st_t accepted(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct chain *c = ctx;
	char path[PATH_MAX_BYTES];
	size_t n = strlen(name);
	bool root = n > 10 && !strcmp(name + n - 10, ".root.json");
	if (root && memchr(name, '.', n) == name + n - 10)
		TRY(take_root(c, name, bytes, e));
	if (was_kept(c, name))
		return ST_OK;
	buf_add(&c->kept, name, n + 1);
	TRY(buf_check(&c->kept, e, "update"));
	snprintf(path, sizeof path, "metadata/%s", name);
	return chain_keep(c, path, bytes, e);
}

/* Version of the policy's root, which must be a root signed by its own keys. */
static st_t read_pinned(struct chain *c, struct err *e)
{
	struct tuf_md md;
	struct tuf_role own;
	static const char advice[] = "put the publisher's root.json beside the policy";
	st_t st = rd_left(&c->rq->policy->root_bytes) > TUF_ROOT_MAX
	              ? fail(e, ST_LIMIT, 0, "root: the pinned one has more than %zu bytes",
	                     TUF_ROOT_MAX)
	              : tuf_md_parse(c->rq->policy->root_bytes, TUF_ROOT, "pinned root",
	                             TUF_MEMORY_MAX, &md, e);
	if (st != ST_OK)
		return chain_advise(c, advice, st);
	c->pinned = md.version;
	tuf_root_role(&md, TUF_ROOT, &own);
	st = tuf_md_verify(&md, &own, e);
	tuf_md_done(&md);
	return st == ST_OK ? ST_OK : chain_advise(c, advice, st);
}

/* A root of the store, before the trusted one; kept as evidence. */
static st_t check_older(struct chain *c, uint64_t version, struct err *e)
{
	char name[CHAIN_NAME_MAX], path[PATH_MAX_BYTES];
	struct buf b = {0};
	root_name(version, name);
	st_t st = under(c)->get(under(c)->ctx, name, TUF_ROOT_MAX, &b, NULL);
	if (st == ST_NOT_FOUND && version == c->pinned)
		st = other_root(c, e);
	else if (st != ST_OK)
		st = chain_advise(c, repin, fail(e, st < 0 ? st : ST_MALFORMED, 0, "root: version %llu, "
		                  "which was trusted once, cannot be read from the store",
		                  (unsigned long long)version));
	else if (version == c->pinned && !same(rd_make(b.data, b.len), c->rq->policy->root_bytes))
		st = other_root(c, e);
	snprintf(path, sizeof path, "metadata/%s", name + strlen("roots/"));
	if (st == ST_OK)
		st = chain_keep(c, path, rd_make(b.data, b.len), e);
	buf_done(&b);
	return st;
}

static st_t stored_version(struct chain *c, const struct buf *b, struct err *e)
{
	struct tuf_md md;
	st_t st = tuf_md_parse(rd_make(b->data, b->len), TUF_ROOT, "trusted root", TUF_MEMORY_MAX, &md,
	                       e);
	if (st != ST_OK)
		return chain_advise(c, repin, st);
	c->stored = md.version;
	tuf_md_done(&md);
	return ST_OK;
}

/* An empty store begins with the pinned root; any other must agree with it. */
static st_t check_stored(struct chain *c, struct err *e)
{
	struct buf b = {0};
	st_t st = under(c)->get(under(c)->ctx, "root.json", TUF_ROOT_MAX, &b, e);
	if (st == ST_NOT_FOUND) {
		err_clear(e);
		st = under(c)->put(under(c)->ctx, "root.json", c->rq->policy->root_bytes, e);
	} else if (st == ST_OK) {
		st = stored_version(c, &b, e);
	}
	buf_done(&b);
	TRY(st);
	for (uint64_t v = c->pinned; v < c->stored; v++)
		TRY(check_older(c, v, e));
	return ST_OK;
}

static void say_root(struct chain *c)
{
	char expires[CHAIN_TIME_MAX];
	chain_time(c->tuf.root.expires, expires);
	if (!c->stored)
		chain_say(c, "begun with the pinned root, version %llu", (unsigned long long)c->pinned);
	chain_say(c, "version %llu%s, valid until %s", (unsigned long long)c->tuf.root.version,
	          c->stored && c->tuf.root.version > c->stored ? " (new)" : "", expires);
}

st_t chain_check_root(struct chain *c, struct err *e)
{
	c->fetch = (struct tuf_fetch){.get = fetch_get, .ctx = c};
	c->store = (struct tuf_store){.get = store_get, .put = store_put, .remove = store_remove,
	                              .accepted = accepted, .ctx = c};
	TRY(read_pinned(c, e));
	TRY(check_stored(c, e));
	TRY(tuf_client_init(&c->fetch, &c->store, c->rq->now, &c->tuf, e));
	TRY(tuf_update_root(&c->tuf, e));
	c->r.root = c->tuf.root.version;
	if (c->r.root < c->pinned)
		return fail(e, ST_CONFLICT, 0, "root: rollback: the repository has version %llu, the "
		            "policy pins %llu", (unsigned long long)c->r.root,
		            (unsigned long long)c->pinned);
	say_root(c);
	return ST_OK;
}

static void say_metadata(struct chain *c, const struct tuf_md *md)
{
	char expires[CHAIN_TIME_MAX], left[CHAIN_TIME_MAX];
	chain_time(md->expires, expires);
	chain_span(md->expires - c->rq->now, left);
	chain_say(c, "version %llu, valid until %s, %s more", (unsigned long long)md->version, expires,
	          left);
}

st_t chain_check_timestamp(struct chain *c, struct err *e)
{
	TRY(tuf_update_timestamp(&c->tuf, e));
	c->r.timestamp = c->tuf.timestamp.version;
	c->r.timestamp_expires = c->tuf.timestamp.expires;
	say_metadata(c, &c->tuf.timestamp);
	return ST_OK;
}

st_t chain_check_snapshot(struct chain *c, struct err *e)
{
	TRY(tuf_update_snapshot(&c->tuf, e));
	c->r.snapshot = c->tuf.snapshot.version;
	say_metadata(c, &c->tuf.snapshot);
	return ST_OK;
}

st_t chain_find(struct chain *c, const char *name, struct chain_small *ret, struct err *ret_why,
                struct err *e)
{
	char path[CHAIN_NAME_MAX];
	struct err why = {0};
	snprintf(path, sizeof path, "%s/%s", c->rq->policy->set, name);
	st_t st = tuf_find_target(&c->tuf, path, &ret->target, &why);
	ret->listed = st == ST_OK;
	if (ret_why)
		*ret_why = why;
	if (st == ST_OK || st == ST_NOT_FOUND)
		return ST_OK;
	return fail(e, st, 0, "%s", why.text);
}

/* A target that there must be. */
static st_t must_find(struct chain *c, const char *name, struct chain_small *ret, struct err *e)
{
	struct err why = {0};
	TRY(chain_find(c, name, ret, &why, e));
	if (!ret->listed)
		return chain_advise(c, "does the policy name the set as the publisher does?",
		                    fail(e, ST_NOT_FOUND, 0, "targets: %.200s", why.text));
	return ST_OK;
}

static st_t find_file(struct chain *c, const char *name, struct tuf_target *ret,
                      struct chain_file *ret_file, struct err *e)
{
	struct chain_small s;
	TRY(must_find(c, name, &s, e));
	*ret = s.target;
	if (!s.target.file.hashes.has256)
		return fail(e, ST_UNSUPPORTED, 0, "targets: %s is listed without its SHA-256", name);
	if (s.target.file.length > CHAIN_FILE_MAX)
		return fail(e, ST_LIMIT, 0, "targets: %s has %llu bytes, more than %llu are not looked at",
		            name, (unsigned long long)s.target.file.length,
		            (unsigned long long)CHAIN_FILE_MAX);
	ret_file->size = s.target.file.length;
	memcpy(ret_file->sha256, s.target.file.hashes.sha256, sizeof ret_file->sha256);
	return ST_OK;
}

/* "K = 1, 2, ... without gaps" */
static st_t find_rebuilds(struct chain *c, struct err *e)
{
	char name[64];
	for (size_t k = 0; c->rq->policy->rebuilders.n && k < CHAIN_REBUILDS_MAX; k++) {
		snprintf(name, sizeof name, "evidence/rebuild-%zu.dsse", k + 1);
		TRY(chain_find(c, name, &c->rebuild[k], NULL, e));
		if (!c->rebuild[k].listed)
			return ST_OK;
		c->nrebuilds = k + 1;
		snprintf(name, sizeof name, "evidence/rebuild-%zu.tlog-proof", k + 1);
		TRY(chain_find(c, name, &c->rebuild_proof[k], NULL, e));
	}
	return ST_OK;
}

st_t chain_check_targets(struct chain *c, struct err *e)
{
	struct err why = {0};
	TRY(tuf_update_targets(&c->tuf, e));
	c->r.targets = c->tuf.targets.version;
	TRY(find_file(c, "main.vdb", &c->vdb, &c->r.vdb, e));
	TRY(find_file(c, "source.tar", &c->source, &c->r.source, e));
	TRY(must_find(c, "release.dsse", &c->release, e));
	TRY(chain_find(c, "evidence/release.tlog-proof", &c->proof, &why, e));
	snprintf(c->no_proof, sizeof c->no_proof, "%.150s", why.text);
	TRY(find_rebuilds(c, e));
	say_metadata(c, &c->tuf.targets);
	chain_say(c, "set %s, database of %llu bytes", c->rq->policy->set,
	          (unsigned long long)c->r.vdb.size);
	return ST_OK;
}
