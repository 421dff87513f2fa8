/* Envelopes of signed payloads (DSSE 1.0.2):
 *
 *   {"payload": BASE64, "payloadType": TYPE, "signatures": [{"keyid": TEXT, "sig": BASE64}]}
 *
 * A signature is over
 *   PAE(type, payload) = "DSSEv1" SP len(type) SP type SP len(payload) SP payload
 * The order of use is parse, verify, and only then read the payload ("Verifiers MUST NOT parse the
 * payload before verifying"). Envelopes are hostile bytes; doc/format/entry.md is our profile. */
#ifndef VITRINE_ATTEST_DSSE_H
#define VITRINE_ATTEST_DSSE_H

#include "attest/key.h"
#include "base/buf.h"
#include "crypto/signer.h"

/* An envelope is an entry of a log, and those have at most 65,535 bytes (C2SP tlog-tiles). */
#define DSSE_SIZE_MAX 65535u

/* A release is signed by few, a rebuild by one. Each is tried with every key that is known. */
#define DSSE_SIGNATURES_MAX 16

/* Bytes of a payload type; media types are at most 127 + 1 + 127 long (RFC 6838). */
#define DSSE_TYPE_MAX 255

struct dsse {
	struct buf type;    /* of the payload; behind it a NUL that `len` does not count */
	struct buf payload; /* hostile until dsse_verify() */
	struct buf sigs;    /* all signatures, one behind the other */
	struct {
		size_t off, n;
	} sig[DSSE_SIGNATURES_MAX];
	size_t nsigs;
};

/* Takes an envelope apart, without a look into the payload. Members that the specification does not
 * name are ignored ("ignore unknown fields"). ST_MALFORMED, ST_LIMIT, ST_NOMEM. Free with
 * dsse_done() whatever the status. */
st_t dsse_parse(struct rd in, struct dsse *ret, struct err *e);
void dsse_done(struct dsse *d);

/* Appends the pre-authentication encoding. */
void dsse_pae(struct rd type, struct rd payload, struct buf *out);

/* Tries every signature with every key; "keyid" is an unauthenticated hint and not looked at.
 * ret_signed: one bool for each key, ret_n: how many distinct keys signed. The keys differ from
 * each other. ST_OK also if nobody signed. */
st_t dsse_verify(const struct dsse *d, const struct attest_key *keys, size_t nkeys,
                 bool *ret_signed, size_t *ret_n, struct err *e);

/* Appends an envelope signed by each of the signers, which are Ed25519. ST_MALFORMED: a type with
 * other than printable ASCII, or a quote or backslash in it; ST_LIMIT: too long for an entry. */
st_t dsse_make(const char *type, struct rd payload, struct signer *const *signers, size_t nsigners,
               struct buf *out, struct err *e);

#endif
