#include "crypto/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* A key held by libcrypto, which zeroises it when it is freed. */
struct memory_signer {
	struct signer s;
	EVP_PKEY *key;
};

static st_t memory_sign(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig,
                        struct err *e)
{
	const struct memory_signer *m = (const struct memory_signer *)s;
	size_t len = signer_signature_size(s);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, m->key) == 1 &&
	         EVP_DigestSign(ctx, ret_sig, &len, msg, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!ok || len != signer_signature_size(s))
		return fail(e, ST_NOMEM, 0, "libcrypto: signing failed");
	return ST_OK;
}

static void memory_free(struct signer *s)
{
	struct memory_signer *m = (struct memory_signer *)s;
	EVP_PKEY_free(m->key);
	free(m);
}

static const struct signer_ops memory_ops = {.sign = memory_sign, .free = memory_free};

static EVP_PKEY *key_of_seed(enum signer_alg alg, const uint8_t seed[32])
{
	if (alg == SIGNER_ED25519)
		return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED);
	return mldsa44_key(seed);
}

st_t signer_new(enum signer_alg alg, const uint8_t seed[32], struct signer **ret, struct err *e)
{
	if (alg == SIGNER_MLDSA44 && !mldsa44_available())
		return fail(e, ST_UNSUPPORTED, 0, "ML-DSA-44 needs libcrypto 3.5 or later");
	struct memory_signer *m = calloc(1, sizeof *m);
	if (!m)
		return fail(e, ST_NOMEM, 0, "key: out of memory");
	m->s = (struct signer){.ops = &memory_ops, .alg = alg, .npub = sizeof m->s.pub};
	m->key = key_of_seed(alg, seed);
	if (m->key && EVP_PKEY_get_raw_public_key(m->key, m->s.pub, &m->s.npub) == 1) {
		*ret = &m->s;
		return ST_OK;
	}
	ERR_clear_error();
	memory_free(&m->s);
	return fail(e, ST_UNSUPPORTED, 0, "libcrypto: this key cannot be made");
}

void signer_free(struct signer *s)
{
	if (s)
		s->ops->free(s);
}

st_t signer_sign(const struct signer *s, const void *msg, size_t n, uint8_t *ret_sig,
                 struct err *e)
{
	return s->ops->sign(s, msg, n, ret_sig, e);
}

size_t signer_signature_size(const struct signer *s)
{
	return s->alg == SIGNER_ED25519 ? ED25519_SIGNATURE : MLDSA44_SIGNATURE;
}
