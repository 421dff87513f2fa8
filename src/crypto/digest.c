#include "crypto/digest.h"

#include <openssl/evp.h>

static EVP_MD *fetched[DIGEST_KINDS];

size_t digest_size(enum digest_kind kind)
{
	static const size_t size[DIGEST_KINDS] = {16, 20, 32};
	return size[kind];
}

const char *digest_name(enum digest_kind kind)
{
	static const char *const name[DIGEST_KINDS] = {"md5", "sha1", "sha256"};
	return name[kind];
}

static const EVP_MD *algorithm(enum digest_kind kind)
{
	if (!fetched[kind])
		fetched[kind] = EVP_MD_fetch(NULL, digest_name(kind), NULL);
	return fetched[kind];
}

st_t digest_preload(struct err *e)
{
	for (enum digest_kind k = 0; k < DIGEST_KINDS; k++)
		if (!algorithm(k))
			return fail(e, ST_UNSUPPORTED, 0, "libcrypto: no %s", digest_name(k));
	uint8_t tmp[DIGEST_MAX];
	return digest_bytes(DIGEST_SHA256, "", 0, tmp, e);
}

st_t digest_init(struct digest *d, enum digest_kind kind, struct err *e)
{
	const EVP_MD *md = algorithm(kind);
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx && md && EVP_DigestInit_ex2(d->ctx, md, NULL) == 1)
		return ST_OK;
	digest_done(d);
	return fail(e, ST_NOMEM, 0, "libcrypto: %s cannot start", digest_name(kind));
}

st_t digest_add(struct digest *d, const void *p, size_t n, struct err *e)
{
	if (EVP_DigestUpdate(d->ctx, p, n) != 1)
		return fail(e, ST_NOMEM, 0, "libcrypto: digest failed");
	return ST_OK;
}

st_t digest_end(struct digest *d, uint8_t *ret, struct err *e)
{
	int ok = EVP_DigestFinal_ex(d->ctx, ret, NULL);
	digest_done(d);
	return ok == 1 ? ST_OK : fail(e, ST_NOMEM, 0, "libcrypto: digest failed");
}

void digest_done(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

st_t digest_bytes(enum digest_kind kind, const void *p, size_t n, uint8_t *ret, struct err *e)
{
	struct digest d = {0};
	TRY(digest_init(&d, kind, e));
	st_t st = digest_add(&d, p, n, e);
	if (st != ST_OK) {
		digest_done(&d);
		return st;
	}
	return digest_end(&d, ret, e);
}

void hex_encode(const uint8_t *p, size_t n, char *ret)
{
	static const char digit[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digit[p[i] >> 4];
		ret[2 * i + 1] = digit[p[i] & 15];
	}
	ret[2 * n] = '\0';
}
