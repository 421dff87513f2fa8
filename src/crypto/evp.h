/* Inside of src/crypto: what all signatures that libcrypto verifies have in common. */
#ifndef VITRINE_CRYPTO_EVP_H
#define VITRINE_CRYPTO_EVP_H

#include "base/st.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a key is of the kind that is wanted; nspki: bytes of its SubjectPublicKeyInfo. */
typedef st_t evp_key_fn(const EVP_PKEY *key, size_t nspki, struct err *e);

/* Reads a DER SubjectPublicKeyInfo of at most `max` bytes; all of `spki` must be it, and `check`
 * must take it. The caller frees *ret. ST_MALFORMED, or the status of `check`. */
st_t evp_read_spki(const uint8_t *spki, size_t n, size_t max, evp_key_fn *check, EVP_PKEY **ret,
                   struct err *e);

struct evp_signed {
	const void *msg;
	size_t n;
	const uint8_t *sig;
	size_t nsig;
};

/* 1: the signature is right; 0: it is wrong; below 0: it could not be tried. */
typedef int evp_verify_fn(EVP_PKEY *key, EVP_MD_CTX *ctx, const struct evp_signed *s);

/* Frees the key, which may be NULL. `name` is the algorithm's; `cannot` the status where it could
 * not be tried. ST_BAD_SIG. Leaves no error in libcrypto's queue. */
st_t evp_verify(EVP_PKEY *key, evp_verify_fn *verify, const struct evp_signed *s, const char *name,
                st_t cannot, struct err *e);

#endif
