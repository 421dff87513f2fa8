#include "update/chain_ways.h"

#include "base/io.h"
#include "crypto/digest.h"
#include "pack/delta.h"
#include "pack/zstd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static st_t open_zstd(const struct chain_way *w, int in_fd, uint64_t in_size, uint64_t size,
                      int out_fd, struct err *e)
{
	(void)w;
	return pack_decompress(in_fd, in_size, size, out_fd, e);
}

static st_t open_delta(const struct chain_way *w, int in_fd, uint64_t in_size, uint64_t size,
                       int out_fd, struct err *e)
{
	(void)in_size;
	return delta_apply(w->old_fd, in_fd, size, out_fd, e);
}

/* What the spool has of it need not come again. But a bundle carries all of it. */
static uint64_t cost(const struct chain *c, const struct tuf_target *t)
{
	struct stat s;
	char name[65];
	if (c->rq->want_packed)
		return t->file.length;
	hex_encode(t->file.hashes.sha256, 32, name);
	if (fstatat(c->rq->place.spool_fd, name, &s, AT_SYMLINK_NOFOLLOW) != 0 || s.st_size < 0 ||
	    (uint64_t)s.st_size > t->file.length)
		return t->file.length;
	return t->file.length - (uint64_t)s.st_size;
}

/* Puts it before those that cost more. */
static void add(struct chain_ways *w, const struct chain_way *way)
{
	size_t at = w->n++;
	for (; at > 0 && w->v[at - 1].cost > way->cost; at--)
		w->v[at] = w->v[at - 1];
	w->v[at] = *way;
}

static st_t add_packed(struct chain *c, const char *name, struct chain_way *way,
                       struct chain_ways *ret, struct err *e)
{
	struct chain_small s = {.listed = false};
	TRY(chain_find(c, name, &s, NULL, e));
	if (!s.listed)
		return ST_OK;
	if (!s.target.file.hashes.has256 || s.target.file.length > CHAIN_FILE_MAX) {
		tuf_target_done(&s.target);
		return ST_OK;
	}
	way->target = s.target;
	way->cost = cost(c, &s.target);
	snprintf(way->what, sizeof way->what, "%s", name);
	add(ret, way);
	return ST_OK;
}

void chain_ways_done(struct chain_ways *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].open)
			tuf_target_done(&w->v[i].target);
	w->n = 0;
}

/* "NAME-OLD; OLD: first 16 hex digits of its SHA-256" (doc/format/updates.md). */
static st_t add_delta(struct chain *c, const char *what, int old_fd, struct chain_ways *ret,
                      struct err *e)
{
	struct chain_way way = {.is_delta = true, .open = open_delta, .old_fd = old_fd};
	char name[64], hex[65];
	uint8_t sum[32];
	if (old_fd < 0)
		return ST_OK;
	TRY(digest_file(DIGEST_SHA256, old_fd, sum, NULL, e));
	hex_encode(sum, sizeof sum, hex);
	snprintf(name, sizeof name, "delta/%s-%.16s", what, hex);
	return add_packed(c, name, &way, ret, e);
}

/* A bundle has no use for what a delta makes where there is the compressed file. */
st_t chain_ways_find(struct chain *c, const struct chain_wanted *f, struct chain_ways *ret,
                     struct err *e)
{
	char name[64];
	struct chain_way way = {.target = *f->plain, .cost = cost(c, f->plain), .old_fd = -1};
	*ret = (struct chain_ways){.n = 0};
	snprintf(way.what, sizeof way.what, "%s", f->what);
	add(ret, &way);
	way = (struct chain_way){.open = open_zstd, .old_fd = -1};
	snprintf(name, sizeof name, "%s.zst", f->what);
	TRY(add_packed(c, name, &way, ret, e));
	if (c->rq->want_packed && ret->v[0].open)
		return ST_OK;
	return add_delta(c, f->what, f->old_fd, ret, e);
}
