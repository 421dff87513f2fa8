/* Proofs follow the algorithms of RFC 9162 step by step; they are made from the bottom up, which
 * gives the same lists as the recursive definitions of RFC 6962 (test/unit/test_merkle.c compares
 * them for every size and index).
 *
 * Invariants
 * 1. No check says ST_OK before tlog_hasher_check() did.
 * 2. No size above TLOG_SIZE_MAX and no proof above TLOG_PROOF_MAX gets past the first lines. */
#include "tlog/merkle.h"

#include <inttypes.h>
#include <string.h>

static st_t check_limits(uint64_t size, const struct tlog_proof *proof, struct err *e)
{
	if (size > TLOG_SIZE_MAX)
		return fail(e, ST_BAD_PROOF, 0, "proof: a tree of %" PRIu64 " leaves is above 2^63 - 1",
		            size);
	if (proof && proof->n > TLOG_PROOF_MAX)
		return fail(e, ST_BAD_PROOF, 0, "proof: %zu hashes, no tree needs more than %d", proof->n,
		            TLOG_PROOF_MAX);
	return ST_OK;
}

/* Where a path stands: "fn" and "sn" of RFC 9162, the index of the node on the way up and that of
 * the last node of its level. */
struct climb {
	uint64_t fn, sn;
};

/* Whether the next hash is a left sibling: "If LSB(fn) is set, or if fn is equal to sn". */
static bool climb_from_left(const struct climb *c)
{
	return (c->fn & 1) || c->fn == c->sn;
}

/* One level up; from the right border, up to where the node is a right child: "If LSB(fn) is not
 * set, then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0." Then
 * "right-shift both fn and sn one time." */
static void climb_up(struct climb *c)
{
	if (climb_from_left(c))
		while (!(c->fn & 1) && c->fn != 0) {
			c->fn >>= 1;
			c->sn >>= 1;
		}
	c->fn >>= 1;
	c->sn >>= 1;
}

st_t tlog_check_inclusion(struct tlog_hasher *h, const struct tlog_hash *leaf, uint64_t index,
                          uint64_t size, const struct tlog_proof *proof,
                          const struct tlog_hash *root, struct err *e)
{
	TRY(check_limits(size, proof, e));
	/* "Compare leaf_index from the inclusion_proof_v2 structure against tree_size. If leaf_index is
	 * greater than or equal to tree_size, then stop and fail the proof verification." */
	if (index >= size)
		return fail(e, ST_BAD_PROOF, 0,
		            "inclusion proof: leaf %" PRIu64 " is not in a tree of %" PRIu64, index, size);
	struct climb c = {index, size - 1};
	struct tlog_hash r = *leaf;
	for (size_t i = 0; i < proof->n; i++) {
		/* "If sn is 0, then stop the iteration and fail the proof verification." */
		if (c.sn == 0)
			return fail(e, ST_BAD_PROOF, 0,
			            "inclusion proof: %zu hashes, %zu lead from leaf %" PRIu64
			            " to the root of %" PRIu64, proof->n, i, index, size);
		if (climb_from_left(&c))
			tlog_hash_node(h, &proof->hash[i], &r, &r);
		else
			tlog_hash_node(h, &r, &proof->hash[i], &r);
		climb_up(&c);
	}
	TRY(tlog_hasher_check(h, e));
	/* "Compare sn to 0. Compare r against the root_hash." */
	if (c.sn != 0)
		return fail(e, ST_BAD_PROOF, 0,
		            "inclusion proof: %zu hashes do not reach from leaf %" PRIu64
		            " to the root of %" PRIu64, proof->n, index, size);
	if (!tlog_hash_equal(&r, root))
		return fail(e, ST_BAD_PROOF, 0,
		            "inclusion proof: leaf %" PRIu64 " leads to another root of %" PRIu64, index,
		            size);
	return ST_OK;
}

static st_t check_same(const struct tlog_proof *proof, uint64_t size,
                       const struct tlog_hash *old_root, const struct tlog_hash *new_root,
                       struct err *e)
{
	if (proof->n != 0)
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: %zu hashes between two trees of the same size", proof->n);
	if (!tlog_hash_equal(old_root, new_root))
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: two different roots of the same size %" PRIu64, size);
	return ST_OK;
}

