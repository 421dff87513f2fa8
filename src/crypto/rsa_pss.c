#include "crypto/rsa_pss.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* A modulus of RSA_PSS_BITS_MAX, an exponent and what is around them. */
#define SPKI_MAX (2 * RSA_PSS_BITS_MAX / 8 + 100)

static st_t check(const EVP_PKEY *key, struct err *e)
{
	if (!EVP_PKEY_is_a(key, "RSA"))
		return fail(e, ST_UNSUPPORTED, 0, "a public key that is not of RSA");
	int bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_PSS_BITS_MIN || bits > RSA_PSS_BITS_MAX)
		return fail(e, ST_UNSUPPORTED, 0, "an RSA key of %d bits; %d to %d are allowed", bits,
		            RSA_PSS_BITS_MIN, RSA_PSS_BITS_MAX);
	return ST_OK;
}

/* The key, which the caller frees. */
static st_t read_key(const uint8_t *spki, size_t n, EVP_PKEY **ret, struct err *e)
{
	const unsigned char *p = spki;
	EVP_PKEY *key = n <= SPKI_MAX ? d2i_PUBKEY(NULL, &p, (long)n) : NULL;
	ERR_clear_error();
	if (!key)
		return fail(e, ST_MALFORMED, 0, "a public key that is not a DER SubjectPublicKeyInfo");
	st_t st = p == spki + n ? check(key, e)
	                        : fail(e, ST_MALFORMED, 0, "bytes behind a SubjectPublicKeyInfo");
	ERR_clear_error();
	if (st != ST_OK)
		EVP_PKEY_free(key);
	else
		*ret = key;
	return st;
}

st_t rsa_pss_check_key(const uint8_t *spki, size_t n, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(read_key(spki, n, &key, e));
	EVP_PKEY_free(key);
	return ST_OK;
}

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const void *msg, size_t n, const uint8_t *sig,
                  size_t nsig)
{
	EVP_PKEY_CTX *k = NULL;
	if (EVP_DigestVerifyInit_ex(ctx, &k, "SHA256", NULL, NULL, key, NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(k, "SHA256", NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(k, RSA_PSS_SALTLEN_AUTO) != 1)
		return -1;
	/* A signature of a wrong length is an error (-1) to libcrypto, and a wrong one here. */
	return EVP_DigestVerify(ctx, sig, nsig, msg, n) == 1;
}

st_t rsa_pss_verify(const uint8_t *spki, size_t nspki, const void *msg, size_t n,
                    const uint8_t *sig, size_t nsig, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(read_key(spki, nspki, &key, e));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx ? verify(key, ctx, msg, n, sig, nsig) : -1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok == 1)
		return ST_OK;
	if (ok < 0)
		return fail(e, ST_NOMEM, 0, "libcrypto: RSA-PSS cannot start");
	return fail(e, ST_BAD_SIG, 0, "the RSA-PSS signature is not of this key and text");
}
