#include "log/edge.h"

#include <string.h>

void edge_done(struct edge *g)
{
	buf_done(&g->bundle);
}

static void add_hash(struct edge_tile *t, struct tlog_hasher *h, const struct tlog_hash *hash)
{
	t->hash[t->width++] = *hash;
	t->changed = true;
	tlog_frontier_add(&t->tree, h, hash);
}

static st_t put_bundle(struct edge *g, uint64_t n, unsigned width, const struct edge_sink *sink,
                       struct err *e)
{
	struct tile t = {.kind = TILE_ENTRIES, .n = n, .width = width};
	TRY(buf_check(&g->bundle, e, "log: bundle"));
	return sink->put(sink->ctx, &t, g->bundle.data, g->bundle.len, e);
}

static st_t put_hashes(struct edge *g, unsigned level, uint64_t n, const struct edge_sink *sink,
                       struct err *e)
{
	const struct edge_tile *x = &g->tile[level];
	struct tile t = {.kind = TILE_HASHES, .level = level, .n = n, .width = x->width};
	return sink->put(sink->ctx, &t, x->hash, (size_t)x->width * TLOG_HASH, e);
}

/* Tile number of a level whose last hash was just added. */
static uint64_t full_number(const struct edge *g, unsigned level)
{
	return tile_level_size(g->size, level + 1) - 1;
}

/* The tile of that level is full: away with it, and its root goes one level up. */
static st_t carry(struct edge *g, struct tlog_hasher *h, const struct edge_sink *sink,
                  struct err *e)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		struct edge_tile *t = &g->tile[level];
		if (t->width < TILE_WIDTH)
			return ST_OK;
		struct tlog_hash root;
		TRY(put_hashes(g, level, full_number(g, level), sink, e));
		tlog_frontier_root(&t->tree, h, &root);
		t->tree = (struct tlog_frontier){0};
		t->width = 0;
		t->changed = false;
		if (level + 1 < TILE_LEVELS)
			add_hash(&g->tile[level + 1], h, &root);
	}
	return ST_OK;
}

st_t edge_append(struct edge *g, struct tlog_hasher *h, const struct tlog_hash *leaf,
                 const void *entry, size_t n, const struct edge_sink *sink, struct err *e)
{
	if (g->size >= TLOG_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "log: a tree has at most 2^63 - 1 entries");
	TRY(bundle_add(&g->bundle, entry, n, e));
	g->size++;
	add_hash(&g->tile[0], h, leaf);
	if (g->tile[0].width < TILE_WIDTH)
		return ST_OK;
	TRY(put_bundle(g, full_number(g, 0), TILE_WIDTH, sink, e));
	g->bundle.len = 0;
	return carry(g, h, sink, e);
}

st_t edge_settle(struct edge *g, const struct edge_sink *sink, struct err *e)
{
	if (g->tile[0].changed && g->tile[0].width)
		TRY(put_bundle(g, g->size / TILE_WIDTH, g->tile[0].width, sink, e));
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		struct edge_tile *t = &g->tile[level];
		if (t->changed && t->width)
			TRY(put_hashes(g, level, tile_level_size(g->size, level) / TILE_WIDTH, sink, e));
		t->changed = false;
	}
	return ST_OK;
}

void edge_root(const struct edge *g, struct tlog_hasher *h, struct tlog_hash *ret)
{
	struct tlog_frontier all = {0};
	for (unsigned level = TILE_LEVELS; level-- > 0;) {
		const struct tlog_frontier *f = &g->tile[level].tree;
		size_t i = 0;
		for (unsigned bit = TILE_HEIGHT; bit-- > 0;)
			if (f->size >> bit & 1)
				tlog_frontier_add_subtree(&all, h, level * TILE_HEIGHT + bit, &f->root[i++]);
	}
	tlog_frontier_root(&all, h, ret);
}

void edge_load(struct edge *g, struct tlog_hasher *h, unsigned level, const struct tlog_hash *hash,
               unsigned width)
{
	struct edge_tile *t = &g->tile[level];
	*t = (struct edge_tile){0};
	for (unsigned i = 0; i < width; i++)
		add_hash(t, h, &hash[i]);
	t->changed = false;
}
