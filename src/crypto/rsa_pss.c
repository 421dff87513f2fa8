#include "crypto/rsa_pss.h"

#include "crypto/evp.h"

#include <openssl/rsa.h>

/* A modulus of RSA_PSS_BITS_MAX, an exponent and what is around them. */
#define SPKI_MAX (2 * RSA_PSS_BITS_MAX / 8 + 100)

static st_t check(const EVP_PKEY *key, size_t n, struct err *e)
{
	(void)n;
	if (!EVP_PKEY_is_a(key, "RSA"))
		return fail(e, ST_UNSUPPORTED, 0, "a public key that is not of RSA");
	int bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_PSS_BITS_MIN || bits > RSA_PSS_BITS_MAX)
		return fail(e, ST_UNSUPPORTED, 0, "an RSA key of %d bits; %d to %d are allowed", bits,
		            RSA_PSS_BITS_MIN, RSA_PSS_BITS_MAX);
	return ST_OK;
}

st_t rsa_pss_check_key(const uint8_t *spki, size_t n, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(evp_read_spki(spki, n, SPKI_MAX, check, &key, e));
	EVP_PKEY_free(key);
	return ST_OK;
}

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const struct evp_signed *s)
{
	EVP_PKEY_CTX *k = NULL;
	if (EVP_DigestVerifyInit_ex(ctx, &k, "SHA256", NULL, NULL, key, NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(k, "SHA256", NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(k, RSA_PSS_SALTLEN_AUTO) != 1)
		return -1;
	/* A signature of a wrong length is an error (-1) to libcrypto, and a wrong one here. */
	return EVP_DigestVerify(ctx, s->sig, s->nsig, s->msg, s->n) == 1;
}

st_t rsa_pss_verify(const uint8_t *spki, size_t nspki, const void *msg, size_t n,
                    const uint8_t *sig, size_t nsig, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(evp_read_spki(spki, nspki, SPKI_MAX, check, &key, e));
	struct evp_signed what = {msg, n, sig, nsig};
	return evp_verify(key, verify, &what, "RSA-PSS", ST_NOMEM, e);
}
