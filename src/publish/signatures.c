/* Signatures that come back from other machines: TUF metadata and DSSE envelopes.
 *
 * Two steps, so that no process that will hold keys takes foreign JSON apart: a child in a jail
 * reads the file (publish_signatures_read) and says in a flat form what is signed in it, by its
 * digest, and the signatures; the parent compares the digest with what is staged here and checks
 * each signature by the keys that it knows. Whatever the child says, it can only bring signatures
 * that are right.
 *
 *   OFFSET SIZE MEANING
 *   0      1    1: a DSSE envelope, 0: TUF metadata
 *   1      32   SHA-256 of the bytes that are signed: canonical form of "signed", or DSSE's PAE
 *   33     2    number of signatures
 *   35     ...  for each: 64 bytes of the key id (zeroes: none), 2 bytes length, the signature */
#include "attest/dsse.h"
#include "attest/statement.h"
#include "crypto/digest.h"
#include "publish/release.h"
#include "publish/repo_inside.h"
#include "tlog/text.h"
#include "tuf/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYID 64

/* Two roots' worth of signers. */
#define SIGNATURES_MAX (2 * PUBLISH_KEYS_MAX)

/* The longest that TUF has is of RSA with 4096 bits. */
#define SIGNATURE_MAX ((size_t)512)

struct signature {
	char keyid[KEYID + 1];
	struct rd sig;
};

struct signatures {
	bool dsse;
	uint8_t sha256[32];
	struct signature v[SIGNATURES_MAX];
	size_t n;
};

/* -- in the jail ------------------------------------------------------------------------------ */

static void put_head(struct buf *out, bool dsse, const uint8_t sha256[32], size_t n)
{
	buf_u8(out, dsse);
	buf_add(out, sha256, 32);
	buf_u16le(out, (uint16_t)n);
}

static void put_signature(struct buf *out, const char *keyid, const void *sig, size_t n)
{
	static const char none[KEYID];
	buf_add(out, keyid ? keyid : none, KEYID);
	buf_u16le(out, (uint16_t)n);
	buf_add(out, sig, n);
}

/* Places of signatures that nobody gave yet have an empty "sig". */
static st_t put_hex(const json_t *sig, struct buf *out, size_t *n, struct err *e)
{
	const char *id = json_string_value(json_object_get(sig, "keyid"));
	const char *hex = json_string_value(json_object_get(sig, "sig"));
	struct buf raw = {0};
	if (!hex || !hex[0])
		return ST_OK;
	if (!id || strlen(id) != KEYID)
		return fail(e, ST_BAD_SIG, 0, "a signature of the key %.64s, which may not sign this",
		            id ? id : "(none)");
	if (*n == SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d signatures", SIGNATURES_MAX);
	bool good = tuf_hex(hex, &raw) && !raw.oom && raw.len <= SIGNATURE_MAX;
	if (good)
		put_signature(out, id, raw.data, raw.len);
	buf_done(&raw);
	*n += 1;
	return good ? ST_OK : fail(e, ST_BAD_SIG, 0, "the signature of the key %.64s is wrong", id);
}

static st_t read_tuf(const json_t *doc, struct buf *out, struct err *e)
{
	struct buf msg = {0}, sigs = {0};
	uint8_t sha256[32];
	size_t i, n = 0;
	const json_t *sig;
	st_t st = publish_canonical(publish_md_signed(doc), &msg, e);
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, msg.data, msg.len, sha256, e);
	json_array_foreach(json_object_get(doc, "signatures"), i, sig)
		st = st == ST_OK ? put_hex(sig, &sigs, &n, e) : st;
	if (st == ST_OK) {
		put_head(out, false, sha256, n);
		buf_add(out, sigs.data, sigs.len);
		st = buf_check(&sigs, e, "signatures");
	}
	buf_done(&msg);
	buf_done(&sigs);
	return st;
}

static st_t pae_sha256(const struct dsse *d, uint8_t ret[32], struct err *e)
{
	struct buf pae = {0};
	dsse_pae(rd_make(d->type.data, d->type.len), rd_make(d->payload.data, d->payload.len), &pae);
	st_t st = buf_check(&pae, e, "DSSE envelope");
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, pae.data, pae.len, ret, e);
	buf_done(&pae);
	return st;
}

static st_t put_dsse(const struct dsse *d, struct buf *out, struct err *e)
{
	uint8_t sha256[32];
	TRY(pae_sha256(d, sha256, e));
	put_head(out, true, sha256, d->nsigs);
	for (size_t i = 0; i < d->nsigs; i++) {
		if (d->sig[i].n > SIGNATURE_MAX)
			return fail(e, ST_BAD_SIG, 0, "DSSE envelope: a signature is too long to be one");
		put_signature(out, NULL, d->sigs.data + d->sig[i].off, d->sig[i].n);
	}
	return ST_OK;
}

