#include "tlog/note.h"

#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "tlog/text.h"

#include <stdio.h>
#include <string.h>

/* name || 0x0A || type || key */
#define ID_INPUT_MAX (NOTE_NAME_MAX + 2 + NOTE_PUBLIC_MAX)

static uint32_t first_four(const uint8_t sum[DIGEST_MAX])
{
	struct rd r = rd_make(sum, DIGEST_MAX);
	return rd_u32be(&r);
}

/* "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]" */
static st_t id_of(const struct note_key *k, const uint8_t *key, size_t n, uint32_t *ret,
                  struct err *e)
{
	uint8_t in[ID_INPUT_MAX], sum[DIGEST_MAX];
	size_t name = strlen(k->name);
	memcpy(in, k->name, name);
	in[name] = '\n';
	in[name + 1] = (uint8_t)k->type;
	memcpy(in + name + 2, key, n);
	TRY(digest_bytes(DIGEST_SHA256, in, name + 2 + n, sum, e));
	*ret = first_four(sum);
	return ST_OK;
}

/* Of type 0x02 "the key ID for these signatures is the truncated SHA-256 hash of the DER encoded
 * public key in SPKI format"; of 0x05 it is the recommended one with "the 32-byte RFC 6962
 * `LogID`", the SHA-256 of the same, in place of the key. */
static st_t key_id(const struct note_key *k, uint32_t *ret, struct err *e)
{
	uint8_t sum[DIGEST_MAX];
	if (k->type != NOTE_ECDSA && k->type != NOTE_RFC6962)
		return id_of(k, k->pub, k->npub, ret, e);
	TRY(digest_bytes(DIGEST_SHA256, k->pub, k->npub, sum, e));
	if (k->type == NOTE_RFC6962)
		return id_of(k, sum, sizeof sum, ret, e);
	*ret = first_four(sum);
	return ST_OK;
}

/* Whether bytes are a key of its type, as far as that can be seen. */
static st_t check_public(const struct note_key *k, struct err *e)
{
	size_t want = k->type == NOTE_COSIGNATURE_MLDSA44 ? MLDSA44_PUBLIC : ED25519_PUBLIC;
	switch (k->type) {
	case NOTE_ED25519:
	case NOTE_COSIGNATURE_ED25519:
	case NOTE_COSIGNATURE_MLDSA44:
		if (k->npub != want)
			return fail(e, ST_MALFORMED, 0, "signed-note: a key of type 0x%02x has %zu bytes, "
			            "not %zu", k->type, k->npub, want);
		return ST_OK;
	case NOTE_ECDSA:
	case NOTE_RFC6962:
		return ecdsa_check_key(k->pub, k->npub, e);
	}
	return fail(e, ST_UNSUPPORTED, 0, "signed-note: keys of type 0x%02x are not known here",
	            k->type);
}

/* "the hex encoding of the key ID"; as every tool writes it, in lower case. */
static bool read_hex8(struct rd in, uint32_t *ret)
{
	uint32_t v = 0;
	if (rd_left(&in) != 8)
		return false;
	while (rd_left(&in)) {
		uint8_t c = rd_u8(&in);
		bool digit = c >= '0' && c <= '9';
		if (!digit && (c < 'a' || c > 'f'))
			return false;
		v = v << 4 | (uint32_t)(digit ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return true;
}

/* "base64(signature type || public key)" */
static st_t read_public(struct rd base64, struct note_key *k, struct err *e)
{
	uint8_t raw[1 + NOTE_PUBLIC_MAX];
	size_t n;
	if (!text_base64_check(base64, &n))
		return fail(e, ST_MALFORMED, base64.pos,
		            "signed-note: the key of a vkey is not base64 in its canonical form");
	if (!n)
		return fail(e, ST_MALFORMED, base64.pos, "signed-note: the key of a vkey is empty");
	if (!text_base64(base64, raw, sizeof raw, &n))
		return fail(e, ST_UNSUPPORTED, base64.pos,
		            "signed-note: keys of %zu bytes are not known here", n - 1);
	k->type = (enum note_type)raw[0];
	k->npub = n - 1;
	memcpy(k->pub, raw + 1, k->npub);
	return check_public(k, e);
}

static st_t read_name(struct rd name, struct note_key *k, struct err *e)
{
	if (!note_name_valid(name))
		return fail(e, ST_MALFORMED, 0, "signed-note: a key name must be 1 to %d bytes of UTF-8 "
		            "without spaces, control characters and plus", NOTE_NAME_MAX);
	rd_copy(&name, k->name, rd_left(&name));
	return ST_OK;
}

/* "composed of three parts separated by a plus (U+002B) character"; the third may have more of
 * them. */
st_t note_key_parse(struct rd vkey, struct note_key *ret, struct err *e)
{
	struct note_key k = {0};
	struct rd name, hex;
	uint32_t id;
	if (rd_left(&vkey) > VKEY_MAX)
		return fail(e, ST_MALFORMED, 0, "signed-note: a vkey is longer than %d bytes", VKEY_MAX);
	if (!text_until(&vkey, '+', &name) || !text_until(&vkey, '+', &hex))
		return fail(e, ST_MALFORMED, 0,
		            "signed-note: a vkey has three parts: name, key ID and key, joined by plus");
	TRY(read_name(name, &k, e));
	if (!read_hex8(hex, &k.id))
		return fail(e, ST_MALFORMED, 0,
		            "signed-note: the key ID of a vkey is not 8 hex digits in lower case");
	TRY(read_public(vkey, &k, e));
	TRY(key_id(&k, &id, e));
	if (id != k.id)
		return fail(e, ST_MALFORMED, 0,
		            "signed-note: the vkey says key ID %08x, its name and key give %08x", k.id, id);
	*ret = k;
	return ST_OK;
}

void note_key_format(const struct note_key *k, struct buf *out)
{
	uint8_t raw[1 + NOTE_PUBLIC_MAX];
	char hex[16];
	int n = snprintf(hex, sizeof hex, "+%08x+", k->id);
	raw[0] = (uint8_t)k->type;
	memcpy(raw + 1, k->pub, k->npub);
	buf_add(out, k->name, strlen(k->name));
	buf_add(out, hex, (size_t)n);
	text_base64_add(out, raw, 1 + k->npub);
}

bool note_key_equal(const struct note_key *a, const struct note_key *b)
{
	return a->type == b->type && strcmp(a->name, b->name) == 0 && a->npub == b->npub &&
	       memcmp(a->pub, b->pub, a->npub) == 0;
}

static bool type_fits(enum note_type type, enum signer_alg alg)
{
	if (alg == SIGNER_MLDSA44)
		return type == NOTE_COSIGNATURE_MLDSA44;
	return type == NOTE_ED25519 || type == NOTE_COSIGNATURE_ED25519;
}

st_t note_key_of_signer(const char *name, enum note_type type, const struct signer *s,
                        struct note_key *ret, struct err *e)
{
	struct note_key k = {.type = type, .npub = s->npub};
	if (!type_fits(type, s->alg) || s->npub > sizeof k.pub)
		return fail(e, ST_UNSUPPORTED, 0,
		            "signed-note: this key cannot make signatures of type 0x%02x", type);
	TRY(read_name(rd_make(name, strlen(name)), &k, e));
	memcpy(k.pub, s->pub, s->npub);
	TRY(check_public(&k, e));
	TRY(key_id(&k, &k.id, e));
	*ret = k;
	return ST_OK;
}
