#include "tuf/inside.h"

#include <string.h>

static size_t memory_left(const struct tuf_client *c)
{
	size_t used = c->root.arena.total + c->timestamp.arena.total + c->snapshot.arena.total +
	              c->targets.arena.total;
	return used < TUF_MEMORY_MAX ? TUF_MEMORY_MAX - used : 0;
}

/* Takes over a file in place of the one there was. */
static void replace(struct tuf_md *place, struct tuf_md *md)
{
	tuf_md_done(place);
	*place = *md;
	*md = (struct tuf_md){0};
}

/* 5.2: "Load the trusted root metadata file. [...] Note that the expiration of the trusted root
 * metadata file does not matter". It is what people were given by hand, and must still be signed
 * by its own keys. */
static st_t load_root(struct tuf_client *c, struct err *e)
{
	struct buf b = {0};
	struct tuf_role own;
	st_t st = tuf_store_get(c, "root", TUF_ROOT_MAX, &b, e);
	if (st == ST_OK)
		st = tuf_md_parse(rd_make(b.data, b.len), TUF_ROOT, "root", memory_left(c), &c->root, e);
	if (st == ST_OK) {
		tuf_root_role(&c->root, TUF_ROOT, &own);
		st = tuf_md_verify(&c->root, &own, e);
	}
	if (st == ST_OK)
		st = tuf_accepted(c, "root", c->root.version, &b, e);
	buf_done(&b);
	return st;
}

/* 5.3.4: "signed by: (1) a THRESHOLD of keys specified in the trusted root metadata file (version
 * N), and (2) a THRESHOLD of keys specified in the new root metadata file being validated (version
 * N+1)." 5.3.5: "MUST be exactly the version in the trusted root metadata (version N) incremented
 * by one". */
static st_t check_root(const struct tuf_client *c, const struct tuf_md *next, struct err *e)
{
	struct tuf_role old, own;
	tuf_root_role(&c->root, TUF_ROOT, &old);
	tuf_root_role(next, TUF_ROOT, &own);
	TRY(tuf_md_verify(next, &old, e));
	TRY(tuf_md_verify(next, &own, e));
	if (next->version != c->root.version + 1)
		return fail(e, ST_CONFLICT, 0, "root: rollback: version %llu where %llu is due",
		            (unsigned long long)next->version, (unsigned long long)c->root.version + 1);
	return ST_OK;
}

/* 5.3.11: "If the timestamp and / or snapshot keys have been rotated, then delete the trusted
 * timestamp and snapshot metadata files." Rotated is a role that lost a key: whoever stole one and
 * signed versions far ahead is out. Done at each step of the chain and before the root is kept, so
 * that it is not forgotten when the power fails in between. */
static st_t forget_rotated(const struct tuf_client *c, const struct tuf_md *next, struct err *e)
{
	static const enum tuf_type types[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};
	bool rotated = false;
	for (size_t i = 0; i < 2 && !rotated; i++) {
		struct tuf_role old, now;
		tuf_root_role(&c->root, types[i], &old);
		tuf_root_role(next, types[i], &now);
		TRY(tuf_role_rotated(&old, &now, &rotated, e));
	}
	if (!rotated)
		return ST_OK;
	TRY(c->store->remove(c->store->ctx, "timestamp.json", e));
	return c->store->remove(c->store->ctx, "snapshot.json", e);
}

/* ST_NOT_FOUND: there is no newer root. */
static st_t next_root(struct tuf_client *c, struct err *e)
{
	struct buf b = {0};
	struct tuf_md next = {0};
	st_t st = tuf_fetch_get(c, "root", c->root.version + 1, TUF_ROOT_MAX, &b, e);
	if (st == ST_OK) {
		st = tuf_md_parse(rd_make(b.data, b.len), TUF_ROOT, "root", memory_left(c), &next, e);
		if (st == ST_OK)
			st = check_root(c, &next, e);
		if (st == ST_OK)
			st = forget_rotated(c, &next, e);
		if (st == ST_OK)
			st = tuf_store_put(c, "root", &b, e);
		if (st == ST_OK)
			st = tuf_accepted(c, "root", next.version, &b, e);
		if (st == ST_OK)
			replace(&c->root, &next);
		else if (st == ST_NOT_FOUND)
			st = ST_IO;
	}
	buf_done(&b);
	tuf_md_done(&next);
	return st;
}

/* 5.3: "the client MUST download intermediate root metadata files, until the latest available one
 * is reached"; 5.3.10: "The expiration timestamp in the trusted root metadata file MUST be higher
 * than the fixed update start time." */
st_t tuf_update_root(struct tuf_client *c, struct err *e)
{
	for (unsigned i = 0; i < TUF_ROOTS_MAX && c->root.version < INT64_MAX; i++) {
		struct err why = {0};
		st_t st = next_root(c, &why);
		if (st == ST_NOT_FOUND)
			break;
		if (st != ST_OK)
			return fail(e, st, why.off, "%s", why.text);
	}
	return tuf_fresh(&c->root, c->now, e);
}

/* The trusted timestamp or snapshot with its bytes, which may be expired and is compared with only;
 * left as it is if there is none. */
static st_t load_old(struct tuf_client *c, enum tuf_type type, size_t max, struct buf *ret_bytes,
                     struct tuf_md *ret)
{
	struct tuf_role by;
	tuf_root_role(&c->root, type, &by);
	struct tuf_want w = {.type = type, .role = tuf_type_name(type), .by = &by, .max = max};
	st_t st = tuf_store_get(c, w.role, max, ret_bytes, NULL);
	if (st == ST_OK)
		st = tuf_accept(&w, rd_make(ret_bytes->data, ret_bytes->len), memory_left(c), ret, NULL);
	return st < ST_OK ? st : ST_OK;
}

