/* The definitions of RFC 6962 section 2.1 as they stand there, recursive and slow: what the product
 * is compared with. Nothing here is shared with src/tlog/merkle.c but the hash of a node. */
#ifndef VITRINE_TEST_MERKLE_REF_H
#define VITRINE_TEST_MERKLE_REF_H

#include "tlog/merkle.h"

#include <string.h>

/* MTH(D[begin:end]), end > begin. */
struct ref_tree {
	void (*mth)(void *ctx, uint64_t begin, uint64_t end, struct tlog_hash *ret);
	void *ctx;
};

/* "Let k be the largest power of two less than n" */
static inline uint64_t ref_split(uint64_t n)
{
	uint64_t k = 1;
	while (k < n - k)
		k *= 2;
	return k;
}

/* PATH(m, D[begin:end]) */
static inline void ref_path(const struct ref_tree *t, uint64_t m, uint64_t begin, uint64_t end,
                            struct tlog_proof *p)
{
	uint64_t n = end - begin, k;
	if (n == 1)
		return;
	k = ref_split(n);
	if (m < k) {
		ref_path(t, m, begin, begin + k, p);
		t->mth(t->ctx, begin + k, end, &p->hash[p->n++]);
	} else {
		ref_path(t, m - k, begin + k, end, p);
		t->mth(t->ctx, begin, begin + k, &p->hash[p->n++]);
	}
}

/* SUBPROOF(m, D[begin:end], b) */
static inline void ref_subproof(const struct ref_tree *t, uint64_t m, uint64_t begin, uint64_t end,
                                bool b, struct tlog_proof *p)
{
	uint64_t n = end - begin, k;
	if (m == n) {
		if (!b)
			t->mth(t->ctx, begin, end, &p->hash[p->n++]);
		return;
	}
	k = ref_split(n);
	if (m <= k) {
		ref_subproof(t, m, begin, begin + k, b, p);
		t->mth(t->ctx, begin + k, end, &p->hash[p->n++]);
	} else {
		ref_subproof(t, m - k, begin + k, end, false, p);
		t->mth(t->ctx, begin, begin + k, &p->hash[p->n++]);
	}
}

/* The root that a path leads to; false if it has more or fewer hashes than PATH(m, D[n]). */
static inline bool ref_follow(struct tlog_hasher *h, const struct tlog_hash *leaf, uint64_t m,
                              uint64_t n, const struct tlog_hash *path, size_t len,
                              struct tlog_hash *ret)
{
	struct tlog_hash below;
	uint64_t k;
	if (n == 1) {
		*ret = *leaf;
		return len == 0;
	}
	k = ref_split(n);
	if (len == 0 || !ref_follow(h, leaf, m < k ? m : m - k, m < k ? k : n - k, path, len - 1,
	                            &below))
		return false;
	if (m < k)
		tlog_hash_node(h, &below, &path[len - 1], ret);
	else
		tlog_hash_node(h, &path[len - 1], &below, ret);
	return true;
}

/* The two roots that SUBPROOF(m, D[n], b) leads to. */
static inline bool ref_follow_both(struct tlog_hasher *h, const struct tlog_hash *old_root,
                                   uint64_t m, uint64_t n, bool b, const struct tlog_hash *path,
                                   size_t len, struct tlog_hash *ret_old,
                                   struct tlog_hash *ret_new)
{
	struct tlog_hash o, w;
	uint64_t k;
	if (m == n) {
		if (len != (b ? 0 : 1))
			return false;
		*ret_old = *ret_new = b ? *old_root : path[0];
		return true;
	}
	k = ref_split(n);
	if (len == 0 || !ref_follow_both(h, old_root, m <= k ? m : m - k, m <= k ? k : n - k,
	                                 b && m <= k, path, len - 1, &o, &w))
		return false;
	if (m <= k) {
		*ret_old = o;
		tlog_hash_node(h, &w, &path[len - 1], ret_new);
	} else {
		tlog_hash_node(h, &path[len - 1], &o, ret_old);
		tlog_hash_node(h, &path[len - 1], &w, ret_new);
	}
	return true;
}

/* What a check has to say. */
static inline bool ref_inclusion(struct tlog_hasher *h, const struct tlog_hash *leaf, uint64_t m,
                                 uint64_t n, const struct tlog_proof *p,
                                 const struct tlog_hash *root)
{
	struct tlog_hash r;
	return n <= TLOG_SIZE_MAX && p->n <= TLOG_PROOF_MAX && m < n &&
	       ref_follow(h, leaf, m, n, p->hash, p->n, &r) && !memcmp(&r, root, sizeof r);
}

static inline bool ref_consistency(struct tlog_hasher *h, uint64_t m, uint64_t n,
                                   const struct tlog_hash *old_root,
                                   const struct tlog_hash *new_root, const struct tlog_proof *p)
{
	struct tlog_hash o, w;
	return n <= TLOG_SIZE_MAX && p->n <= TLOG_PROOF_MAX && m > 0 && m <= n &&
	       ref_follow_both(h, old_root, m, n, true, p->hash, p->n, &o, &w) &&
	       !memcmp(&o, old_root, sizeof o) && !memcmp(&w, new_root, sizeof w);
}

#endif
