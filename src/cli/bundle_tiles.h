/* The hash tiles of a log that a bundle has, so that a client that accepted an older tree can check
 * that this one extends it, whatever size that had. */
#ifndef VITRINE_CLI_BUNDLE_TILES_H
#define VITRINE_CLI_BUNDLE_TILES_H

#include "tlog/hash.h"
#include "update/bundle.h"
#include "update/source.h"

/* Tiles of one tree: 64 MiB of them. The lowest level is cut first: 2 million of the last entries
 * have theirs. */
#define BUNDLE_TILES_MAX 8192u

struct bundle_tree {
	const char *origin;
	uint64_t size;
	struct tlog_hash root; /* as witnessed */
};

/* Fetches them, checks all against the root, and adds them. *ret_from: a client can check any tree
 * of that size on. ST_BAD_PROOF: they are not the tree's. ST_NOT_FOUND: the log lacks one. */
st_t bundle_add_tiles(struct update_bundle *b, struct update_source *s,
                      const struct bundle_tree *tree, uint64_t *ret_from, struct err *e);

#endif
