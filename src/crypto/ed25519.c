#include "crypto/ed25519.h"

#include "crypto/evp.h"

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const struct evp_signed *s)
{
	if (EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
		return -1;
	return EVP_DigestVerify(ctx, s->sig, s->nsig, s->msg, s->n);
}

st_t ed25519_verify(const uint8_t pub[ED25519_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[ED25519_SIGNATURE], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, ED25519_PUBLIC);
	struct evp_signed what = {msg, n, sig, ED25519_SIGNATURE};
	return evp_verify(key, verify, &what, "Ed25519", ST_NOMEM, e);
}
