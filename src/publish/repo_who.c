/* Who may sign, who has, and signing. */
#include "publish/repo_inside.h"

#include <string.h>

static bool is_text(const json_t *v, const char *s)
{
	const char *t = json_string_value(v);
	return t && strcmp(t, s) == 0;
}

static struct publish_who who_of(const json_t *keys, const json_t *role)
{
	return (struct publish_who){
		.keys = keys,
		.keyids = json_object_get(role, "keyids"),
		.threshold = (uint64_t)json_integer_value(json_object_get(role, "threshold")),
	};
}

static struct publish_who of_root(const json_t *root, const char *role)
{
	const json_t *body = publish_md_signed(root);
	return who_of(json_object_get(body, "keys"),
	              json_object_get(json_object_get(body, "roles"), role));
}

/* The document of a role: staged if there is one and it is wanted. */
static json_t *doc_of(const struct publish_repo *r, const char *role, bool staged)
{
	json_t *doc = staged ? publish_set_find(&r->staged, role) : NULL;
	return doc ? doc : publish_set_find(&r->published, role);
}

static bool delegated_by(const json_t *doc, const char *role, struct publish_who *ret)
{
	const json_t *d = publish_delegation(doc, role);
	if (d)
		*ret = who_of(json_object_get(
			json_object_get(publish_md_signed(doc), "delegations"), "keys"), d);
	return d;
}

/* In what is staged first: it is what will hold. */
static bool find_delegator(const struct publish_repo *r, const char *role, bool staged,
                           struct publish_who *ret)
{
	for (size_t i = 0; staged && i < r->staged.n; i++)
		if (delegated_by(r->staged.v[i].doc, role, ret))
			return true;
	for (size_t i = 0; i < r->published.n; i++) {
		const struct publish_md *m = &r->published.v[i];
		if (!(staged && publish_set_find(&r->staged, m->role)) &&
		    delegated_by(m->doc, role, ret))
			return true;
	}
	return false;
}

st_t publish_who(const struct publish_repo *r, const char *role, bool staged,
                 struct publish_who ret[2], size_t *ret_n, struct err *e)
{
	json_t *root = doc_of(r, "root", staged), *old = publish_set_find(&r->published, "root");
	bool top = publish_role_type(role) != TUF_TARGETS || strcmp(role, "targets") == 0;
	size_t n = 0;
	if (top && root)
		ret[n++] = of_root(root, role);
	if (top && root && old && old != root) {
		ret[n] = of_root(old, role);
		ret[n++].optional = strcmp(role, "root") != 0;
	}
	if (!top && find_delegator(r, role, staged, &ret[0]))
		n = 1;
	if (n == 0)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: no such role: nobody delegates to it", role);
	*ret_n = n;
	return ST_OK;
}

bool publish_who_has(const struct publish_who *w, const char *id)
{
	size_t i;
	const json_t *v;
	json_array_foreach(w->keyids, i, v)
		if (is_text(v, id))
			return true;
	return false;
}

st_t publish_role_keys(struct publish_repo *r, const char *role, struct publish_role_keys *ret,
                       struct err *e)
{
	struct publish_who who[2];
	size_t n, i;
	const json_t *v;
	TRY(publish_who(r, role, true, who, &n, e));
	struct publish_role_keys k = {.threshold = who[0].threshold};
	if (json_array_size(who[0].keyids) > PUBLISH_KEYS_MAX)
		return fail(e, ST_LIMIT, 0, "%.100s: more than %d keys", role, PUBLISH_KEYS_MAX);
	json_array_foreach(who[0].keyids, i, v)
		TRY(publish_key_parse(json_object_get(who[0].keys, json_string_value(v)),
		                      &k.v[k.n++].key, e));
	*ret = k;
	return ST_OK;
}

/* -- signatures ------------------------------------------------------------------------------- */

static size_t find_signature(const json_t *sigs, const char *id)
{
	size_t i, n = json_array_size(sigs);
	for (i = 0; i < n; i++)
		if (is_text(json_object_get(json_array_get(sigs, i), "keyid"), id))
			break;
	return i;
}

/* Whether the signature of that key in the document is right. */
static st_t has_signed(const json_t *key, const char *id, const json_t *doc, const struct buf *msg,
                       bool *ret, struct err *e)
{
	struct attest_key k;
	struct buf sig = {0};
	const json_t *sigs = json_object_get(doc, "signatures");
	const json_t *s = json_array_get(sigs, find_signature(sigs, id));
	const char *hex = json_string_value(json_object_get(s, "sig"));
	*ret = false;
	if (!hex || !hex[0] || !key)
		return ST_OK;
	TRY(publish_key_parse(key, &k, e));
	st_t st = tuf_hex(hex, &sig) ? buf_check(&sig, e, "signature") : ST_BAD_SIG;
	if (st == ST_OK)
		st = attest_key_verify(&k, msg->data, msg->len, rd_make(sig.data, sig.len), NULL);
	buf_done(&sig);
	*ret = st == ST_OK;
	return st < ST_OK ? fail(e, st, 0, "a signature could not be checked") : ST_OK;
}

