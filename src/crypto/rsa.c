#include "crypto/rsa.h"

#include "crypto/digest.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <string.h>

#define HASH 32
#define SALT 32
#define DB (RSA_PSS_BYTES - HASH - 1)

struct numbers {
	BIGNUM *s, *n, *e, *m;
	BN_CTX *ctx;
};

static void numbers_done(struct numbers *x)
{
	BN_free(x->s);
	BN_free(x->n);
	BN_free(x->e);
	BN_free(x->m);
	BN_CTX_free(x->ctx);
}

static bool numbers_init(struct numbers *x, const struct rsa_key *key, const uint8_t *s, size_t ns)
{
	*x = (struct numbers){.s = BN_bin2bn(s, (int)ns, NULL), .e = BN_new(), .m = BN_new(),
	                      .ctx = BN_CTX_new()};
	return x->s && x->e && x->m && x->ctx && BN_dec2bn(&x->n, key->n) > 0 &&
	       BN_set_word(x->e, key->e) == 1;
}

static st_t open_numbers(struct numbers *x, uint8_t *ret, size_t size, struct err *e)
{
	if (BN_cmp(x->s, x->n) >= 0)
		return fail(e, ST_BAD_SUM, 0, "signature is no number below the key's modulus");
	if (BN_mod_exp(x->m, x->s, x->e, x->n, x->ctx) != 1)
		return fail(e, ST_NOMEM, 0, "libcrypto: RSA failed");
	if (BN_bn2binpad(x->m, ret, (int)size) < 0)
		return fail(e, ST_BAD_SUM, 0, "signature is not by the expected key");
	return ST_OK;
}

st_t rsa_open(const struct rsa_key *key, const uint8_t *s, size_t ns, uint8_t *ret, size_t size,
              struct err *e)
{
	struct numbers x;
	if (ns > RSA_BYTES_MAX)
		return fail(e, ST_BAD_SUM, 0, "signature of %zu bytes", ns);
	st_t st = numbers_init(&x, key, s, ns) ? open_numbers(&x, ret, size, e)
	                                       : fail(e, ST_NOMEM, 0, "libcrypto: out of memory");
	numbers_done(&x);
	return st;
}

/* MGF1 (RFC 8017, B.2.1), XORed to `db`. */
static st_t unmask(const uint8_t seed[HASH], uint8_t db[DB], struct err *e)
{
	uint8_t in[HASH + 4], mask[HASH];
	memcpy(in, seed, HASH);
	for (uint32_t i = 0; i * HASH < DB; i++) {
		memcpy(in + HASH, (const uint8_t[4]){0, 0, 0, (uint8_t)i}, 4);
		TRY(digest_bytes(DIGEST_SHA256, in, sizeof in, mask, e));
		for (size_t k = 0; k < HASH && i * HASH + k < DB; k++)
			db[i * HASH + k] ^= mask[k];
	}
	return ST_OK;
}

/* DB = zeroes, 0x01, salt. */
static bool padded(const uint8_t db[DB])
{
	uint8_t bad = db[DB - SALT - 1] ^ 1;
	for (size_t i = 0; i < DB - SALT - 1; i++)
		bad |= db[i];
	return !bad;
}

st_t rsa_pss_check(const struct rsa_key *key, const uint8_t *s, size_t ns, const uint8_t digest[32],
                   struct err *e)
{
	uint8_t em[RSA_PSS_BYTES], in[8 + HASH + SALT] = {0}, sum[HASH];
	TRY(rsa_open(key, s, ns, em, sizeof em, e));
	TRY(unmask(em + DB, em, e));
	em[0] &= 0x7f;
	memcpy(in + 8, digest, HASH);
	memcpy(in + 8 + HASH, em + DB - SALT, SALT);
	TRY(digest_bytes(DIGEST_SHA256, in, sizeof in, sum, e));
	if (em[RSA_PSS_BYTES - 1] != 0xbc || !padded(em) || memcmp(sum, em + DB, HASH))
		return fail(e, ST_BAD_SUM, 0, "signature is not by the expected key");
	return ST_OK;
}
