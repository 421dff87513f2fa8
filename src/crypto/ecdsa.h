/* ECDSA over NIST's curves P-256, P-384 and P-521 with SHA-256, by libcrypto. Verifying only: logs
 * of others sign with it. */
#ifndef VITRINE_CRYPTO_ECDSA_H
#define VITRINE_CRYPTO_ECDSA_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* Whether these bytes are a key: exactly one DER SubjectPublicKeyInfo (RFC 5480) with a named curve
 * and an uncompressed point, so that there is one encoding per key. ST_MALFORMED: it is not;
 * ST_UNSUPPORTED: another algorithm or curve. */
st_t ecdsa_check_key(const uint8_t *spki, size_t n, struct err *e);

/* ST_OK only if `sig` (DER, RFC 3279 section 2.2.3) is a signature of the message's SHA-256 by that
 * key. ST_BAD_SIG: it is not. ST_NOMEM; else as ecdsa_check_key(). */
st_t ecdsa_verify(const uint8_t *spki, size_t nspki, const void *msg, size_t n, const uint8_t *sig,
                  size_t nsig, struct err *e);

#endif
