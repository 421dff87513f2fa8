/* What the parts of the log's writer share: writer.c (a batch), recover.c (the start),
 * publish.c (the checkpoint). */
#ifndef VITRINE_LOG_WRITER_INSIDE_H
#define VITRINE_LOG_WRITER_INSIDE_H

#include "log/edge.h"
#include "log/index.h"
#include "log/state.h"
#include "log/writer.h"

struct log_writer {
	struct log_writer_opts o;
	int lock_fd, state_fd;
	bool broken; /* a write failed: invariant 6 */
	struct tlog_hasher h;
	struct tlog_hash origin;
	struct log_state state; /* as it is on disk */
	struct edge edge;       /* of state.size, but within a batch */
	bool has_published;
	uint64_t published;     /* size of the published checkpoint */
	struct tlog_hash published_root;
	struct buf note;        /* the published checkpoint */
	struct buf partials;    /* struct tile: stored, to be removed once the full tile is published */

	struct log_index *index;
	struct log_leaves leaves;
	/* The batch at hand: entries that are new, their leaf hashes. */
	struct tlog_hash *fresh;
	size_t *which;
	size_t nfresh;
	/* The last full tile of level 0 that was read, and whether it is proven to be the tree's. */
	bool has_tile, proven_tile;
	uint64_t tile_n;
	struct tlog_hash tile[TILE_WIDTH];

	struct tile_source source;
	struct tile_nodes nodes;
	struct tlog_nodes as_nodes;
};

/* A hash tile out of the store. */
st_t writer_get_tile(void *ctx, const struct tile *t, struct tlog_hash *ret, struct err *e);

/* Leaf hash of an index of the tree or of the batch at hand. */
st_t writer_get_leaf(void *ctx, uint64_t index, struct tlog_hash *ret, struct err *e);

/* Nodes of the tree of that size, which is durable. */
const struct tlog_nodes *writer_nodes(struct log_writer *w, uint64_t size);

/* Writes a record of the state and waits until it is durable; w->state is that one then. */
st_t writer_put_state(struct log_writer *w, const struct log_state *s, struct err *e);

/* The state out of its open file. Statuses of log_state_read(). */
st_t writer_read_state(struct log_writer *w, struct err *e);

/* Everything but the index. */
st_t writer_recover(struct log_writer *w, struct err *e);

/* Removes partial tiles whose full tile is published: "may delete a partial once the full tile
 * exists". Where that fails they stay, which harms nobody. */
void writer_remove_partials(struct log_writer *w);

/* Notes a partial tile that is stored. */
st_t writer_note_partial(struct log_writer *w, const struct tile *t, struct err *e);

#endif
