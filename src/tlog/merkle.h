/* Proofs in a Merkle tree, and the tree itself as it grows (RFC 6962 section 2.1, RFC 9162 section
 * 2.1.3 and 2.1.4). Sizes and indexes up to 2^63 - 1. Nothing here does I/O: who makes a proof
 * brings the nodes (struct tlog_nodes), usually out of tiles (tlog/tile.h).
 *
 * Statuses of all checks: ST_OK proven; ST_BAD_PROOF with the rule that it breaks; ST_NOMEM. */
#ifndef VITRINE_TLOG_MERKLE_H
#define VITRINE_TLOG_MERKLE_H

#include "tlog/hash.h"

/* Hashes of the longest proof: RFC 9162's paths have at most one hash a level, a consistency proof
 * one more. */
#define TLOG_PROOF_MAX 64
#define TLOG_SIZE_MAX (UINT64_MAX / 2)

struct tlog_proof {
	struct tlog_hash hash[TLOG_PROOF_MAX];
	size_t n;
};

/* RFC 9162 section 2.1.3.2. */
st_t tlog_check_inclusion(struct tlog_hasher *h, const struct tlog_hash *leaf, uint64_t index,
                          uint64_t size, const struct tlog_proof *proof,
                          const struct tlog_hash *root, struct err *e);

/* RFC 9162 section 2.1.4.2, for 0 < old_size <= new_size. old_size 0 is ST_BAD_PROOF: everything is
 * consistent with the empty tree, so there is nothing to prove, and the caller has to mean it. */
st_t tlog_check_consistency(struct tlog_hasher *h, uint64_t old_size, uint64_t new_size,
                            const struct tlog_hash *old_root, const struct tlog_hash *new_root,
                            const struct tlog_proof *proof, struct err *e);

/* Where proofs come from: the hash of the complete subtree over leaves
 * [index * 2^level, (index + 1) * 2^level), which lies within the tree asked about. */
struct tlog_nodes {
	st_t (*get)(void *ctx, unsigned level, uint64_t index, struct tlog_hash *ret, struct err *e);
	void *ctx;
};

/* ST_BAD_PROOF if index >= size, old_size is 0 or greater than new_size; else what get() returned.
 */
st_t tlog_prove_inclusion(struct tlog_hasher *h, const struct tlog_nodes *nodes, uint64_t index,
                          uint64_t size, struct tlog_proof *ret, struct err *e);
st_t tlog_prove_consistency(struct tlog_hasher *h, const struct tlog_nodes *nodes,
                            uint64_t old_size, uint64_t new_size, struct tlog_proof *ret,
                            struct err *e);
st_t tlog_tree_root(struct tlog_hasher *h, const struct tlog_nodes *nodes, uint64_t size,
                    struct tlog_hash *ret, struct err *e);

/* A growing tree: the roots of its complete subtrees, largest first, one for each bit that is set
 * in `size`. All-zero is the empty tree. Appending costs one node hash on average. */
struct tlog_frontier {
	uint64_t size;
	struct tlog_hash root[63];
	size_t n;
};

void tlog_frontier_add(struct tlog_frontier *f, struct tlog_hasher *h,
                       const struct tlog_hash *leaf);

/* Appends a complete subtree of 2^level leaves; size must be a multiple of that. */
void tlog_frontier_add_subtree(struct tlog_frontier *f, struct tlog_hasher *h, unsigned level,
                               const struct tlog_hash *root);

void tlog_frontier_root(const struct tlog_frontier *f, struct tlog_hasher *h,
                        struct tlog_hash *ret);

/* The frontier of a tree that is stored somewhere. */
st_t tlog_frontier_load(const struct tlog_nodes *nodes, uint64_t size, struct tlog_frontier *ret,
                        struct err *e);

#endif
