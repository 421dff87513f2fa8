/* Tiles prove each other: the highest ones make the root, and what a full tile makes is a hash in
 * the tile above it. */
#include "cli/bundle_tiles.h"

#include "base/num.h"
#include "tlog/tile.h"
#include "tuf/path.h"

#include <stdio.h>
#include <stdlib.h>

struct tiles {
	struct update_bundle *bundle;
	struct update_source *source;
	const struct bundle_tree *tree;
	struct buf folder; /* "log/ORIGIN/" and NUL */
	struct tlog_hasher h;
	struct tile_nodes nodes;
};

static st_t get_file(const struct tiles *s, const struct tile *t, struct buf *ret, struct err *e)
{
	char path[UPDATE_PATH_MAX], file[TILE_PATH_MAX];
	tile_path(t, file);
	int n = snprintf(path, sizeof path, "%s%s", (const char *)s->folder.data, file);
	if (n < 0 || (size_t)n >= sizeof path)
		return fail(e, ST_LIMIT, 0, "the path of %s is too long", file);
	TRY(update_get(s->source, path, TILE_WIDTH * TLOG_HASH, ret, e));
	TRY(buf_check(ret, e, "tile"));
	/* Under the path that was asked for: a client asks in the same order. */
	return update_bundle_add(s->bundle, path, rd_make(ret->data, ret->len), e);
}

/* "MAY fetch the full tile [...] as a fallback in case the partial tile is not available
 * anymore" (C2SP tlog-tiles). */
static st_t get_tile(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	struct tile full = *t;
	full.width = TILE_WIDTH;
	st_t st = get_file(ctx, t, &b, &why);
	if (st == ST_NOT_FOUND && t->width < TILE_WIDTH) {
		err_clear(&why);
		buf_done(&b);
		st = get_file(ctx, &full, &b, &why);
		b.len = num_min_size(b.len, t->width * TLOG_HASH);
	}
	if (st == ST_OK)
		st = tile_read(t, rd_make(b.data, b.len), ret, &why);
	buf_done(&b);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

static st_t check_root(struct tiles *s, struct err *e)
{
	struct tlog_nodes n = tile_nodes_as_nodes(&s->nodes);
	struct tlog_hash root;
	TRY(tlog_tree_root(&s->h, &n, s->tree->size, &root, e));
	TRY(tlog_hasher_check(&s->h, e));
	if (!tlog_hash_equal(&root, &s->tree->root))
		return fail(e, ST_BAD_PROOF, 0, "its tiles make another root than its checkpoint has");
	return ST_OK;
}

/* Hash `level` * 8 of a full tile is in the tile above. */
static st_t check_full(struct tiles *s, const struct tile *t, const struct tlog_hash *hash,
                       struct err *e)
{
	struct tlog_nodes n = tile_nodes_as_nodes(&s->nodes);
	struct tlog_frontier f = {0};
	struct tlog_hash have, want;
	for (unsigned i = 0; i < TILE_WIDTH; i++)
		tlog_frontier_add(&f, &s->h, &hash[i]);
	tlog_frontier_root(&f, &s->h, &have);
	TRY(tlog_hasher_check(&s->h, e));
	TRY(n.get(n.ctx, (t->level + 1) * TILE_HEIGHT, t->n, &want, e));
	if (!tlog_hash_equal(&have, &want))
		return fail(e, ST_BAD_PROOF, 0, "tile %u/%llu does not make the hash above it", t->level,
		            (unsigned long long)t->n);
	return ST_OK;
}

static st_t add_level(struct tiles *s, unsigned level, uint64_t from, uint64_t to, struct err *e)
{
	struct tlog_hash hash[TILE_WIDTH];
	for (uint64_t n = from; n < to; n++) {
		struct tile t = {TILE_HASHES, level, n, tile_width(s->tree->size, level, n)};
		TRY(get_tile(s, &t, hash, e));
		if (t.width == TILE_WIDTH)
			TRY(check_full(s, &t, hash, e));
	}
	return ST_OK;
}

static uint64_t tiles_of(uint64_t size, unsigned level)
{
	uint64_t n = tile_level_size(size, level);
	return n / TILE_WIDTH + (n % TILE_WIDTH != 0);
}

/* From the top, so that what is left out is the oldest of the lowest level. */
static st_t add_all(struct tiles *s, uint64_t *ret_from, struct err *e)
{
	unsigned level = 0;
	uint64_t left = BUNDLE_TILES_MAX;
	*ret_from = 1;
	TRY(check_root(s, e));
	while (tile_level_size(s->tree->size, level + 1) > 0)
		level++;
	for (level++; level-- > 0;) {
		uint64_t n = tiles_of(s->tree->size, level), take = num_min_u64(n, left);
		TRY(add_level(s, level, n - take, n, e));
		left -= take;
		/* A tree that ends in a tile is checked with that one. */
		if (n > take)
			*ret_from = num_max_u64(*ret_from, (n - take) * TILE_WIDTH << TILE_HEIGHT * level) + 1;
	}
	return ST_OK;
}

st_t bundle_add_tiles(struct update_bundle *b, struct update_source *source,
                      const struct bundle_tree *tree, uint64_t *ret_from, struct err *e)
{
	struct err why = {0};
	struct tiles *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "bundle: out of memory");
	struct tile_source from = {get_tile, s};
	*s = (struct tiles){.bundle = b, .source = source, .tree = tree};
	buf_text(&s->folder, "log/");
	tuf_quote(tree->origin, false, &s->folder);
	buf_text(&s->folder, "/");
	buf_u8(&s->folder, 0);
	st_t st = buf_check(&s->folder, &why, "bundle");
	if (st == ST_OK)
		st = tlog_hasher_init(&s->h, &why);
	tile_nodes_init(&s->nodes, &from, &s->h, tree->size);
	if (st == ST_OK)
		st = add_all(s, ret_from, &why);
	tlog_hasher_done(&s->h);
	buf_done(&s->folder);
	free(s);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "log %.80s: %.150s", tree->origin, why.text);
}
