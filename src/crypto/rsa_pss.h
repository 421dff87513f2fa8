/* RSASSA-PSS (RFC 8017 section 8.1) with SHA-256 and MGF1-SHA256, by libcrypto. Verifying only:
 * keys of other people's update repositories. */
#ifndef VITRINE_CRYPTO_RSA_PSS_H
#define VITRINE_CRYPTO_RSA_PSS_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* "All RSA keys MUST be at least 2048 bits" (TUF 1.0.34 section 4.2.1). Above the other, checking a
 * signature would cost more than anybody gains. */
#define RSA_PSS_BITS_MIN 2048
#define RSA_PSS_BITS_MAX 8192

/* Whether these bytes are exactly one DER SubjectPublicKeyInfo of an RSA key of allowed length.
 * ST_MALFORMED, ST_UNSUPPORTED. */
st_t rsa_pss_check_key(const uint8_t *spki, size_t n, struct err *e);

/* ST_OK only if `sig` is a signature of the message by that key, with a salt of any length.
 * ST_BAD_SIG: it is not. ST_NOMEM; else as rsa_pss_check_key(). */
st_t rsa_pss_verify(const uint8_t *spki, size_t nspki, const void *msg, size_t n,
                    const uint8_t *sig, size_t nsig, struct err *e);

#endif