static st_t read_dsse(struct rd in, struct buf *out, struct err *e)
{
	struct dsse d;
	st_t st = dsse_parse(in, &d, e);
	if (st == ST_OK)
		st = put_dsse(&d, out, e);
	dsse_done(&d);
	return st;
}

st_t publish_signatures_read(struct rd in, struct buf *ret, struct err *e)
{
	json_auto_t *any = NULL, *doc = NULL;
	TRY(attest_json_load(in, TUF_TARGETS_MAX, "file", &any, e));
	const char *type = json_string_value(json_object_get(publish_md_signed(any), "_type"));
	if (!type && json_object_get(any, "payloadType"))
		TRY(read_dsse(in, ret, e));
	else if (!type)
		return fail(e, ST_UNSUPPORTED, 0, "neither TUF metadata nor a DSSE envelope");
	if (type) {
		TRY(publish_md_read(in, tuf_type_name(publish_role_type(type)), &doc, e));
		TRY(read_tuf(doc, ret, e));
	}
	return buf_check(ret, e, "signatures");
}

/* -- in the parent ---------------------------------------------------------------------------- */

static st_t parse(struct rd in, struct signatures *ret, struct err *e)
{
	ret->dsse = rd_u8(&in);
	rd_copy(&in, ret->sha256, sizeof ret->sha256);
	ret->n = rd_u16le(&in);
	if (ret->n > SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d signatures", SIGNATURES_MAX);
	for (size_t i = 0; i < ret->n; i++) {
		struct signature *s = &ret->v[i];
		rd_copy(&in, s->keyid, KEYID);
		s->keyid[KEYID] = '\0';
		s->sig = rd_sub(&in, rd_u16le(&in));
		if (rd_left(&s->sig) > SIGNATURE_MAX || strspn(s->keyid, "0123456789abcdef") % KEYID)
			return fail(e, ST_BAD_SIG, 0, "a signature that is none");
	}
	TRY(rd_check(&in, e, "signatures"));
	return rd_left(&in) ? fail(e, ST_MALFORMED, 0, "signatures: bytes behind the last one") : ST_OK;
}

static bool may_sign(const struct publish_who *w, size_t n, const char *id)
{
	bool may = false;
	for (size_t i = 0; i < n; i++)
		may = may || publish_who_has(&w[i], id);
	return may;
}

/* Whether all of them are of keys of the role. */
static bool fits(const struct publish_repo *r, const char *role, const struct signatures *s)
{
	struct publish_who who[2];
	size_t n = 0;
	bool all = publish_who(r, role, true, who, &n, NULL) == ST_OK;
	for (size_t i = 0; i < s->n && all; i++)
		all = may_sign(who, n, s->v[i].keyid);
	return all;
}

static st_t is_same(const json_t *doc, const uint8_t sha256[32], bool *ret, struct err *e)
{
	struct buf msg = {0};
	uint8_t sum[32];
	st_t st = publish_canonical(publish_md_signed(doc), &msg, e);
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, msg.data, msg.len, sum, e);
	buf_done(&msg);
	*ret = st == ST_OK && !memcmp(sum, sha256, sizeof sum);
	return st;
}

/* The staged role whose "signed" it is. Two new delegated roles without targets are the same bytes:
 * their signers tell them apart. */
static st_t find_same(const struct publish_repo *r, const struct signatures *s, const char **ret,
                      struct err *e)
{
	for (size_t i = 0; i < r->staged.n; i++) {
		const struct publish_md *m = &r->staged.v[i];
		bool same;
		TRY(is_same(m->doc, s->sha256, &same, e));
		if (same && (!*ret || fits(r, m->role, s)))
			*ret = m->role;
	}
	return *ret ? ST_OK : fail(e, ST_CONFLICT, 0, "what is signed here is not what is staged: it "
	                           "was changed, or staged anew since");
}

static st_t take_signature(const struct publish_who *w, size_t n, json_t *doc,
                           const struct signature *s, struct err *e)
{
	char hex[2 * SIGNATURE_MAX + 1];
	hex_encode(s->sig.base + s->sig.pos, rd_left(&s->sig), hex);
	for (size_t i = 0; i < n; i++)
		if (publish_who_has(&w[i], s->keyid))
			return publish_md_take(doc, &w[i], s->keyid, hex, e);
	return fail(e, ST_BAD_SIG, 0, "a signature of the key %s, which may not sign this", s->keyid);
}

static st_t merge(struct publish_repo *r, const char *role, const struct signatures *s,
                  struct err *e)
{
	struct publish_who who[2];
	size_t n;
	json_auto_t *doc = json_deep_copy(publish_set_find(&r->staged, role));
	if (!doc)
		return publish_nomem(e);
	TRY(publish_who(r, role, true, who, &n, e));
	for (size_t i = 0; i < s->n; i++)
		TRY(take_signature(who, n, doc, &s->v[i], e));
	TRY(publish_set_put(&r->staged, role, json_incref(doc), e));
	return publish_stage_save(r, role, e);
}

