/* The client of C2SP tlog-witness: brings a checkpoint to witnesses and collects their
 * cosignatures. Used by the log before it publishes, and by who feeds witnesses. */
#ifndef VITRINE_WITNESS_SUBMIT_H
#define VITRINE_WITNESS_SUBMIT_H

#include "net/fetch.h"
#include "tlog/policy.h"

/* What one witness did. */
struct submit_outcome {
	bool cosigned;
	/* It says that it cosigned what our tree does not go on from: a larger size (409), or a tree
	 * that no proof leads from (422). Either it is wrong or there are two views of the log. */
	bool contradicts;
	uint64_t time;   /* of the cosignature */
	unsigned status; /* last HTTP status; 0: none */
	char error[256]; /* why not cosigned */
};

struct submit {
	const struct policy *policy; /* its witnesses with a URL are asked, all at a time */
	const struct fetch *fetch;
	const struct tlog_nodes *nodes; /* of the tree, for consistency proofs */
	struct tlog_hasher *hasher;
	uint32_t timeout_ms; /* for all of it */
	uint64_t now;        /* seconds since 1970: cosignatures from the future are refused */
	/* Size that each witness is thought to have cosigned last; read and updated. One per witness.
	 */
	uint64_t *known_size;
};

/* `note`: the checkpoint with the log's own signature. Appends the lines of the cosignatures that
 * verify to ret_lines, in the policy's order. A 409 with a size is answered with the proof from
 * there; a 429 and what cannot be reached count as not cosigned. ST_OK also if nobody cosigned: the
 * quorum is the caller's to judge. */
st_t submit_checkpoint(const struct submit *s, struct rd note, struct buf *ret_lines,
                       struct submit_outcome *ret_outcomes, struct err *e);

#endif
