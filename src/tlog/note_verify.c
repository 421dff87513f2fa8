#include "crypto/ecdsa.h"
#include "tlog/message.h"
#include "tlog/text.h"

#include <string.h>

/* TLS 1.2's numbers (RFC 5246 section 7.4.1.4.1), which RFC 6962 uses. */
#define HASH_SHA256 4
#define SIGNATURE_ECDSA 3

static st_t check_length(const struct rd *sig, size_t want, struct err *e)
{
	if (rd_left(sig) != want)
		return fail(e, ST_MALFORMED, 0, "%zu bytes, not %zu", rd_left(sig), want);
	return ST_OK;
}

/* "Ed25519 signatures are generated according to RFC 8032 over the note text." */
static st_t verify_ed25519(struct rd text, struct rd sig, const struct note_key *k, struct err *e)
{
	size_t n = rd_left(&text);
	TRY(check_length(&sig, ED25519_SIGNATURE, e));
	return ed25519_verify(k->pub, rd_take(&text, n), n, rd_take(&sig, ED25519_SIGNATURE), e);
}

static st_t verify_ecdsa(struct rd text, struct rd sig, const struct note_key *k, struct err *e)
{
	size_t n = rd_left(&text), nsig = rd_left(&sig);
	return ecdsa_verify(k->pub, k->npub, rd_take(&text, n), n, rd_take(&sig, nsig), nsig, e);
}

/* "struct { u64 timestamp; ... signature; } timestamped_signature" */
static st_t verify_message(const struct buf *msg, struct rd sig, const struct note_key *k,
                           struct err *e)
{
	if (k->type == NOTE_COSIGNATURE_ED25519)
		return ed25519_verify(k->pub, msg->data, msg->len, rd_take(&sig, ED25519_SIGNATURE), e);
	return mldsa44_verify(k->pub, msg->data, msg->len, rd_take(&sig, MLDSA44_SIGNATURE), e);
}

static st_t verify_cosignature(struct rd text, struct rd sig, const struct note_key *k,
                               uint64_t *ret_time, struct err *e)
{
	bool ed25519 = k->type == NOTE_COSIGNATURE_ED25519;
	struct buf msg = {0};
	TRY(check_length(&sig, 8u + (ed25519 ? ED25519_SIGNATURE : MLDSA44_SIGNATURE), e));
	uint64_t time = rd_u64be(&sig);
	struct rd name = rd_make(k->name, strlen(k->name));
	st_t st = message_of_cosignature(text, k->type, name, time, &msg, e);
	if (st == ST_OK)
		st = verify_message(&msg, sig, k, e);
	buf_done(&msg);
	if (st == ST_OK)
		*ret_time = time;
	return st;
}

/* What static-ct-api asks of the checkpoint. */
static st_t check_tree_head(const struct checkpoint *c, const struct note_key *k, struct err *e)
{
	/* "The key name of the signature line MUST match the checkpoint origin line." */
	if (!text_is(c->origin, k->name))
		return fail(e, ST_MALFORMED, 0, "static-ct-api: the key name is not the origin");
	if (c->extensions.len)
		return fail(e, ST_MALFORMED, 0, "static-ct-api: a checkpoint \"signed with this algorithm "
		            "MUST NOT include any extension lines\"");
	return ST_OK;
}

/* "struct { uint64 timestamp; TreeHeadSignature signature; } RFC6962NoteSignature", the second in
 * the encoding of TLS 1.2: hash, algorithm, length, signature. */
static st_t verify_rfc6962(struct rd text, struct rd sig, const struct note_key *k, struct err *e)
{
	struct checkpoint c;
	struct buf msg = {0};
	TRY(checkpoint_parse(text, &c, e));
	TRY(check_tree_head(&c, k, e));
	uint64_t time_ms = rd_u64be(&sig);
	uint8_t hash = rd_u8(&sig);
	uint8_t alg = rd_u8(&sig);
	size_t n = rd_u16be(&sig);
	if (sig.bad || n != rd_left(&sig))
		return fail(e, ST_MALFORMED, 0, "static-ct-api: a signature of a wrong length");
	if (hash != HASH_SHA256 || alg != SIGNATURE_ECDSA)
		return fail(e, ST_UNSUPPORTED, 0, "static-ct-api: neither SHA-256 nor ECDSA");
	st_t st = message_of_tree_head(&c, time_ms, &msg, e);
	if (st == ST_OK)
		st = verify_ecdsa(rd_make(msg.data, msg.len), sig, k, e);
	buf_done(&msg);
	return st;
}

static st_t verify(struct rd text, struct rd sig, const struct note_key *k, uint64_t *ret_time,
                   struct err *e)
{
	switch (k->type) {
	case NOTE_ED25519: return verify_ed25519(text, sig, k, e);
	case NOTE_ECDSA: return verify_ecdsa(text, sig, k, e);
	case NOTE_RFC6962: return verify_rfc6962(text, sig, k, e);
	case NOTE_COSIGNATURE_ED25519:
	case NOTE_COSIGNATURE_MLDSA44: return verify_cosignature(text, sig, k, ret_time, e);
	}
	return fail(e, ST_UNSUPPORTED, 0, "keys of type 0x%02x are not known here", k->type);
}

/* "base64(32-bit key ID || signature)" of this very key. */
static st_t open_line(const struct note_signature *s, const struct note_key *k,
                      uint8_t raw[NOTE_SIGNATURE_MAX], struct rd *ret, struct err *e)
{
	size_t n;
	if (!text_base64(s->base64, raw, NOTE_SIGNATURE_MAX, &n))
		return fail(e, ST_MALFORMED, 0, "not base64 of at most %d bytes", NOTE_SIGNATURE_MAX);
	struct rd r = rd_make(raw, n);
	if (rd_u32be(&r) != k->id || !text_is(s->name, k->name))
		return fail(e, ST_BAD_SIG, 0, "the line is of another key");
	*ret = r;
	return rd_check(&r, e, "signed-note");
}

st_t note_verify(struct rd text, const struct note_signature *s, const struct note_key *k,
                 uint64_t *ret_time, struct err *e)
{
	uint8_t raw[NOTE_SIGNATURE_MAX];
	struct err why = {0};
	struct rd sig = rd_make(NULL, 0);
	uint64_t time = 0;
	st_t st = open_line(s, k, raw, &sig, &why);
	if (st == ST_OK)
		st = verify(text, sig, k, &time, &why);
	if (st != ST_OK)
		return fail(e, st, 0, "signature of %s: %s", k->name, why.text);
	*ret_time = time;
	return ST_OK;
}

st_t note_verify_key(const struct note *n, const struct note_key *k, uint64_t *ret_time,
                     struct err *e)
{
	const struct note_signature *latest;
	return note_verify_latest(n, k, &latest, ret_time, e);
}

st_t note_verify_latest(const struct note *n, const struct note_key *k,
                        const struct note_signature **ret, uint64_t *ret_time, struct err *e)
{
	const struct note_signature *latest = NULL;
	uint64_t time = 0;
	for (size_t i = 0; i < n->n; i++) {
		const struct note_signature *s = &n->sig[i];
		uint64_t t = 0;
		if (!note_is_of(s, k))
			continue;
		TRY(note_verify(n->text, s, k, &t, e));
		if (latest && t <= time)
			continue;
		latest = s;
		time = t;
	}
	if (!latest)
		return fail(e, ST_NOT_FOUND, 0, "no signature of %s", k->name);
	*ret = latest;
	*ret_time = time;
	return ST_OK;
}
