#include "crypto/mldsa44.h"

#include "crypto/evp.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

bool mldsa44_available(void)
{
	return true;
}

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const struct evp_signed *s)
{
	if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) != 1)
		return -1;
	return EVP_DigestVerify(ctx, s->sig, s->nsig, s->msg, s->n);
}

st_t mldsa44_verify(const uint8_t pub[MLDSA44_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[MLDSA44_SIGNATURE], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ML-DSA-44", NULL, pub, MLDSA44_PUBLIC);
	struct evp_signed what = {msg, n, sig, MLDSA44_SIGNATURE};
	return evp_verify(key, verify, &what, "ML-DSA-44", ST_UNSUPPORTED, e);
}

/* FIPS 204, algorithm 6: everything follows from the seed. */
void *mldsa44_key(const uint8_t seed[MLDSA44_SEED])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string("seed", (void *)(uintptr_t)seed, MLDSA44_SEED),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "ML-DSA-44", NULL);
	EVP_PKEY *key = NULL;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_params(ctx, params) == 1)
		(void)EVP_PKEY_generate(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return key;
}
