#include "tuf/inside.h"

#include "tlog/text.h"

#include <string.h>

static void add_text(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* Names of files have at most 255 bytes where they are kept, with what a store may put around. */
#define NAME_MAX_BYTES 240

static st_t role_name(const char *role, uint64_t version, struct buf *ret, struct err *e)
{
	if (version) {
		text_decimal_add(ret, version);
		buf_u8(ret, '.');
	}
	tuf_quote(role, false, ret);
	add_text(ret, ".json");
	buf_u8(ret, 0);
	if (ret->len > NAME_MAX_BYTES)
		return fail(e, ST_LIMIT, 0, "%.60s: the name of its file is too long", role);
	return buf_check(ret, e, role);
}

st_t tuf_store_get(const struct tuf_client *c, const char *role, size_t max, struct buf *ret,
                   struct err *e)
{
	struct buf name = {0};
	st_t st = role_name(role, 0, &name, e);
	if (st == ST_OK)
		st = c->store->get(c->store->ctx, (const char *)name.data, max, ret, e);
	buf_done(&name);
	return st == ST_OK ? buf_check(ret, e, role) : st;
}

st_t tuf_store_put(const struct tuf_client *c, const char *role, const struct buf *bytes,
                   struct err *e)
{
	struct buf name = {0};
	st_t st = role_name(role, 0, &name, e);
	if (st == ST_OK)
		st = c->store->put(c->store->ctx, (const char *)name.data,
		                   rd_make(bytes->data, bytes->len), e);
	buf_done(&name);
	return st;
}

st_t tuf_accepted(const struct tuf_client *c, const char *role, uint64_t version,
                  const struct buf *bytes, struct err *e)
{
	struct buf name = {0};
	if (!c->store->accepted)
		return ST_OK;
	st_t st = role_name(role, version, &name, e);
	if (st == ST_OK)
		st = c->store->accepted(c->store->ctx, (const char *)name.data,
		                        rd_make(bytes->data, bytes->len), e);
	buf_done(&name);
	return st;
}

st_t tuf_fetch_get(const struct tuf_client *c, const char *role, uint64_t version, size_t max,
                   struct buf *ret, struct err *e)
{
	struct buf name = {0};
	st_t st = role_name(role, version, &name, e);
	if (st == ST_OK)
		st = c->fetch->get(c->fetch->ctx, (const char *)name.data, max, ret, e);
	buf_done(&name);
	if (st == ST_OK && ret->len > max)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", role, max);
	return st == ST_OK ? buf_check(ret, e, role) : st;
}

static st_t check_sum(const struct tuf_want *w, struct rd bytes, struct err *e)
{
	struct tuf_sum s;
	uint64_t n = rd_left(&bytes);
	if (w->file->has_length && n != w->file->length)
		return fail(e, ST_BAD_SUM, 0, "%s: has %llu bytes, %llu were announced", w->role,
		            (unsigned long long)n, (unsigned long long)w->file->length);
	if (!w->file->has_hashes)
		return ST_OK;
	TRY(tuf_sum_init(&s, e));
	st_t st = tuf_sum_add(&s, bytes.base + bytes.pos, n, e);
	if (st == ST_OK)
		st = tuf_sum_check(&s, &w->file->hashes, NULL, w->role, e);
	tuf_sum_done(&s);
	return st;
}

static st_t check_parsed(const struct tuf_want *w, const struct tuf_md *md, struct err *e)
{
	TRY(tuf_md_verify(md, w->by, e));
	if (w->file && md->version != w->file->version)
		return fail(e, ST_CONFLICT, 0, "%s: has version %llu, listed is %llu", w->role,
		            (unsigned long long)md->version, (unsigned long long)w->file->version);
	return ST_OK;
}

st_t tuf_accept(const struct tuf_want *w, struct rd bytes, size_t memory, struct tuf_md *ret,
                struct err *e)
{
	struct tuf_md md;
	if (w->file)
		TRY(check_sum(w, bytes, e));
	TRY(tuf_md_parse(bytes, w->type, w->role, memory, &md, e));
	st_t st = check_parsed(w, &md, e);
	if (st != ST_OK)
		tuf_md_done(&md);
	else
		*ret = md;
	return st;
}

st_t tuf_fresh(const struct tuf_md *md, int64_t now, struct err *e)
{
	if (md->expires > now)
		return ST_OK;
	return fail(e, ST_TIMEOUT, 0, "%s: version %llu expired %lld seconds ago: the repository is "
	            "frozen or abandoned, or the clock of this machine is wrong", md->what,
	            (unsigned long long)md->version, (long long)(now - md->expires));
}

/* ST_NOT_FOUND if the store has not what is wanted. */
static st_t from_store(struct tuf_client *c, const struct tuf_want *w, size_t memory,
                       struct buf *bytes, struct tuf_md *ret, struct err *e)
{
	st_t st = tuf_store_get(c, w->role, w->max, bytes, e);
	if (st == ST_OK)
		st = tuf_accept(w, rd_make(bytes->data, bytes->len), memory, ret, NULL);
	return st > ST_OK ? ST_NOT_FOUND : st;
}

static st_t check_new(struct tuf_client *c, const struct tuf_md *md, const struct tuf_md *old,
                      struct err *e)
{
	if (old)
		TRY(tuf_snapshot_follows(old, md, e));
	return tuf_fresh(md, c->now, e);
}

static st_t from_server(struct tuf_client *c, const struct tuf_want *w, const struct tuf_md *old,
                        size_t memory, struct buf *b, struct tuf_md *ret, struct err *e)
{
	bool versioned = tuf_root_consistent(&c->root);
	size_t max = w->max;
	if (w->file->has_length && w->file->length < max)
		max = (size_t)w->file->length;
	TRY(tuf_fetch_get(c, w->role, versioned ? w->file->version : 0, max, b, e));
	TRY(tuf_accept(w, rd_make(b->data, b->len), memory, ret, e));
	TRY(check_new(c, ret, old, e));
	return tuf_store_put(c, w->role, b, e);
}

/* *bytes and *ret are the caller's to free, whatever the status. */
static st_t obtain(struct tuf_client *c, const struct tuf_want *w, const struct tuf_md *old,
                   size_t memory, struct buf *bytes, struct tuf_md *ret, struct err *e)
{
	struct err ignored = {0};
	st_t st = from_store(c, w, memory, bytes, ret, &ignored);
	if (st == ST_OK)
		return check_new(c, ret, old, e);
	if (st != ST_NOT_FOUND)
		return fail(e, st, 0, "%s: %s", w->role, ignored.text);
	buf_done(bytes);
	*bytes = (struct buf){0};
	return from_server(c, w, old, memory, bytes, ret, e);
}

st_t tuf_obtain(struct tuf_client *c, const struct tuf_want *w, const struct tuf_md *old,
                size_t memory, struct tuf_md *ret, struct err *e)
{
	struct tuf_md md = {0};
	struct buf bytes = {0};
	st_t st = obtain(c, w, old, memory, &bytes, &md, e);
	if (st == ST_OK)
		st = tuf_accepted(c, w->role, md.version, &bytes, e);
	buf_done(&bytes);
	if (st != ST_OK)
		tuf_md_done(&md);
	else
		*ret = md;
	return st;
}
