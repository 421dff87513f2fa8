/* ML-DSA-44 (FIPS 204), pure, empty context, by libcrypto 3.5 and later: mldsa44.c is what is built
 * with such a libcrypto, mldsa44_none.c, which says so, with an older one. */
#ifndef VITRINE_CRYPTO_MLDSA44_H
#define VITRINE_CRYPTO_MLDSA44_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLDSA44_PUBLIC 1312
#define MLDSA44_SEED 32
#define MLDSA44_SIGNATURE 2420

/* Whether this build can. The running libcrypto may still refuse (ST_UNSUPPORTED). */
bool mldsa44_available(void);

/* As ed25519_verify(); ST_UNSUPPORTED: not with this libcrypto. */
st_t mldsa44_verify(const uint8_t pub[MLDSA44_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[MLDSA44_SIGNATURE], struct err *e);

/* The private key of a seed as libcrypto's EVP_PKEY, which the caller frees; NULL if it cannot be.
 */
void *mldsa44_key(const uint8_t seed[MLDSA44_SEED]);

#endif
