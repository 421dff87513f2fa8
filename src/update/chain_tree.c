/* The tiles of the trees that this check accepted, for a bundle: with them a client that knows an
 * older tree checks that these extend it, whatever size that had; and one that knows a tree between
 * two of these, that it extends the smaller one.
 *
 * Tiles prove each other: the partial ones at the right edge make the root, which is witnessed; and
 * what a full tile makes is a hash of the level above. None is kept before that. */
#include "base/num.h"
#include "update/chain_tiles.h"

#include <stdlib.h>
#include <string.h>

/* Full tiles of a level above the lowest one. They are remembered until those below are checked:
 * 2 MiB. The 8192 of the lowest level that there are at most need 33 of them. */
#define UPPER_MAX 256u

struct tree {
	struct chain_tiles tiles;
	struct tlog_hasher h;
	uint64_t least, size; /* the smallest tree of a proof, the largest */
	struct tlog_hash root;
	unsigned top;         /* highest level */
	struct tlog_hash edge[TILE_LEVELS][TILE_WIDTH]; /* the partial tile of each level */
	struct buf above;     /* hashes of the level above, checked; from this one on */
	uint64_t above_from;
	uint64_t done, total; /* tiles */
};

static struct tile edge_tile(uint64_t size, unsigned level)
{
	uint64_t n = tile_level_size(size, level) / TILE_WIDTH;
	return (struct tile){TILE_HASHES, level, n, tile_width(size, level, n)};
}

static st_t get_edge(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e)
{
	const struct tree *s = ctx;
	if (t->width == TILE_WIDTH)
		return fail(e, ST_BAD_PROOF, 0, "a root is not made of full tiles");
	memcpy(ret, s->edge[t->level], t->width * sizeof *ret);
	return ST_OK;
}

static st_t check_root(struct tree *s, struct tile_nodes *nodes, struct err *e)
{
	struct tile_source edges = {get_edge, s};
	struct tlog_hash root;
	tile_nodes_init(nodes, &edges, &s->h, s->size);
	struct tlog_nodes n = tile_nodes_as_nodes(nodes);
	TRY(tlog_tree_root(&s->h, &n, s->size, &root, e));
	TRY(tlog_hasher_check(&s->h, e));
	if (!tlog_hash_equal(&root, &s->root))
		return fail(e, ST_BAD_PROOF, 0, "its tiles make another root than its checkpoint has");
	return ST_OK;
}

static st_t take_edges(struct tree *s, struct err *e)
{
	for (unsigned level = 0; level <= s->top; level++) {
		struct tile t = edge_tile(s->size, level);
		if (t.width)
			TRY(chain_tiles_get(&s->tiles, &t, false, s->edge[level], e));
	}
	struct tile_nodes *nodes = malloc(sizeof *nodes); /* 64 kB of cached tiles */
	st_t st = nodes ? check_root(s, nodes, e) : fail(e, ST_NOMEM, 0, "out of memory");
	free(nodes);
	return st;
}

/* As wide as each tree from the smallest one on has it. */
static st_t keep_edge(struct tree *s, unsigned level, struct err *e)
{
	struct tile t = edge_tile(s->size, level);
	uint64_t least = tile_level_size(s->least, level), before = t.n * TILE_WIDTH;
	unsigned width = t.width;
	for (t.width = least > before ? (unsigned)(least - before) : 1; t.width <= width; t.width++)
		TRY(chain_tiles_keep(&s->tiles, &t, s->edge[level], e));
	return ST_OK;
}

static st_t check_full(struct tree *s, const struct tile *t, const struct tlog_hash *hash,
                       struct err *e)
{
	struct tlog_frontier f = {0};
	struct tlog_hash have;
	for (unsigned i = 0; i < TILE_WIDTH; i++)
		tlog_frontier_add(&f, &s->h, &hash[i]);
	tlog_frontier_root(&f, &s->h, &have);
	TRY(tlog_hasher_check(&s->h, e));
	if (memcmp(have.b, s->above.data + (t->n - s->above_from) * TLOG_HASH, TLOG_HASH))
		return fail(e, ST_BAD_PROOF, 0, "tile %u/%llu does not make the hash above it", t->level,
		            (unsigned long long)t->n);
	return ST_OK;
}

