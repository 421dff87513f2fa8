/* The right edge of a tree: at every level the hashes of the tile that is not full yet, and the
 * bundle that is not. All that is needed to append, and the root. No I/O. */
#ifndef VITRINE_LOG_EDGE_H
#define VITRINE_LOG_EDGE_H

#include "tlog/tile.h"

struct edge_tile {
	struct tlog_hash hash[TILE_WIDTH];
	unsigned width; /* 0 to 255 between two appends */
	bool changed;   /* since edge_settle() */
	struct tlog_frontier tree; /* over these hashes */
};

struct edge {
	uint64_t size;
	struct edge_tile tile[TILE_LEVELS];
	struct buf bundle; /* of the last tile.width entries */
};

/* Takes a tile of hashes or a bundle that is to be stored. */
struct edge_sink {
	st_t (*put)(void *ctx, const struct tile *t, const void *p, size_t n, struct err *e);
	void *ctx;
};

/* All-zero is the empty tree. */
void edge_done(struct edge *g);

/* Appends an entry with its leaf hash; what becomes full by that goes to the sink. ST_LIMIT: the
 * entry or the tree is too long; nothing was appended. After any other failure the edge is spoilt. */
st_t edge_append(struct edge *g, struct tlog_hasher *h, const struct tlog_hash *leaf,
                 const void *entry, size_t n, const struct edge_sink *sink, struct err *e);

/* Hands every partial tile that changed since the last time to the sink, the bundle first. */
st_t edge_settle(struct edge *g, const struct edge_sink *sink, struct err *e);

void edge_root(const struct edge *g, struct tlog_hasher *h, struct tlog_hash *ret);

/* One level of a tree that is stored, of `width` hashes, 0 to 255. */
void edge_load(struct edge *g, struct tlog_hasher *h, unsigned level, const struct tlog_hash *hash,
               unsigned width);

#endif
