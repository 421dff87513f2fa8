/* From leaf hash to index, so that an entry that is in the log already gets its old index: an open-
 * addressing table in a mapped file. SQLite was measured first: 2 to 5 ms for 1,000 entries in a
 * table of a million, as much as the whole batch may take.
 *
 * Invariants
 * 1. The table is a cache. A hit counts only after the leaf hash of that index, out of the tree,
 *    is the one asked for: whatever the file says, no wrong index is given.
 * 2. The file says "clean" only while it is durable and no change is under way: that mark is taken
 *    away, durably, before the first change and set after everything else is synced. A file that
 *    is not clean, not readable or ahead of the tree is built anew from the tree; one that is
 *    behind catches up. So no entry that is in the log is missed after a crash.
 *
 * Where an entry goes depends on a secret seed: who chooses entries cannot choose collisions.
 *
 *   OFFSET SIZE MEANING
 *   0      16   "vitrine-logindx1"
 *   16     8    1: clean
 *   24     8    entries of the tree that it knows
 *   32     8    slots: a power of two
 *   40     16   seed
 *   4096   8 x slots   0: empty; else index + 1 in the low 40 bits, 24 bits of the hash above
 * Numbers are little-endian. */
#ifndef VITRINE_LOG_INDEX_H
#define VITRINE_LOG_INDEX_H

#include "log/io.h"
#include "tlog/hash.h"

#include <stdbool.h>

/* 2^40 entries: a tree of 35 TB of leaf hashes. */
#define LOG_INDEX_ENTRIES_MAX (UINT64_C(1) << 40)
#define LOG_INDEX_HEADER 4096

/* Leaf hashes of the tree. ST_NOT_FOUND: no such index. */
struct log_leaves {
	st_t (*get)(void *ctx, uint64_t index, struct tlog_hash *ret, struct err *e);
	void *ctx;
};

struct log_index;

/* Opens "index" in the folder, or builds it for the tree of `size` leaves. `leaves` and `io` stay
 * in use. Below 0: the file or memory; what leaves->get() returned. */
st_t log_index_open(const struct log_io *io, int dir, const uint64_t seed[2],
                    const struct log_leaves *leaves, uint64_t size, struct log_index **ret,
                    struct err *e);

/* The index of that leaf hash, if it has one, else notes `fresh` for it and returns that. */
st_t log_index_find_or_add(struct log_index *ix, const struct tlog_hash *leaf, uint64_t fresh,
                           uint64_t *ret_index, struct err *e);

/* Makes the file durable and clean for the tree of `size` leaves, which is all that was added. */
st_t log_index_commit(struct log_index *ix, uint64_t size, struct err *e);

/* Without log_index_commit() the file stays unclean. NULL-safe. */
void log_index_free(struct log_index *ix);

struct log_index_head {
	bool clean;
	uint64_t size, slots, seed[2];
};

/* Reads the header of a file of that length. False: not one. */
bool log_index_head_read(const void *head, size_t n, uint64_t file_size,
                         struct log_index_head *ret);

#endif