/* Walks the hashes from `i` on, from the node that both trees have; "fr" and "sr" of RFC 9162. */
static st_t climb_both(struct tlog_hasher *h, struct climb *c, const struct tlog_proof *proof,
                       size_t i, struct tlog_hash *fr, struct tlog_hash *sr, struct err *e)
{
	for (; i < proof->n; i++) {
		if (c->sn == 0)
			return fail(e, ST_BAD_PROOF, 0,
			            "consistency proof: %zu hashes, the root is reached after %zu", proof->n,
			            i);
		if (climb_from_left(c)) {
			tlog_hash_node(h, &proof->hash[i], fr, fr);
			tlog_hash_node(h, &proof->hash[i], sr, sr);
		} else {
			tlog_hash_node(h, sr, &proof->hash[i], sr);
		}
		climb_up(c);
	}
	return tlog_hasher_check(h, e);
}

st_t tlog_check_consistency(struct tlog_hasher *h, uint64_t old_size, uint64_t new_size,
                            const struct tlog_hash *old_root, const struct tlog_hash *new_root,
                            const struct tlog_proof *proof, struct err *e)
{
	TRY(check_limits(new_size, proof, e));
	if (old_size == 0 || old_size > new_size)
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: none leads from a tree of %" PRIu64 " to one of %" PRIu64,
		            old_size, new_size);
	if (old_size == new_size)
		return check_same(proof, new_size, old_root, new_root, e);
	/* "If consistency_path is an empty array, stop and fail the proof verification. If first is an
	 * exact power of 2, then prepend first_hash to the consistency_path array." */
	if (proof->n == 0)
		return fail(e, ST_BAD_PROOF, 0, "consistency proof: empty between two sizes");
	bool power = (old_size & (old_size - 1)) == 0;
	struct tlog_hash fr = power ? *old_root : proof->hash[0], sr = fr;
	/* "If LSB(fn) is set, then right-shift both fn and sn equally until LSB(fn) is not set." */
	unsigned shift = (unsigned)__builtin_ctzll(old_size);
	struct climb c = {(old_size - 1) >> shift, (new_size - 1) >> shift};
	TRY(climb_both(h, &c, proof, power ? 0 : 1, &fr, &sr, e));
	if (c.sn != 0)
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: %zu hashes do not reach from %" PRIu64
		            " to the root of %" PRIu64, proof->n, old_size, new_size);
	if (!tlog_hash_equal(&fr, old_root))
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: leads to another root of %" PRIu64 " leaves", old_size);
	if (!tlog_hash_equal(&sr, new_root))
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: leads to another root of %" PRIu64 " leaves", new_size);
	return ST_OK;
}

/* MTH(D[begin:end]), begin a multiple of a power of two that is at least end - begin: the complete
 * subtrees that it consists of have the sizes of the bits of end - begin, largest first. */
static st_t border_root(struct tlog_hasher *h, const struct tlog_nodes *nodes, uint64_t begin,
                        uint64_t end, struct tlog_hash *ret, struct err *e)
{
	struct tlog_hash r;
	tlog_hash_empty(&r);
	for (uint64_t left = end - begin; left;) {
		unsigned level = (unsigned)__builtin_ctzll(left);
		bool first = left == end - begin;
		left &= left - 1;
		struct tlog_hash n;
		TRY(nodes->get(nodes->ctx, level, (begin + left) >> level, &n, e));
		if (first)
			r = n;
		else
			tlog_hash_node(h, &n, &r, &r);
	}
	TRY(tlog_hasher_check(h, e));
	*ret = r;
	return ST_OK;
}

/* Appends the siblings on the way from node (level, index) to the root of `size` leaves. */
static st_t add_path(struct tlog_hasher *h, const struct tlog_nodes *nodes, unsigned level,
                     uint64_t index, uint64_t size, struct tlog_proof *p, struct err *e)
{
	for (; (size - 1) >> level; level++, index >>= 1) {
		uint64_t sibling = index ^ 1, begin = sibling << level;
		/* The right border: nothing is to the right, the node goes up as it is. */
		if (sibling > (size - 1) >> level)
			continue;
		/* The last node of the level may be incomplete; (size >> level) are complete. */
		if (sibling < size >> level)
			TRY(nodes->get(nodes->ctx, level, sibling, &p->hash[p->n], e));
		else
			TRY(border_root(h, nodes, begin, size, &p->hash[p->n], e));
		p->n++;
	}
	return ST_OK;
}

