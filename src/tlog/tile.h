/* Tiles: the files that a log is (C2SP tlog-tiles). Hash i of tile (l, n) is
 * MTH(D[(n * 256 + i) * 256^l : (n * 256 + i + 1) * 256^l]). A tile is full (256 wide) or partial.
 * Entry bundles have the coordinates of level-0 tiles. */
#ifndef VITRINE_TLOG_TILE_H
#define VITRINE_TLOG_TILE_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/merkle.h"

#define TILE_HEIGHT 8
#define TILE_WIDTH 256u
#define TILE_BYTES_MAX (TILE_WIDTH * TLOG_HASH)

/* "Entries ... MUST be at most 65535 bytes": the length before each is a big-endian uint16. */
#define ENTRY_MAX 65535u
#define BUNDLE_BYTES_MAX (TILE_WIDTH * (2u + ENTRY_MAX))

/* Levels that a tree of 2^63 leaves has; a path may say up to 63 ("tile/63/..."). */
#define TILE_LEVELS 8
#define TILE_LEVEL_PATH_MAX 63

/* Longest path, bytes with NUL: "tile/entries/x009/x223/x372/x036/x854/x775/807.p/255". */
#define TILE_PATH_MAX 64

enum tile_kind { TILE_CHECKPOINT, TILE_HASHES, TILE_ENTRIES };

struct tile {
	enum tile_kind kind;
	unsigned level; /* of TILE_HASHES */
	uint64_t n;
	unsigned width; /* 1 to 256; 256: full */
};

/* "tile/0/x001/x234/067", "tile/entries/000.p/5", "checkpoint": relative, no slash in front. */
void tile_path(const struct tile *t, char ret[TILE_PATH_MAX]);

/* Reads a path strictly; the whole of `in` must be one. ST_MALFORMED with the rule that it breaks.
 */
st_t tile_path_parse(struct rd in, struct tile *ret, struct err *e);

/* Number of hashes of that level in a tree of `size` leaves: floor(size / 256^level). */
uint64_t tile_level_size(uint64_t size, unsigned level);

/* Width of tile (level, n) in a tree of `size` leaves: 256, less for the last, 0 if not in it.
 * Bundles are as wide as tiles of level 0. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t n);

/* Width-of-t hashes from the bytes of a tile. ST_MALFORMED if it is not exactly that long. */
st_t tile_read(const struct tile *t, struct rd in, struct tlog_hash *ret, struct err *e);

/* Entries of a bundle one after another. bundle_next() returns ST_NOT_FOUND behind the last one;
 * ST_MALFORMED if the bundle does not hold exactly `width` entries. */
struct bundle {
	struct rd in;
	unsigned left;
};
struct bundle bundle_open(struct rd in, unsigned width);
st_t bundle_next(struct bundle *b, struct rd *ret_entry, struct err *e);

/* Appends one entry as it stands in a bundle. ST_LIMIT if it is too long. */
st_t bundle_add(struct buf *out, const void *entry, size_t n, struct err *e);

/* Where tiles come from. `t` is full or as wide as the tree of `size` leaves has it; ret holds
 * t->width hashes. */
struct tile_source {
	st_t (*get)(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e);
	void *ctx;
};

/* tlog_nodes over tiles of one tree, with a cache of the last tile of each level. Nodes between two
 * levels of tiles are hashed from the tile below.
 * Trusts the source: what was read from others is proven by the root or the proof made of it. */
struct tile_nodes {
	const struct tile_source *src;
	struct tlog_hasher *h;
	uint64_t size;
	struct tile cached[TILE_LEVELS];
	struct tlog_hash hash[TILE_LEVELS][TILE_WIDTH];
};
void tile_nodes_init(struct tile_nodes *t, const struct tile_source *src, struct tlog_hasher *h,
                     uint64_t size);
struct tlog_nodes tile_nodes_as_nodes(struct tile_nodes *t);

#endif
