#include "attest/dsse.h"

#include "attest/base64.h"
#include "attest/json.h"
#include "tlog/text.h"

#include <stdio.h>
#include <string.h>

static const char what[] = "DSSE envelope";

void dsse_done(struct dsse *d)
{
	buf_done(&d->type);
	buf_done(&d->payload);
	buf_done(&d->sigs);
	d->nsigs = 0;
}

static st_t take_base64(const json_t *o, const char *key, struct buf *out, struct err *e)
{
	const char *text;
	TRY(attest_json_text(o, key, what, &text, e));
	if (!attest_base64(rd_make(text, strlen(text)), out))
		return fail(e, ST_MALFORMED, 0, "%s: \"%s\" is no base64 with padding", what, key);
	return buf_check(out, e, what);
}

static st_t take_type(const json_t *o, struct dsse *d, struct err *e)
{
	const char *text;
	TRY(attest_json_text(o, "payloadType", what, &text, e));
	size_t n = strlen(text);
	if (n == 0 || n > DSSE_TYPE_MAX)
		return fail(e, ST_MALFORMED, 0, "%s: \"payloadType\" is empty or too long", what);
	buf_add(&d->type, text, n + 1);
	TRY(buf_check(&d->type, e, what));
	d->type.len = n;
	return ST_OK;
}

static st_t take_signature(const json_t *o, struct dsse *d, struct err *e)
{
	if (!json_is_object(o))
		return fail(e, ST_MALFORMED, 0, "%s: a signature is not an object", what);
	const json_t *keyid = json_object_get(o, "keyid");
	if (keyid && !json_is_string(keyid))
		return fail(e, ST_MALFORMED, 0, "%s: \"keyid\" is not a text", what);
	size_t off = d->sigs.len;
	TRY(take_base64(o, "sig", &d->sigs, e));
	d->sig[d->nsigs].off = off;
	d->sig[d->nsigs].n = d->sigs.len - off;
	d->nsigs++;
	return ST_OK;
}

static st_t take_members(const json_t *o, struct dsse *d, struct err *e)
{
	const json_t *sigs;
	TRY(take_base64(o, "payload", &d->payload, e));
	TRY(take_type(o, d, e));
	TRY(attest_json_array(o, "signatures", what, &sigs, e));
	size_t n = json_array_size(sigs);
	if (n == 0)
		return fail(e, ST_MALFORMED, 0, "%s: no signature", what);
	if (n > DSSE_SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "%s: more than %d signatures", what, DSSE_SIGNATURES_MAX);
	for (size_t i = 0; i < n; i++)
		TRY(take_signature(json_array_get(sigs, i), d, e));
	return ST_OK;
}

st_t dsse_parse(struct rd in, struct dsse *ret, struct err *e)
{
	json_t *o;
	*ret = (struct dsse){0};
	TRY(attest_json_load(in, DSSE_SIZE_MAX, what, &o, e));
	st_t st = take_members(o, ret, e);
	json_decref(o);
	return st;
}

static void add_counted(struct buf *out, struct rd r)
{
	char n[24];
	int len = snprintf(n, sizeof n, " %zu ", rd_left(&r));
	buf_add(out, n, (size_t)len);
	buf_add(out, r.base + r.pos, rd_left(&r));
}

void dsse_pae(struct rd type, struct rd payload, struct buf *out)
{
	buf_add(out, "DSSEv1", 6);
	add_counted(out, type);
	add_counted(out, payload);
}

/* Whether one of the signatures is of the key; ret_yes only with ST_OK. */
static st_t signed_by(const struct dsse *d, const struct attest_key *k, const struct buf *pae,
                      bool *ret_yes, struct err *e)
{
	struct rd sigs = rd_make(d->sigs.data, d->sigs.len);
	bool yes = false;
	for (size_t i = 0; i < d->nsigs && !yes; i++) {
		struct rd sig = rd_at(&sigs, d->sig[i].off, d->sig[i].n);
		st_t st = attest_key_verify(k, pae->data, pae->len, sig, NULL);
		if (st < ST_OK)
			return fail(e, st, 0, "%s: a signature could not be checked", what);
		yes = st == ST_OK;
	}
	*ret_yes = yes;
	return ST_OK;
}

st_t dsse_verify(const struct dsse *d, const struct attest_key *keys, size_t nkeys,
                 bool *ret_signed, size_t *ret_n, struct err *e)
{
	struct buf pae = {0};
	dsse_pae(rd_make(d->type.data, d->type.len), rd_make(d->payload.data, d->payload.len), &pae);
	st_t st = buf_check(&pae, e, what);
	size_t n = 0;
	for (size_t i = 0; i < nkeys && st == ST_OK; i++) {
		st = signed_by(d, &keys[i], &pae, &ret_signed[i], e);
		n += st == ST_OK && ret_signed[i];
	}
	buf_done(&pae);
	if (st == ST_OK)
		*ret_n = n;
	return st;
}

static bool type_is_plain(const char *type)
{
	size_t n = strlen(type);
	for (size_t i = 0; i < n; i++)
		if (type[i] < 0x20 || type[i] > 0x7e || type[i] == '"' || type[i] == '\\')
			return false;
	return n > 0 && n <= DSSE_TYPE_MAX;
}

static st_t add_signature(const struct signer *s, const struct buf *pae, struct buf *out,
                          struct err *e)
{
	uint8_t sig[SIGNER_SIGNATURE_MAX];
	if (s->alg != SIGNER_ED25519)
		return fail(e, ST_UNSUPPORTED, 0, "%s: only Ed25519 keys sign", what);
	TRY(signer_sign(s, pae->data, pae->len, sig, e));
	buf_text(out, "{\"sig\":\"");
	text_base64_add(out, sig, signer_signature_size(s));
	buf_text(out, "\"}");
	return ST_OK;
}

static st_t add_signatures(const struct buf *pae, struct signer *const *signers, size_t nsigners,
                           struct buf *out, struct err *e)
{
	TRY(buf_check(pae, e, what));
	for (size_t i = 0; i < nsigners; i++) {
		buf_text(out, i ? "," : "");
		TRY(add_signature(signers[i], pae, out, e));
	}
	return ST_OK;
}

st_t dsse_make(const char *type, struct rd payload, struct signer *const *signers, size_t nsigners,
               struct buf *out, struct err *e)
{
	if (!type_is_plain(type))
		return fail(e, ST_MALFORMED, 0, "%s: a payload type is plain ASCII", what);
	if (nsigners == 0 || nsigners > DSSE_SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "%s: 1 to %d signatures", what, DSSE_SIGNATURES_MAX);
	struct buf pae = {0};
	size_t start = out->len;
	dsse_pae(rd_make(type, strlen(type)), payload, &pae);
	buf_text(out, "{\"payload\":\"");
	text_base64_add(out, payload.base + payload.pos, rd_left(&payload));
	buf_text(out, "\",\"payloadType\":\"");
	buf_text(out, type);
	buf_text(out, "\",\"signatures\":[");
	st_t st = add_signatures(&pae, signers, nsigners, out, e);
	buf_text(out, "]}");
	buf_done(&pae);
	TRY(st);
	TRY(buf_check(out, e, what));
	if (out->len - start > DSSE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "%s: more than %u bytes", what, DSSE_SIZE_MAX);
	return ST_OK;
}
