#include "crypto/evp.h"

#include <openssl/err.h>
#include <openssl/x509.h>

st_t evp_read_spki(const uint8_t *spki, size_t n, size_t max, evp_key_fn *check, EVP_PKEY **ret,
                   struct err *e)
{
	const unsigned char *p = spki;
	EVP_PKEY *key = n <= max ? d2i_PUBKEY(NULL, &p, (long)n) : NULL;
	ERR_clear_error();
	if (!key)
		return fail(e, ST_MALFORMED, 0, "a public key that is not a DER SubjectPublicKeyInfo");
	st_t st = p == spki + n ? check(key, n, e)
	                        : fail(e, ST_MALFORMED, 0, "bytes behind a SubjectPublicKeyInfo");
	ERR_clear_error();
	if (st != ST_OK)
		EVP_PKEY_free(key);
	else
		*ret = key;
	return st;
}

st_t evp_verify(EVP_PKEY *key, evp_verify_fn *verify, const struct evp_signed *s, const char *name,
                st_t cannot, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = key && ctx ? verify(key, ctx, s) : -1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok == 1)
		return ST_OK;
	if (ok < 0)
		return fail(e, cannot, 0, "libcrypto: %s cannot start", name);
	return fail(e, ST_BAD_SIG, 0, "the %s signature is not of this key and text", name);
}
