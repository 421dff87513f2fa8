/* Ed25519 (RFC 8032) by libcrypto. */
#ifndef VITRINE_CRYPTO_ED25519_H
#define VITRINE_CRYPTO_ED25519_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

#define ED25519_PUBLIC 32
#define ED25519_SEED 32
#define ED25519_SIGNATURE 64

/* ST_OK only if `sig` is a signature of the message by that key. ST_BAD_SIG: it is not, or the key
 * is no key. ST_NOMEM. */
st_t ed25519_verify(const uint8_t pub[ED25519_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[ED25519_SIGNATURE], struct err *e);

#endif
