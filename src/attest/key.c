#include "attest/key.h"

#include "attest/base64.h"
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"

#include <string.h>

/* SEQUENCE { SEQUENCE { OID id-Ed25519 }, BIT STRING }, up to the 32 bytes of the key. */
static const uint8_t ed25519_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* SEQUENCE { SEQUENCE { OID id-ecPublicKey, OID prime256v1 }, BIT STRING }, up to the point, which
 * is 0x04 and two coordinates. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

static const char pem_begin[] = "-----BEGIN PUBLIC KEY-----";
static const char pem_end[] = "-----END PUBLIC KEY-----";

static bool is(const struct rd *r, const void *head, size_t nhead, size_t n)
{
	return rd_left(r) == n && rd_peek(r, head, nhead);
}

st_t attest_key_parse_spki(struct rd der, struct attest_key *ret, struct err *e)
{
	struct attest_key k = {.nspki = rd_left(&der)};
	if (is(&der, ed25519_head, sizeof ed25519_head, sizeof ed25519_head + ED25519_PUBLIC))
		k.alg = ATTEST_ED25519;
	else if (is(&der, p256_head, sizeof p256_head, ATTEST_SPKI_MAX))
		k.alg = ATTEST_ECDSA_P256;
	else
		return fail(e, ST_UNSUPPORTED, 0, "public key: neither Ed25519 nor ECDSA P-256");
	rd_copy(&der, k.spki, k.nspki);
	if (k.alg == ATTEST_ECDSA_P256)
		TRY(ecdsa_check_key(k.spki, k.nspki, e));
	*ret = k;
	return ST_OK;
}

/* Moves behind the text; false if it does not come. */
static bool find(struct rd *r, const char *text)
{
	size_t n = strlen(text);
	while (rd_left(r) >= n) {
		if (rd_peek(r, text, n)) {
			rd_skip(r, n);
			return true;
		}
		rd_skip(r, 1);
	}
	return false;
}

static st_t pem_text(struct rd *pem, struct buf *text, struct err *e)
{
	if (rd_left(pem) > ATTEST_KEY_FILE_MAX)
		return fail(e, ST_LIMIT, 0, "PEM: more than %zu bytes", ATTEST_KEY_FILE_MAX);
	if (!find(pem, pem_begin))
		return fail(e, ST_MALFORMED, 0, "PEM: no line \"%s\"", pem_begin);
	while (rd_left(pem) > 0 && !rd_peek(pem, pem_end, strlen(pem_end))) {
		uint8_t c = rd_u8(pem);
		if (c != '\n' && c != '\r')
			buf_u8(text, c);
	}
	if (rd_left(pem) == 0)
		return fail(e, ST_MALFORMED, 0, "PEM: no line \"%s\"", pem_end);
	return buf_check(text, e, "PEM");
}

st_t attest_pem_spki(struct rd pem, struct buf *out, struct err *e)
{
	struct buf text = {0};
	st_t st = pem_text(&pem, &text, e);
	if (st == ST_OK && !attest_base64(rd_make(text.data, text.len), out))
		st = fail(e, ST_MALFORMED, 0, "PEM: what is between the lines is no base64");
	buf_done(&text);
	return st == ST_OK ? buf_check(out, e, "PEM") : st;
}

st_t attest_key_parse_pem(struct rd pem, struct attest_key *ret, struct err *e)
{
	struct buf der = {0};
	st_t st = attest_pem_spki(pem, &der, e);
	if (st == ST_OK)
		st = attest_key_parse_spki(rd_make(der.data, der.len), ret, e);
	buf_done(&der);
	return st;
}

void attest_key_from_ed25519(const uint8_t pub[32], struct attest_key *ret)
{
	struct attest_key k = {.alg = ATTEST_ED25519, .nspki = sizeof ed25519_head + ED25519_PUBLIC};
	memcpy(k.spki, ed25519_head, sizeof ed25519_head);
	memcpy(k.spki + sizeof ed25519_head, pub, ED25519_PUBLIC);
	*ret = k;
}

bool attest_key_equal(const struct attest_key *a, const struct attest_key *b)
{
	return a->nspki == b->nspki && !memcmp(a->spki, b->spki, a->nspki);
}

st_t attest_key_id(const struct attest_key *k, uint8_t ret[32], struct err *e)
{
	return digest_bytes(DIGEST_SHA256, k->spki, k->nspki, ret, e);
}

st_t attest_key_verify(const struct attest_key *k, const void *msg, size_t n, struct rd sig,
                       struct err *e)
{
	if (k->alg == ATTEST_ED25519) {
		if (rd_left(&sig) != ED25519_SIGNATURE)
			return fail(e, ST_BAD_SIG, 0, "not as long as an Ed25519 signature");
		return ed25519_verify(k->spki + sizeof ed25519_head, msg, n,
		                      rd_take(&sig, ED25519_SIGNATURE), e);
	}
	size_t nsig = rd_left(&sig);
	return ecdsa_verify(k->spki, k->nspki, msg, n, rd_take(&sig, nsig), nsig, e);
}
