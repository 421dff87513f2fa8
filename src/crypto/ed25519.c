#include "crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const void *msg, size_t n, const uint8_t *sig)
{
	if (EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
		return -1;
	return EVP_DigestVerify(ctx, sig, ED25519_SIGNATURE, msg, n);
}

st_t ed25519_verify(const uint8_t pub[ED25519_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[ED25519_SIGNATURE], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, ED25519_PUBLIC);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = key && ctx ? verify(key, ctx, msg, n, sig) : -1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok == 1)
		return ST_OK;
	if (ok < 0)
		return fail(e, ST_NOMEM, 0, "libcrypto: Ed25519 cannot start");
	return fail(e, ST_BAD_SIG, 0, "the Ed25519 signature is not of this key and text");
}
