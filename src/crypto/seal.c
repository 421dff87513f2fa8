#include "crypto/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>

#define KEY 32

/* What libcrypto counts besides the 128 * N * r bytes: 128 * r * p and a bit. */
#define SCRYPT_OVERHEAD ((uint64_t)1 << 20)

st_t scrypt_cost_check(const struct scrypt_cost *c, struct err *e)
{
	/* RFC 7914, section 2: "N [...] must be larger than 1, a power of 2, and less than
	 * 2^(128 * r / 8)". The limits below keep N under that for r > 1. */
	if (c->n < 2 || (c->n & (c->n - 1)))
		return fail(e, ST_MALFORMED, 0, "scrypt: N is not a power of 2 above 1 (RFC 7914)");
	if (!c->r || !c->p || (c->r == 1 && c->n >= (uint64_t)1 << 16))
		return fail(e, ST_MALFORMED, 0, "scrypt: r or p does not go with N (RFC 7914)");
	if (c->r > SCRYPT_R_MAX || c->p > SCRYPT_P_MAX)
		return fail(e, ST_LIMIT, 0, "scrypt: r is above %u or p above %u", SCRYPT_R_MAX,
		            SCRYPT_P_MAX);
	if (c->n > SCRYPT_MEMORY_MAX / 128 / c->r)
		return fail(e, ST_LIMIT, 0, "scrypt: N and r ask for more than %u MiB of memory",
		            (unsigned)(SCRYPT_MEMORY_MAX >> 20));
	if (c->n > SCRYPT_BLOCKS_MAX / c->r / c->p)
		return fail(e, ST_LIMIT, 0, "scrypt: N, r and p ask for too much work");
	return ST_OK;
}

st_t scrypt_derive(const struct scrypt_cost *c, const void *pass, size_t npass, const void *salt,
                   size_t nsalt, uint8_t *ret, size_t nret, struct err *e)
{
	TRY(scrypt_cost_check(c, e));
	int ok = EVP_PBE_scrypt(pass, npass, salt, nsalt, c->n, c->r, c->p,
	                        SCRYPT_MEMORY_MAX + SCRYPT_OVERHEAD, ret, nret);
	ERR_clear_error();
	if (ok != 1)
		return fail(e, ST_NOMEM, 0, "scrypt: no %llu MiB of memory for it",
		            (unsigned long long)(c->n * c->r >> 13));
	return ST_OK;
}

static bool encrypt(EVP_CIPHER_CTX *x, const uint8_t *key, const struct seal *s, const void *clear,
                    int nclear, const uint8_t *text, int n, uint8_t *ret)
{
	int k = 0, end = 0;
	return EVP_EncryptInit_ex(x, EVP_chacha20_poly1305(), NULL, key, s->nonce) == 1 &&
	       EVP_EncryptUpdate(x, NULL, &k, clear, nclear) == 1 &&
	       EVP_EncryptUpdate(x, ret, &k, text, n) == 1 && k == n &&
	       EVP_EncryptFinal_ex(x, ret + k, &end) == 1 && end == 0 &&
	       EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, ret + n) == 1;
}

/* 1: as it was sealed; 0: not; -1: libcrypto could not start. */
static int decrypt(EVP_CIPHER_CTX *x, const uint8_t *key, const struct seal *s, const void *clear,
                   int nclear, const uint8_t *sealed, int n, uint8_t *ret)
{
	int k = 0, end = 0, ntext = n - SEAL_TAG;
	uint8_t tag[SEAL_TAG];
	for (int i = 0; i < SEAL_TAG; i++)
		tag[i] = sealed[ntext + i];
	if (EVP_DecryptInit_ex(x, EVP_chacha20_poly1305(), NULL, key, s->nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) != 1 ||
	    EVP_DecryptUpdate(x, NULL, &k, clear, nclear) != 1 ||
	    EVP_DecryptUpdate(x, ret, &k, sealed, ntext) != 1)
		return -1;
	return k == ntext && EVP_DecryptFinal_ex(x, ret + k, &end) == 1 && end == 0;
}

st_t seal_close(const struct seal *s, const void *pass, size_t npass, const void *clear,
                size_t nclear, const uint8_t *text, size_t n, uint8_t *ret, struct err *e)
{
	uint8_t key[KEY];
	if (nclear > INT_MAX || n > INT_MAX - SEAL_TAG)
		return fail(e, ST_LIMIT, 0, "too much to encrypt");
	TRY(scrypt_derive(&s->cost, pass, npass, s->salt, sizeof s->salt, key, sizeof key, e));
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	bool ok = x && encrypt(x, key, s, clear, (int)nclear, text, (int)n, ret);
	EVP_CIPHER_CTX_free(x);
	OPENSSL_cleanse(key, sizeof key);
	ERR_clear_error();
	return ok ? ST_OK : fail(e, ST_NOMEM, 0, "libcrypto: ChaCha20-Poly1305 failed");
}

st_t seal_open(const struct seal *s, const void *pass, size_t npass, const void *clear,
               size_t nclear, const uint8_t *sealed, size_t n, uint8_t *ret, struct err *e)
{
	uint8_t key[KEY];
	if (nclear > INT_MAX || n > INT_MAX)
		return fail(e, ST_LIMIT, 0, "too much to decrypt");
	if (n < SEAL_TAG)
		return fail(e, ST_TRUNCATED, 0, "shorter than its authentication tag");
	TRY(scrypt_derive(&s->cost, pass, npass, s->salt, sizeof s->salt, key, sizeof key, e));
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int ok = x ? decrypt(x, key, s, clear, (int)nclear, sealed, (int)n, ret) : -1;
	EVP_CIPHER_CTX_free(x);
	OPENSSL_cleanse(key, sizeof key);
	ERR_clear_error();
	if (ok == 1)
		return ST_OK;
	OPENSSL_cleanse(ret, n - SEAL_TAG);
	return ok < 0 ? fail(e, ST_NOMEM, 0, "libcrypto: ChaCha20-Poly1305 failed")
	              : fail(e, ST_BAD_SUM, 0, "another passphrase, or something was changed");
}
