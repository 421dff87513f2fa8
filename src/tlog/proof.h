/* Offline proofs, files "*.tlog-proof" (C2SP tlog-proof): an inclusion proof and the checkpoint
 * that it leads to.
 *
 *   c2sp.org/tlog-proof@v1 LF
 *   [extra <base64> LF]
 *   index <decimal> LF
 *   <base64 hash> LF ...
 *   LF
 *   <checkpoint note>
 */
#ifndef VITRINE_TLOG_PROOF_H
#define VITRINE_TLOG_PROOF_H

#include "tlog/policy.h"

#define PROOF_SIZE_MAX (NOTE_SIZE_MAX + ((size_t)128 << 10))
#define PROOF_EXTRA_MAX ((size_t)64 << 10)

struct offline_proof {
	bool has_extra;
	struct rd extra_base64; /* unauthenticated: never to be trusted */
	uint64_t index;
	struct tlog_proof proof;
	struct rd checkpoint; /* the note */
};

/* ST_MALFORMED with the rule broken, ST_LIMIT. */
st_t offline_proof_parse(struct rd in, struct offline_proof *ret, struct err *e);

/* Checks a whole proof file: policy and inclusion of this leaf hash (tlog_hash_leaf() of the
 * entry). Statuses of offline_proof_parse(), policy_check() and tlog_check_inclusion(). ret_* may
 * be NULL. */
st_t offline_proof_check(const struct policy *p, struct rd in, const struct tlog_hash *leaf,
                         struct checkpoint *ret_checkpoint, struct policy_verdict *ret,
                         struct err *e);

/* Writes one. extra: NULL for none. */
void offline_proof_format(const void *extra, size_t nextra, uint64_t index,
                          const struct tlog_proof *proof, struct rd checkpoint, struct buf *out);

#endif