/* 5.4.3: "MUST be less than the version number of the new timestamp metadata file. [...] In case
 * they are equal, discard the new timestamp metadata [...]. This is normal"; and "The version
 * number of the snapshot metadata file in the trusted timestamp metadata file, if any, MUST be less
 * than or equal to its version number in the new timestamp metadata file." *ret_new: it is to be
 * trusted and kept. */
static st_t check_timestamp(const struct tuf_md *old, const struct tuf_md *now, bool *ret_new,
                            struct err *e)
{
	*ret_new = old->version != now->version;
	if (old->version == 0 || !*ret_new)
		return ST_OK;
	if (now->version < old->version)
		return fail(e, ST_CONFLICT, 0, "timestamp: rollback: version %llu, trusted is %llu",
		            (unsigned long long)now->version, (unsigned long long)old->version);
	struct tuf_file was, is;
	TRY(tuf_md_file(old, "snapshot.json", &was, e));
	TRY(tuf_md_file(now, "snapshot.json", &is, e));
	if (is.version < was.version)
		return fail(e, ST_CONFLICT, 0, "timestamp: rollback: lists version %llu of the snapshot, "
		            "trusted is %llu", (unsigned long long)is.version,
		            (unsigned long long)was.version);
	return ST_OK;
}

/* With what the server has; 5.4.4, 5.4.5. `old`: the bytes of the trusted one. */
static st_t take_timestamp(struct tuf_client *c, const struct buf *old, const struct buf *b,
                           struct err *e)
{
	struct tuf_md md = {0};
	struct tuf_role by;
	bool new = false;
	tuf_root_role(&c->root, TUF_TIMESTAMP, &by);
	struct tuf_want w = {.type = TUF_TIMESTAMP, .role = "timestamp", .by = &by};
	st_t st = tuf_accept(&w, rd_make(b->data, b->len), memory_left(c), &md, e);
	if (st == ST_OK)
		st = check_timestamp(&c->timestamp, &md, &new, e);
	if (st == ST_OK)
		st = tuf_fresh(new ? &md : &c->timestamp, c->now, e);
	if (st == ST_OK && new)
		st = tuf_store_put(c, "timestamp", b, e);
	if (st == ST_OK && new)
		replace(&c->timestamp, &md);
	if (st == ST_OK)
		st = tuf_accepted(c, "timestamp", 0, new ? b : old, e);
	tuf_md_done(&md);
	return st;
}

st_t tuf_update_timestamp(struct tuf_client *c, struct err *e)
{
	struct buf old = {0}, b = {0};
	st_t st = load_old(c, TUF_TIMESTAMP, TUF_TIMESTAMP_MAX, &old, &c->timestamp);
	if (st != ST_OK)
		st = fail(e, st, 0, "timestamp: the trusted one could not be read");
	if (st == ST_OK)
		st = tuf_fetch_get(c, "timestamp", 0, TUF_TIMESTAMP_MAX, &b, e);
	if (st == ST_OK)
		st = take_timestamp(c, &old, &b, e);
	buf_done(&old);
	buf_done(&b);
	return st;
}

/* 5.5 */
st_t tuf_update_snapshot(struct tuf_client *c, struct err *e)
{
	struct tuf_role by;
	struct buf bytes = {0};
	struct tuf_file file;
	struct tuf_md old = {0};
	tuf_root_role(&c->root, TUF_SNAPSHOT, &by);
	TRY(tuf_md_file(&c->timestamp, "snapshot.json", &file, e));
	struct tuf_want w = {.type = TUF_SNAPSHOT, .role = "snapshot", .by = &by, .file = &file,
	                     .max = TUF_SNAPSHOT_MAX};
	st_t st = load_old(c, TUF_SNAPSHOT, TUF_SNAPSHOT_MAX, &bytes, &old);
	buf_done(&bytes);
	if (st != ST_OK)
		return fail(e, st, 0, "snapshot: the trusted one could not be read");
	st = tuf_obtain(c, &w, old.version ? &old : NULL, memory_left(c), &c->snapshot, e);
	tuf_md_done(&old);
	return st;
}

/* 5.6.1 to 5.6.6 */
st_t tuf_update_targets(struct tuf_client *c, struct err *e)
{
	struct tuf_role by;
	struct tuf_file file;
	tuf_root_role(&c->root, TUF_TARGETS, &by);
	TRY(tuf_md_file(&c->snapshot, "targets.json", &file, e));
	struct tuf_want w = {.type = TUF_TARGETS, .role = "targets", .by = &by, .file = &file,
	                     .max = TUF_TARGETS_MAX};
	return tuf_obtain(c, &w, NULL, memory_left(c), &c->targets, e);
}

st_t tuf_client_init(const struct tuf_fetch *fetch, const struct tuf_store *store, int64_t now,
                     struct tuf_client *ret, struct err *e)
{
	*ret = (struct tuf_client){.fetch = fetch, .store = store, .now = now};
	return load_root(ret, e);
}

st_t tuf_refresh(const struct tuf_fetch *fetch, const struct tuf_store *store, int64_t now,
                 struct tuf_client *ret, struct err *e)
{
	TRY(tuf_client_init(fetch, store, now, ret, e));
	TRY(tuf_update_root(ret, e));
	TRY(tuf_update_timestamp(ret, e));
	TRY(tuf_update_snapshot(ret, e));
	return tuf_update_targets(ret, e);
}

void tuf_client_done(struct tuf_client *c)
{
	tuf_md_done(&c->root);
	tuf_md_done(&c->timestamp);
	tuf_md_done(&c->snapshot);
	tuf_md_done(&c->targets);
}