static st_t count(const struct publish_who *w, const json_t *doc, const struct buf *msg,
                  uint64_t *ret, struct err *e)
{
	size_t i;
	const json_t *v;
	uint64_t n = 0;
	json_array_foreach(w->keyids, i, v) {
		const char *id = json_string_value(v);
		bool yes = false;
		TRY(has_signed(json_object_get(w->keys, id), id, doc, msg, &yes, e));
		n += yes;
	}
	*ret = n;
	return ST_OK;
}

st_t publish_who_count(const struct publish_who *w, const json_t *doc, uint64_t *ret,
                       struct err *e)
{
	struct buf msg = {0};
	st_t st = publish_canonical(publish_md_signed(doc), &msg, e);
	if (st == ST_OK)
		st = count(w, doc, &msg, ret, e);
	buf_done(&msg);
	return st;
}

/* Signatures stand in the order of their key ids: same signers, same bytes. */
static st_t put_signature(json_t *sigs, const char *id, const char *hex, struct err *e)
{
	size_t i = find_signature(sigs, id), n = json_array_size(sigs);
	json_t *s = json_pack("{s:s, s:s}", "keyid", id, "sig", hex);
	if (i < n)
		return json_array_set_new(sigs, i, s) ? publish_nomem(e) : ST_OK;
	for (i = 0; i < n; i++) {
		const char *at = json_string_value(json_object_get(json_array_get(sigs, i), "keyid"));
		if (at && strcmp(at, id) > 0)
			break;
	}
	return json_array_insert_new(sigs, i, s) ? publish_nomem(e) : ST_OK;
}

static st_t make_signature(const json_t *doc, const struct signer *s,
                           char ret_hex[2 * ED25519_SIGNATURE + 1], struct err *e)
{
	struct buf msg = {0};
	uint8_t sig[SIGNER_SIGNATURE_MAX];
	st_t st = publish_canonical(publish_md_signed(doc), &msg, e);
	if (st == ST_OK)
		st = signer_sign(s, msg.data, msg.len, sig, e);
	buf_done(&msg);
	if (st == ST_OK)
		hex_encode(sig, ED25519_SIGNATURE, ret_hex);
	return st;
}

st_t publish_md_sign(json_t *doc, const struct signer *s, struct err *e)
{
	char id[PUBLISH_HEX], hex[2 * ED25519_SIGNATURE + 1];
	TRY(publish_signer_id(s, id, e));
	TRY(make_signature(doc, s, hex, e));
	return put_signature(json_object_get(doc, "signatures"), id, hex, e);
}

st_t publish_md_take(json_t *doc, const struct publish_who *w, const char *id, const char *hex,
                     struct err *e)
{
	struct buf msg = {0};
	bool right = false;
	TRY(put_signature(json_object_get(doc, "signatures"), id, hex, e));
	st_t st = publish_canonical(publish_md_signed(doc), &msg, e);
	if (st == ST_OK)
		st = has_signed(json_object_get(w->keys, id), id, doc, &msg, &right, e);
	buf_done(&msg);
	if (st == ST_OK && !right)
		st = fail(e, ST_BAD_SIG, 0, "the signature of the key %.64s is wrong", id);
	return st;
}

struct tidy {
	const json_t *doc;
	const struct buf *msg;
	json_t *kept;
	bool open;
};

static st_t tidy_role(const struct tidy *t, const struct publish_who *w, struct err *e)
{
	size_t i;
	const json_t *v, *sigs = json_object_get(t->doc, "signatures");
	json_array_foreach(w->keyids, i, v) {
		const char *id = json_string_value(v), *hex;
		bool yes;
		TRY(has_signed(json_object_get(w->keys, id), id, t->doc, t->msg, &yes, e));
		if (!yes && !t->open)
			continue;
		hex = yes ? json_string_value(json_object_get(
			json_array_get(sigs, find_signature(sigs, id)), "sig")) : "";
		TRY(put_signature(t->kept, id, hex, e));
	}
	return ST_OK;
}

st_t publish_md_tidy(json_t *doc, const struct publish_who *w, size_t n, bool open, struct err *e)
{
	struct buf msg = {0};
	json_auto_t *kept = json_array();
	struct tidy t = {.doc = doc, .msg = &msg, .kept = kept, .open = open};
	st_t st = kept ? publish_canonical(publish_md_signed(doc), &msg, e) : publish_nomem(e);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = tidy_role(&t, &w[i], e);
	buf_done(&msg);
	if (st == ST_OK && json_object_set(doc, "signatures", kept))
		st = publish_nomem(e);
	return st;
}
