/* Small files of a set: the statement, proofs, verdicts. They are kept in the store under names of
 * their own, so that what did not change is not asked for again; whatever comes from there is
 * measured by what TUF lists now, like what comes from the source. */
#include "update/chain_inside.h"

#include <stdio.h>
#include <string.h>

static st_t check_sum(const struct tuf_target *t, const char *name, const struct buf *b,
                      struct err *e)
{
	struct tuf_sum s;
	TRY(tuf_sum_init(&s, e));
	st_t st = tuf_sum_add(&s, b->len ? (const void *)b->data : "", b->len, e);
	if (st == ST_OK)
		st = tuf_sum_check(&s, &t->file.hashes, &t->file.length, name, e);
	tuf_sum_done(&s);
	return st;
}

/* ST_NOT_FOUND: the store has another one, or none. */
static st_t from_store(struct chain *c, const struct tuf_target *t, const char *name, size_t max,
                       struct buf *ret)
{
	st_t st = c->store.get(c->store.ctx, name, max, ret, NULL);
	if (st == ST_OK)
		st = check_sum(t, name, ret, NULL);
	return st > ST_OK ? ST_NOT_FOUND : st;
}

static st_t from_source(struct chain *c, const struct tuf_target *t, const char *name,
                        const char *path, struct buf *ret, struct err *e)
{
	TRY(chain_get(c, path, (size_t)t->file.length, ret, e));
	TRY(check_sum(t, name, ret, e));
	return c->store.put(c->store.ctx, name, rd_make(ret->data, ret->len), e);
}

static st_t obtain(struct chain *c, const struct tuf_target *t, const char *name, size_t max,
                   struct buf *ret, struct err *e)
{
	char path[UPDATE_PATH_MAX];
	size_t n = (size_t)snprintf(path, sizeof path, "targets/%s", (const char *)t->url.data);
	if (n >= sizeof path)
		return fail(e, ST_LIMIT, 0, "%s: its path is longer than %d bytes", name, UPDATE_PATH_MAX);
	st_t st = from_store(c, t, name, max, ret);
	if (st == ST_NOT_FOUND) {
		buf_done(ret);
		st = from_source(c, t, name, path, ret, e);
	}
	if (st != ST_OK)
		return fail(e, st, 0, "%s: could not be read", name);
	return chain_keep(c, path, rd_make(ret->data, ret->len), e);
}

st_t chain_get_small(struct chain *c, const struct chain_small *s, const char *name, size_t max,
                     struct buf *ret, struct err *e)
{
	struct buf b = {0};
	if (s->target.file.length > max)
		return fail(e, ST_LIMIT, 0, "%s: %llu bytes are listed, at most %zu are read", name,
		            (unsigned long long)s->target.file.length, max);
	st_t st = obtain(c, &s->target, name, max, &b, e);
	if (st == ST_OK)
		buf_add(ret, b.data, b.len);
	buf_done(&b);
	return st == ST_OK ? buf_check(ret, e, name) : st;
}

st_t chain_open_envelope(const struct attest_parties *p, struct rd in, struct dsse *ret,
                         bool *ret_signed, size_t *ret_n, struct err *e)
{
	struct attest_key keys[UPDATE_PARTIES_MAX];
	for (size_t i = 0; i < p->n; i++)
		keys[i] = p->v[i].key;
	*ret_n = 0;
	TRY(dsse_parse(in, ret, e));
	return dsse_verify(ret, keys, p->n, ret_signed, ret_n, e);
}
