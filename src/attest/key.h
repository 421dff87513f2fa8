/* Public keys of who signs statements: publishers and rebuilders. */
#ifndef VITRINE_ATTEST_KEY_H
#define VITRINE_ATTEST_KEY_H

#include "base/buf.h"
#include "base/rd.h"

#define ATTEST_KEY_FILE_MAX ((size_t)16 << 10)

/* Bytes of the SubjectPublicKeyInfo (RFC 5280) of the longest key, P-256's. */
#define ATTEST_SPKI_MAX 91

enum attest_alg { ATTEST_ED25519, ATTEST_ECDSA_P256 };

struct attest_key {
	enum attest_alg alg;
	uint8_t spki[ATTEST_SPKI_MAX]; /* DER; ends with the key itself */
	size_t nspki;
};

/* From a SubjectPublicKeyInfo: Ed25519 (RFC 8410), or P-256 with an uncompressed point (RFC 5480).
 * ST_UNSUPPORTED: anything else. ST_MALFORMED: the point is none of the curve. */
st_t attest_key_parse_spki(struct rd der, struct attest_key *ret, struct err *e);

/* Appends the DER of the first "-----BEGIN PUBLIC KEY-----" in the text of a PEM file, of whatever
 * algorithm. ST_MALFORMED, ST_LIMIT. */
st_t attest_pem_spki(struct rd pem, struct buf *out, struct err *e);

/* From the text of a PEM file ("-----BEGIN PUBLIC KEY-----"), the first key in it. ST_MALFORMED. */
st_t attest_key_parse_pem(struct rd pem, struct attest_key *ret, struct err *e);

/* From the 32 bytes of an Ed25519 key. */
void attest_key_from_ed25519(const uint8_t pub[32], struct attest_key *ret);

bool attest_key_equal(const struct attest_key *a, const struct attest_key *b);

/* SHA-256 of the SubjectPublicKeyInfo: what identifies a key. */
st_t attest_key_id(const struct attest_key *k, uint8_t ret[32], struct err *e);

/* ST_OK only if `sig` is a signature of the message by that key: 64 bytes for Ed25519, DER for
 * ECDSA, which is over SHA-256. ST_BAD_SIG, ST_NOMEM. */
st_t attest_key_verify(const struct attest_key *k, const void *msg, size_t n, struct rd sig,
                       struct err *e);

#endif
