#include "tuf/key.h"

#include "attest/key.h"
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/rsa_pss.h"
#include "tuf/hash.h"

#include <string.h>

/* SubjectPublicKeyInfo of P-256 up to the uncompressed point (RFC 5480). */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
#define P256_POINT 65

void tuf_key_done(struct tuf_key *k)
{
	buf_done(&k->pub);
}

static st_t read_ed25519(const char *pub, struct tuf_key *k, struct err *e)
{
	k->scheme = TUF_ED25519;
	if (strlen(pub) != 2 * ED25519_PUBLIC || !tuf_hex(pub, &k->pub))
		return fail(e, ST_MALFORMED, 0, "an Ed25519 key that is not 64 hex digits");
	return ST_OK;
}

static st_t read_spki(const char *pub, struct tuf_key *k, struct err *e)
{
	return attest_pem_spki(rd_make(pub, strlen(pub)), &k->pub, e);
}

static st_t read_ecdsa(const char *pub, bool old, struct tuf_key *k, struct err *e)
{
	k->scheme = TUF_ECDSA_P256;
	if (old && strlen(pub) == 2 * P256_POINT) {
		buf_add(&k->pub, p256_head, sizeof p256_head);
		if (!tuf_hex(pub, &k->pub))
			return fail(e, ST_MALFORMED, 0, "an ECDSA key that is neither PEM nor hex");
	} else {
		TRY(read_spki(pub, k, e));
	}
	if (k->pub.len != sizeof p256_head + P256_POINT ||
	    memcmp(k->pub.data, p256_head, sizeof p256_head))
		return fail(e, ST_UNSUPPORTED, 0, "an ECDSA key that is not an uncompressed one of P-256");
	return ecdsa_check_key(k->pub.data, k->pub.len, e);
}

st_t tuf_key_read(const struct tuf_value *v, struct tuf_key *ret, struct err *e)
{
	const char *type, *scheme, *pub;
	*ret = (struct tuf_key){0};
	TRY(tuf_take_text(v, "keytype", "key", &type, e));
	TRY(tuf_take_text(v, "scheme", "key", &scheme, e));
	TRY(tuf_take_text(tuf_member(v, "keyval"), "public", "key", &pub, e));
	bool old = strcmp(type, "ecdsa-sha2-nistp256") == 0;
	if (strcmp(type, "ed25519") == 0 && strcmp(scheme, "ed25519") == 0)
		return read_ed25519(pub, ret, e);
	if ((old || strcmp(type, "ecdsa") == 0) && strcmp(scheme, "ecdsa-sha2-nistp256") == 0)
		return read_ecdsa(pub, old, ret, e);
	if (strcmp(type, "rsa") || strcmp(scheme, "rsassa-pss-sha256"))
		return fail(e, ST_UNSUPPORTED, 0, "a key of type \"%.30s\", scheme \"%.30s\"", type,
		            scheme);
	ret->scheme = TUF_RSA_PSS;
	TRY(read_spki(pub, ret, e));
	return rsa_pss_check_key(ret->pub.data, ret->pub.len, e);
}

st_t tuf_key_print(const struct tuf_key *k, uint8_t ret[32], struct err *e)
{
	struct buf b = {0};
	buf_u8(&b, (uint8_t)k->scheme);
	buf_add(&b, k->pub.data, k->pub.len);
	st_t st = buf_check(&b, e, "key");
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, ret, e);
	buf_done(&b);
	return st;
}

st_t tuf_key_verify(const struct tuf_key *k, const struct buf *msg, const struct buf *sig,
                    struct err *e)
{
	const uint8_t *pub = k->pub.data;
	size_t n = k->pub.len;
	if (k->scheme == TUF_ECDSA_P256)
		return ecdsa_verify(pub, n, msg->data, msg->len, sig->data, sig->len, e);
	if (k->scheme == TUF_RSA_PSS)
		return rsa_pss_verify(pub, n, msg->data, msg->len, sig->data, sig->len, e);
	if (sig->len != ED25519_SIGNATURE)
		return fail(e, ST_BAD_SIG, 0, "not as long as an Ed25519 signature");
	return ed25519_verify(pub, msg->data, msg->len, sig->data, e);
}