st_t publish_merge(struct publish_repo *r, struct rd signatures, char *ret_role, struct err *e)
{
	struct signatures s = {0};
	const char *role = NULL;
	TRY(parse(signatures, &s, e));
	if (s.dsse)
		return fail(e, ST_UNSUPPORTED, 0, "a statement: 'vitrine publish release --continue' takes "
		            "it");
	TRY(find_same(r, &s, &role, e));
	TRY(merge(r, role, &s, e));
	snprintf(ret_role, TUF_ROLE_NAME_MAX + 1, "%s", role);
	return ST_OK;
}

/* -- statements ------------------------------------------------------------------------------- */

const struct publish_role_keys *publish_publishers(const struct publish_repo *r)
{
	return &r->publishers;
}

static st_t verify(const struct publish_role_keys *keys, const struct dsse *d, size_t *ret,
                   struct err *e)
{
	struct attest_key k[PUBLISH_KEYS_MAX];
	bool by[PUBLISH_KEYS_MAX];
	for (size_t i = 0; i < keys->n; i++)
		k[i] = keys->v[i].key;
	TRY(dsse_verify(d, k, keys->n, by, ret, e));
	if (*ret < d->nsigs)
		return fail(e, ST_BAD_SIG, 0, "the statement: %zu of its %zu signatures are wrong, or of a "
		            "key that is not one of the publishers' ('vitrine publish rotate DIR "
		            "publisher' changes those)", d->nsigs - *ret, d->nsigs);
	return ST_OK;
}

st_t publish_statement_count(const struct publish_repo *r, const struct dsse *d, size_t *ret,
                             struct err *e)
{
	*ret = d->nsigs;
	return r->publishers.n ? verify(&r->publishers, d, ret, e) : ST_OK;
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct rd *a = pa, *b = pb;
	size_t na = rd_left(a), nb = rd_left(b);
	int c = na && nb ? memcmp(a->base + a->pos, b->base + b->pos, na < nb ? na : nb) : 0;
	return c ? c : (na > nb) - (na < nb);
}

static bool same_bytes(struct rd a, struct rd b)
{
	return by_bytes(&a, &b) == 0;
}

/* Without those that are there already; in the order of their bytes, whoever came first. */
static size_t join(const struct dsse *own, const struct signatures *s,
                   struct rd ret[DSSE_SIGNATURES_MAX + SIGNATURES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < own->nsigs; i++)
		ret[n++] = rd_make(own->sigs.data + own->sig[i].off, own->sig[i].n);
	for (size_t i = 0; i < s->n; i++) {
		bool has = false;
		for (size_t k = 0; k < n; k++)
			has = has || same_bytes(ret[k], s->v[i].sig);
		if (!has)
			ret[n++] = s->v[i].sig;
	}
	qsort(ret, n, sizeof *ret, by_bytes);
	return n;
}

static void write_envelope(const struct dsse *d, const struct rd *sig, size_t n, struct buf *out)
{
	buf_text(out, "{\"payload\":\"");
	text_base64_add(out, d->payload.data, d->payload.len);
	buf_text(out, "\",\"payloadType\":\"");
	buf_add(out, d->type.data, d->type.len);
	buf_text(out, "\",\"signatures\":[");
	for (size_t i = 0; i < n; i++) {
		buf_text(out, i ? ",{\"sig\":\"" : "{\"sig\":\"");
		text_base64_add(out, sig[i].base + sig[i].pos, rd_left(&sig[i]));
		buf_text(out, "\"}");
	}
	buf_text(out, "]}");
}

st_t publish_statement_merge(const struct dsse *own, struct rd signatures, struct buf *ret,
                             struct err *e)
{
	struct signatures s = {0};
	struct rd all[DSSE_SIGNATURES_MAX + SIGNATURES_MAX];
	uint8_t sha256[32];
	TRY(parse(signatures, &s, e));
	TRY(pae_sha256(own, sha256, e));
	if (!s.dsse || memcmp(sha256, s.sha256, 32) ||
	    strcmp((const char *)own->type.data, STATEMENT_PAYLOAD_TYPE))
		return fail(e, ST_CONFLICT, 0, "what is signed here is not the statement that is staged");
	size_t n = join(own, &s, all);
	if (n > DSSE_SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "the statement: more than %d signatures", DSSE_SIGNATURES_MAX);
	write_envelope(own, all, n, ret);
	if (ret->len > DSSE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "the statement: longer than %u bytes", DSSE_SIZE_MAX);
	return buf_check(ret, e, "statement");
}