static void tell_progress(struct tree *s)
{
	const struct chain_request *rq = s->tiles.c->rq;
	s->done++;
	if (rq->progress)
		rq->progress(rq->ctx, "tiles", s->done * TILE_BYTES_MAX, s->total * TILE_BYTES_MAX);
}

/* Full tiles of a level; their hashes are added to `ret`, unless it is the lowest. */
static st_t keep_full(struct tree *s, unsigned level, uint64_t from, uint64_t to, struct buf *ret,
                      struct err *e)
{
	struct tlog_hash hash[TILE_WIDTH];
	for (uint64_t n = from; n < to; n++) {
		struct tile t = {TILE_HASHES, level, n, TILE_WIDTH};
		TRY(chain_tiles_get(&s->tiles, &t, false, hash, e));
		TRY(check_full(s, &t, hash, e));
		TRY(chain_tiles_keep(&s->tiles, &t, hash, e));
		tell_progress(s);
		if (level > 0)
			buf_add(ret, hash, sizeof hash);
	}
	return buf_check(ret, e, "tiles");
}

/* The last ones; what is above them is known. */
static st_t keep_level(struct tree *s, unsigned level, uint64_t *left, uint64_t *from,
                       struct err *e)
{
	struct buf hashes = {0};
	struct tile edge = edge_tile(s->size, level);
	uint64_t most = level > 0 ? num_min_u64(*left, UPPER_MAX) : *left;
	uint64_t take = num_min_u64(edge.n - s->above_from, most), first = edge.n - take;
	TRY(keep_edge(s, level, e));
	st_t st = keep_full(s, level, first, edge.n, &hashes, e);
	buf_add(&hashes, s->edge[level], edge.width * TLOG_HASH);
	buf_done(&s->above);
	s->above = hashes;
	s->above_from = first * TILE_WIDTH;
	*left -= take;
	/* A tree that ends in a tile is checked with that one. */
	if (first > 0)
		*from = num_max_u64(*from, (first * TILE_WIDTH << TILE_HEIGHT * level) + 1);
	return st == ST_OK ? buf_check(&s->above, e, "tiles") : st;
}

/* From the top, so that what is left out is the oldest of the lowest level. */
static st_t keep_levels(struct tree *s, uint64_t *left, uint64_t *from, struct err *e)
{
	while (s->top + 1 < TILE_LEVELS && tile_level_size(s->size, s->top + 1) > 0)
		s->top++;
	for (unsigned level = 1; level <= s->top; level++)
		s->total += tile_level_size(s->size, level);
	s->total = num_min_u64(s->total, *left);
	TRY(take_edges(s, e));
	for (unsigned level = s->top + 1; level-- > 0;)
		TRY(keep_level(s, level, left, from, e));
	return ST_OK;
}

static st_t keep_tree(struct chain *c, const struct chain_view *v, const char *origin,
                      uint64_t *left, struct err *e)
{
	struct err why = {0};
	struct tree *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "files: out of memory");
	*s = (struct tree){.least = v->least, .size = v->most, .root = v->most_root};
	st_t st = chain_tiles_open(c, origin, &s->tiles, &why);
	if (st == ST_OK)
		st = tlog_hasher_init(&s->h, &why);
	if (st == ST_OK)
		st = keep_levels(s, left, &c->r.tiles_from, &why);
	tlog_hasher_done(&s->h);
	chain_tiles_close(&s->tiles);
	buf_done(&s->above);
	free(s);
	return st == ST_OK ? ST_OK
	                   : fail(e, st, why.off, "files: log %.80s: %.150s", origin, why.text);
}

st_t chain_keep_trees(struct chain *c, struct err *e)
{
	const struct policy *p = c->rq->policy->logs;
	uint64_t left = CHAIN_TILES_MAX;
	c->r.tiles_from = 1;
	for (size_t i = 0; i < p->nlogs; i++)
		if (c->view[i].most)
			TRY(keep_tree(c, &c->view[i], p->logs[i].key.name, &left, e));
	return ST_OK;
}
