#include "crypto/sha512.h"

#include <openssl/evp.h>

st_t sha512_init(struct sha512 *d, struct err *e)
{
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha512(), NULL) == 1)
		return ST_OK;
	sha512_done(d);
	return fail(e, ST_NOMEM, 0, "libcrypto: SHA-512 cannot start");
}

st_t sha512_add(struct sha512 *d, const void *p, size_t n, struct err *e)
{
	if (EVP_DigestUpdate(d->ctx, p, n) != 1)
		return fail(e, ST_NOMEM, 0, "libcrypto: SHA-512 failed");
	return ST_OK;
}

st_t sha512_end(struct sha512 *d, uint8_t ret[SHA512_BYTES], struct err *e)
{
	int ok = EVP_DigestFinal_ex(d->ctx, ret, NULL);
	sha512_done(d);
	return ok == 1 ? ST_OK : fail(e, ST_NOMEM, 0, "libcrypto: SHA-512 failed");
}

void sha512_done(struct sha512 *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}
