#include "crypto/mldsa44.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

bool mldsa44_available(void)
{
	return true;
}

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const void *msg, size_t n, const uint8_t *sig)
{
	if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) != 1)
		return -1;
	return EVP_DigestVerify(ctx, sig, MLDSA44_SIGNATURE, msg, n);
}

st_t mldsa44_verify(const uint8_t pub[MLDSA44_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[MLDSA44_SIGNATURE], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ML-DSA-44", NULL, pub, MLDSA44_PUBLIC);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = key && ctx ? verify(key, ctx, msg, n, sig) : -1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok == 1)
		return ST_OK;
	if (ok < 0)
		return fail(e, ST_UNSUPPORTED, 0, "libcrypto: ML-DSA-44 cannot start");
	return fail(e, ST_BAD_SIG, 0, "the ML-DSA-44 signature is not of this key and text");
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
