/* A private key that signs: in memory, or, later, in a token (PKCS#11), which is why its owner sees
 * no key, only an operation. */
#ifndef VITRINE_CRYPTO_SIGNER_H
#define VITRINE_CRYPTO_SIGNER_H

#include "base/st.h"
#include "crypto/ed25519.h"
#include "crypto/mldsa44.h"

#include <stddef.h>
#include <stdint.h>

enum signer_alg { SIGNER_ED25519, SIGNER_MLDSA44 };

#define SIGNER_PUBLIC_MAX MLDSA44_PUBLIC
#define SIGNER_SIGNATURE_MAX MLDSA44_SIGNATURE

struct signer;

struct signer_ops {
	/* Writes a signature of signer_signature_size() bytes. Safe to call from several threads. */
	st_t (*sign)(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig,
	             struct err *e);
	/* Zeroises what is secret and frees everything, `s` too. */
	void (*free)(struct signer *s);
};

struct signer {
	const struct signer_ops *ops;
	enum signer_alg alg;
	uint8_t pub[SIGNER_PUBLIC_MAX];
	size_t npub;
};

/* Makes one of a 32-byte seed, which the caller still owns (and zeroises). ST_UNSUPPORTED: no such
 * algorithm in this libcrypto. ST_NOMEM. */
st_t signer_new(enum signer_alg alg, const uint8_t seed[32], struct signer **ret, struct err *e);
void signer_free(struct signer *s);

st_t signer_sign(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig,
                 struct err *e);
size_t signer_signature_size(const struct signer *s);

#endif