st_t tlog_prove_inclusion(struct tlog_hasher *h, const struct tlog_nodes *nodes, uint64_t index,
                          uint64_t size, struct tlog_proof *ret, struct err *e)
{
	TRY(check_limits(size, NULL, e));
	if (index >= size)
		return fail(e, ST_BAD_PROOF, 0,
		            "inclusion proof: no leaf %" PRIu64 " in a tree of %" PRIu64, index, size);
	struct tlog_proof p;
	p.n = 0;
	TRY(add_path(h, nodes, 0, index, size, &p, e));
	ret->n = p.n;
	memcpy(ret->hash, p.hash, p.n * sizeof p.hash[0]);
	return ST_OK;
}

st_t tlog_prove_consistency(struct tlog_hasher *h, const struct tlog_nodes *nodes,
                            uint64_t old_size, uint64_t new_size, struct tlog_proof *ret,
                            struct err *e)
{
	TRY(check_limits(new_size, NULL, e));
	if (old_size == 0 || old_size > new_size)
		return fail(e, ST_BAD_PROOF, 0,
		            "consistency proof: none from a tree of %" PRIu64 " to one of %" PRIu64,
		            old_size, new_size);
	struct tlog_proof p;
	p.n = 0;
	if (old_size < new_size) {
		/* The last complete subtree of the old tree is in both: it comes first, and then its path.
		 * If it is the whole old tree, its hash is the old root, which the verifier has. */
		unsigned level = (unsigned)__builtin_ctzll(old_size);
		uint64_t index = (old_size >> level) - 1;
		if (index != 0)
			TRY(nodes->get(nodes->ctx, level, index, &p.hash[p.n++], e));
		TRY(add_path(h, nodes, level, index, new_size, &p, e));
	}
	ret->n = p.n;
	memcpy(ret->hash, p.hash, p.n * sizeof p.hash[0]);
	return ST_OK;
}

st_t tlog_tree_root(struct tlog_hasher *h, const struct tlog_nodes *nodes, uint64_t size,
                    struct tlog_hash *ret, struct err *e)
{
	TRY(check_limits(size, NULL, e));
	return border_root(h, nodes, 0, size, ret, e);
}

void tlog_frontier_add(struct tlog_frontier *f, struct tlog_hasher *h, const struct tlog_hash *leaf)
{
	tlog_frontier_add_subtree(f, h, 0, leaf);
}

void tlog_frontier_add_subtree(struct tlog_frontier *f, struct tlog_hasher *h, unsigned level,
                               const struct tlog_hash *root)
{
	/* Broken promises of the caller make the hasher bad rather than a wrong root. */
	if (level > 62 || (f->size & ((UINT64_C(1) << level) - 1)) ||
	    TLOG_SIZE_MAX - f->size < UINT64_C(1) << level) {
		h->bad = true;
		return;
	}
	struct tlog_hash r = *root;
	for (uint64_t s = f->size >> level; s & 1; s >>= 1)
		tlog_hash_node(h, &f->root[--f->n], &r, &r);
	f->root[f->n++] = r;
	f->size += UINT64_C(1) << level;
}

void tlog_frontier_root(const struct tlog_frontier *f, struct tlog_hasher *h,
                        struct tlog_hash *ret)
{
	struct tlog_hash r;
	tlog_hash_empty(&r);
	for (size_t i = f->n; i-- > 0;) {
		if (i + 1 == f->n)
			r = f->root[i];
		else
			tlog_hash_node(h, &f->root[i], &r, &r);
	}
	*ret = r;
}

st_t tlog_frontier_load(const struct tlog_nodes *nodes, uint64_t size, struct tlog_frontier *ret,
                        struct err *e)
{
	TRY(check_limits(size, NULL, e));
	struct tlog_frontier f = {.size = size};
	for (unsigned level = 63; level-- > 0;)
		if (size >> level & 1)
			TRY(nodes->get(nodes->ctx, level, (size >> level) - 1, &f.root[f.n++], e));
	*ret = f;
	return ST_OK;
}
