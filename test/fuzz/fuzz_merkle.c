/* The checks of proofs on arbitrary proofs, against the recursive definitions (test/merkle_ref.h):
 * both have to say the same.
 *
 *   0   kind: bit 0 consistency; bit 1 the roots are those that the proof leads to, not the input's
 *   1   8  index or old size, little-endian
 *   9   8  size
 *   17  32 leaf hash or old root
 *   49  32 root
 *   81  32 each: the proof */
#include "base/rd.h"
#include "test/merkle_ref.h"

#include <stdlib.h>

static void fuzz_inclusion(struct tlog_hasher *h, bool lead, uint64_t m, uint64_t n,
                           struct tlog_hash leaf, struct tlog_hash root, struct tlog_proof *p)
{
	struct tlog_hash led;
	if (lead && m < n && n <= TLOG_SIZE_MAX && ref_follow(h, &leaf, m, n, p->hash, p->n, &led))
		root = led;
	if (ref_inclusion(h, &leaf, m, n, p, &root) !=
	    (tlog_check_inclusion(h, &leaf, m, n, p, &root, NULL) == ST_OK))
		abort();
}

static void fuzz_consistency(struct tlog_hasher *h, bool lead, uint64_t m, uint64_t n,
                             struct tlog_hash old_root, struct tlog_hash root,
                             struct tlog_proof *p)
{
	struct tlog_hash o, w;
	if (lead && m > 0 && m <= n && n <= TLOG_SIZE_MAX &&
	    ref_follow_both(h, &old_root, m, n, true, p->hash, p->n, &o, &w)) {
		old_root = o;
		root = w;
	}
	if (ref_consistency(h, m, n, &old_root, &root, p) !=
	    (tlog_check_consistency(h, m, n, &old_root, &root, p, NULL) == ST_OK))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_make(data, size);
	struct tlog_hasher h;
	struct tlog_hash first, root;
	struct tlog_proof p = {0};
	uint8_t kind = rd_u8(&in);
	uint64_t m = rd_u64le(&in), n = rd_u64le(&in);
	rd_copy(&in, first.b, TLOG_HASH);
	rd_copy(&in, root.b, TLOG_HASH);
	while (p.n < TLOG_PROOF_MAX && rd_left(&in) >= TLOG_HASH)
		rd_copy(&in, p.hash[p.n++].b, TLOG_HASH);
	if (in.bad || tlog_hasher_init(&h, NULL) != ST_OK)
		return 0;
	if (kind & 1)
		fuzz_consistency(&h, kind & 2, m, n, first, root, &p);
	else
		fuzz_inclusion(&h, kind & 2, m, n, first, root, &p);
	tlog_hasher_done(&h);
	return 0;
}
