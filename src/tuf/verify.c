#include "tuf/key.h"
#include "tuf/metadata.h"

#include <stdio.h>
#include <string.h>

/* Keys that signed so far. */
struct tally {
	uint8_t print[TUF_SIGNATURES_MAX][32];
	size_t n;
	struct err why; /* what was wrong with the last one that did not count */
};

static bool listed(const struct tuf_value *keyids, const char *id)
{
	for (uint32_t i = 0; i < keyids->n; i++)
		if (strcmp(keyids->item[i]->text, id) == 0)
			return true;
	return false;
}

static bool among(const struct tally *t, const uint8_t print[32])
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->print[i], print, 32) == 0)
			return true;
	return false;
}

static st_t check_one(const struct tuf_value *key, const char *hex, const struct buf *msg,
                      uint8_t ret_print[32], struct err *e)
{
	struct tuf_key k = {0};
	struct buf sig = {0};
	st_t st = ST_OK;
	if (!tuf_hex(hex, &sig) || sig.len == 0)
		st = fail(e, sig.oom ? ST_NOMEM : ST_BAD_SIG, 0, "a signature that is empty or no hex");
	if (st == ST_OK)
		st = tuf_key_read(key, &k, e);
	if (st == ST_OK)
		st = tuf_key_verify(&k, msg, &sig, e);
	if (st == ST_OK)
		st = tuf_key_print(&k, ret_print, e);
	tuf_key_done(&k);
	buf_done(&sig);
	return st;
}

/* "When computing the THRESHOLD each KEY MUST only contribute one SIGNATURE." Identifiers of keys
 * are opaque here (TAP 12), so two of them may name one key: keys are counted. */
static st_t count_one(const struct tuf_value *sig, const struct tuf_role *by, const struct buf *msg,
                      struct tally *t)
{
	const char *id = tuf_member_text(sig, "keyid");
	const struct tuf_value *key = tuf_member(by->keys, id);
	uint8_t print[32];
	if (!key || !listed(by->keyids, id))
		return ST_OK;
	err_clear(&t->why);
	st_t st = check_one(key, tuf_member_text(sig, "sig"), msg, print, &t->why);
	if (st == ST_OK && !among(t, print))
		memcpy(t->print[t->n++], print, sizeof print);
	return st < ST_OK ? st : ST_OK;
}

static st_t count_all(const struct tuf_md *md, const struct tuf_role *by, const struct buf *msg,
                      struct tally *t)
{
	for (uint32_t i = 0; i < md->signatures->n && t->n < by->threshold; i++)
		TRY(count_one(md->signatures->item[i], by, msg, t));
	return ST_OK;
}

st_t tuf_md_verify(const struct tuf_md *md, const struct tuf_role *by, struct err *e)
{
	struct buf msg = {0};
	struct tally t = {.n = 0};
	tuf_json_canonical(md->body, &msg);
	st_t st = buf_check(&msg, e, md->what);
	if (st == ST_OK)
		st = count_all(md, by, &msg, &t);
	buf_done(&msg);
	if (st != ST_OK)
		return fail(e, st, 0, "%s: a signature could not be checked", md->what);
	if (t.n < by->threshold)
		return fail(e, ST_BAD_SIG, 0, "%s: signed by %zu of the %llu keys it takes%s%s", md->what,
		            t.n, (unsigned long long)by->threshold, t.why.st ? ": " : "", t.why.text);
	return ST_OK;
}

/* What tells the key from others: of one that cannot be read, its canonical form. */
static st_t key_print(const struct tuf_value *v, uint8_t ret[32], struct err *e)
{
	struct tuf_key k = {0};
	struct buf b = {0};
	st_t st = tuf_key_read(v, &k, NULL);
	if (st == ST_OK)
		st = tuf_key_print(&k, ret, e);
	tuf_key_done(&k);
	if (st <= ST_OK)
		return st;
	tuf_json_canonical(v, &b);
	st = buf_check(&b, e, "key");
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, ret, e);
	buf_done(&b);
	return st;
}

static st_t has_key(const struct tuf_role *r, const uint8_t print[32], bool *ret, struct err *e)
{
	uint8_t other[32];
	bool has = false;
	for (uint32_t i = 0; i < r->keyids->n && !has; i++) {
		const struct tuf_value *key = tuf_member(r->keys, r->keyids->item[i]->text);
		if (!key)
			continue;
		TRY(key_print(key, other, e));
		has = memcmp(print, other, sizeof other) == 0;
	}
	*ret = has;
	return ST_OK;
}

st_t tuf_role_rotated(const struct tuf_role *old, const struct tuf_role *now, bool *ret,
                      struct err *e)
{
	uint8_t print[32];
	bool kept = true;
	for (uint32_t i = 0; i < old->keyids->n && kept; i++) {
		const struct tuf_value *key = tuf_member(old->keys, old->keyids->item[i]->text);
		if (!key)
			continue;
		TRY(key_print(key, print, e));
		TRY(has_key(now, print, &kept, e));
	}
	*ret = !kept;
	return ST_OK;
}
