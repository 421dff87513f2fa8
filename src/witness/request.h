/* The body of a request to a witness, taken apart (C2SP tlog-witness):
 *
 *   old <decimal> LF
 *   <base64 hash> LF ...      consistency proof, at most 63
 *   LF
 *   <checkpoint note>
 *
 * Reads hostile bytes; checks no signature and no proof. */
#ifndef VITRINE_WITNESS_REQUEST_H
#define VITRINE_WITNESS_REQUEST_H

#include "tlog/checkpoint.h"
#include "tlog/note.h"

/* "The client MUST NOT send more than 63 consistency proof lines." */
#define WITNESS_PROOF_MAX 63

/* Bytes of a body. A note "MUST accept at least 16 signatures"; 16 of ML-DSA-44 are 53 kB, the
 * longest proof is 3 kB. */
#define WITNESS_BODY_MAX ((size_t)64 << 10)

/* Points into the body. Large: not for the stack of a deep call. */
struct witness_request {
	uint64_t old_size;
	struct tlog_proof proof;
	struct rd checkpoint; /* the note as it came */
	struct note note;
	struct checkpoint cp;
	/* Everything is well-formed, but the tree is empty and the root is not that of an empty tree:
	 * tlog-witness answers this otherwise than a checkpoint that is malformed. */
	bool wrong_empty_root;
};

/* ST_MALFORMED with the rule that it breaks, ST_LIMIT. */
st_t witness_request_parse(struct rd body, struct witness_request *ret, struct err *e);

#endif
