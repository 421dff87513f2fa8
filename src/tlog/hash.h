/* Hashes of a Merkle tree (RFC 6962 section 2.1, RFC 9162 section 2.1.1), SHA-256:
 *
 *   "MTH({}) = SHA-256()", "MTH({d(0)}) = SHA-256(0x00 || d(0))",
 *   "MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))"
 *
 * The hasher is sticky like base/rd: should libcrypto ever fail, `bad` stays set and zeroes come
 * out; who used it asks tlog_hasher_check() before a hash steers anything. */
#ifndef VITRINE_TLOG_HASH_H
#define VITRINE_TLOG_HASH_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLOG_HASH 32

struct tlog_hash {
	uint8_t b[TLOG_HASH];
};

/* One per thread. All-zero is valid for tlog_hasher_done(). */
struct tlog_hasher {
	bool bad;
};

st_t tlog_hasher_init(struct tlog_hasher *h, struct err *e);
void tlog_hasher_done(struct tlog_hasher *h);

/* ST_NOMEM if any hash since tlog_hasher_init() could not be made. */
st_t tlog_hasher_check(const struct tlog_hasher *h, struct err *e);

void tlog_hash_empty(struct tlog_hash *ret);
void tlog_hash_leaf(struct tlog_hasher *h, const void *entry, size_t n, struct tlog_hash *ret);
void tlog_hash_node(struct tlog_hasher *h, const struct tlog_hash *left,
                    const struct tlog_hash *right, struct tlog_hash *ret);

bool tlog_hash_equal(const struct tlog_hash *a, const struct tlog_hash *b);

#endif
