/* offline_proof_check() on hostile bytes, by a policy that is in the input: the policy, a line
 * "%", the proof. What is read as a proof is written as the same bytes. */
#include "tlog/proof.h"
#include "tlog/text.h"

#include <stdlib.h>
#include <string.h>

static void check_round_trip(struct rd in)
{
	static uint8_t extra[PROOF_EXTRA_MAX];
	struct offline_proof p;
	struct buf out = {0};
	size_t n = 0;
	if (offline_proof_parse(in, &p, NULL) != ST_OK)
		return;
	if (p.has_extra && !text_base64(p.extra_base64, extra, sizeof extra, &n))
		abort();
	offline_proof_format(extra, n, p.index, &p.proof, p.checkpoint, &out);
	if (!out.oom && (out.len != in.len || memcmp(out.data, in.base, in.len)))
		abort();
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = size ? memmem(data, size, "\n%\n", 3) : NULL;
	size_t npolicy = split ? (size_t)(split - data) + 1 : 0;
	size_t skip = split ? npolicy + 2 : 0;
	struct rd in = rd_make(data + skip, size - skip);
	struct policy *p = NULL;
	struct err e;
	err_clear(&e);
	check_round_trip(in);
	if (policy_parse(rd_make(data, npolicy), &p, NULL) == ST_OK &&
	    offline_proof_check(p, in, &(struct tlog_hash){0}, NULL, NULL, &e) == ST_OK)
		abort(); /* a preimage of zeroes */
	policy_free(p);
	return 0;
}
