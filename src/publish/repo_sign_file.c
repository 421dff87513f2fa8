/* One signature on one file, on a machine that has no repository: TUF metadata, or a DSSE envelope
 * of a statement. First in words, what it is that is signed. */
#include "attest/base64.h"
#include "attest/dsse.h"
#include "publish/repo_inside.h"
#include "tlog/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- words ------------------------------------------------------------------------------------ */

/* What comes from a file stays on its line. */
static void add_text(struct buf *b, const char *s)
{
	for (; s && *s; s++)
		buf_u8(b, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : (uint8_t)*s);
}

__attribute__((format(printf, 2, 3))) static void add(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)!vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_text(b, text);
}

static void end_line(struct buf *b)
{
	buf_u8(b, '\n');
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static void add_target(struct buf *b, char sign, const char *path, const json_t *t)
{
	const char *hex = publish_target_hex(t);
	add(b, "  %c ", sign);
	add_text(b, path);
	add(b, "  %lld bytes  sha256 %s", (long long)json_integer_value(json_object_get(t, "length")),
	    hex ? hex : "(none)");
	end_line(b);
}

/* '+' is new, '~' has other bytes, '-' is gone; without a predecessor all are new. */
static void add_targets(struct buf *b, const json_t *is, const json_t *was)
{
	const char *path;
	json_t *t;
	size_t same = 0;
	json_object_foreach((json_t *)is, path, t) {
		const json_t *old = json_object_get(was, path);
		if (old && json_equal(old, t))
			same++;
		else
			add_target(b, old ? '~' : '+', path, t);
	}
	json_object_foreach((json_t *)was, path, t)
		if (!json_object_get(is, path))
			add_target(b, '-', path, t);
	if (!was)
		return;
	add(b, "  %zu targets as before", same);
	end_line(b);
}

static void add_signers(struct buf *b, const json_t *role)
{
	size_t i;
	const json_t *id, *ids = json_object_get(role, "keyids");
	add(b, "%lld of %zu keys:", (long long)json_integer_value(json_object_get(role, "threshold")),
	    json_array_size(ids));
	end_line(b);
	json_array_foreach(ids, i, id) {
		add(b, "      %.64s", json_string_value(id) ? json_string_value(id) : "");
		end_line(b);
	}
}

static void add_root(struct buf *b, const json_t *body, const json_t *was)
{
	const char *name;
	json_t *role;
	json_object_foreach(json_object_get(body, "roles"), name, role) {
		const json_t *old = json_object_get(json_object_get(was, "roles"), name);
		add(b, "  %c %.60s is signed by ", !was || (old && json_equal(old, role)) ? ' ' : '~',
		    name);
		add_signers(b, role);
	}
}

static const json_t *delegation_in(const json_t *body, const char *name)
{
	const json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles"), *o;
	size_t i;
	json_array_foreach(roles, i, o)
		if (strcmp(text_of(o, "name"), name) == 0)
			return o;
	return NULL;
}

static void add_delegations(struct buf *b, const json_t *body, const json_t *was)
{
	const json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles"), *o, *p;
	size_t i, k;
	json_array_foreach(roles, i, o) {
		const json_t *old = delegation_in(was, text_of(o, "name"));
		add(b, "  %c delegates to %.100s%s:", !was || (old && json_equal(old, o)) ? ' ' : '~',
		    text_of(o, "name"), json_is_true(json_object_get(o, "terminating")) ? ", terminating"
		                                                                        : "");
		json_array_foreach(json_object_get(o, "paths"), k, p) {
			buf_u8(b, ' ');
			add_text(b, json_string_value(p));
		}
		buf_text(b, "; signed by ");
		add_signers(b, o);
	}
}

static void describe_tuf(struct buf *b, const json_t *doc, const json_t *old)
{
	const json_t *body = publish_md_signed(doc), *was = publish_md_signed(old);
	add(b, "TUF metadata: %.20s, version %llu, expires %.30s", text_of(body, "_type"),
	    (unsigned long long)publish_md_version(doc), text_of(body, "expires"));
	end_line(b);
	if (was) {
		add(b, "compared with version %llu:", (unsigned long long)publish_md_version(old));
		end_line(b);
	}
	if (json_object_get(body, "roles"))
		add_root(b, body, was);
	add_targets(b, json_object_get(body, "targets"), json_object_get(was, "targets"));
	add_delegations(b, body, was);
}

static void add_parameters(struct buf *b, const json_t *predicate)
{
	const json_t *p = json_object_get(json_object_get(predicate, "buildDefinition"),
	                                  "externalParameters");
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)p, name, v) {
		buf_text(b, "  ");
		add_text(b, name);
		if (json_is_string(v))
			add(b, ": %.200s", json_string_value(v));
		else if (json_is_integer(v))
			add(b, ": %lld", (long long)json_integer_value(v));
		else
			add(b, ": %s", json_is_true(v) ? "true" : json_is_false(v) ? "false" : "...");
		end_line(b);
	}
}

static void describe_statement(struct buf *b, const json_t *s)
{
	const json_t *predicate = json_object_get(s, "predicate"), *o;
	size_t i;
	add(b, "in-toto statement: %.200s", text_of(s, "predicateType"));
	end_line(b);
	json_array_foreach(json_object_get(s, "subject"), i, o) {
		buf_text(b, "  subject ");
		add_text(b, text_of(o, "name"));
		add(b, "  sha256 %.64s", text_of(json_object_get(o, "digest"), "sha256"));
		end_line(b);
	}
	const json_t *builder = json_object_get(json_object_get(predicate, "runDetails"), "builder");
	if (builder) {
		add(b, "  builder: %.300s", text_of(builder, "id"));
		end_line(b);
	}
	add_parameters(b, predicate);
}

/* -- envelopes -------------------------------------------------------------------------------- */

struct envelope {
	json_t *doc;
	const char *type;
	struct buf payload;
};

static void envelope_done(struct envelope *v)
{
	json_decref(v->doc);
	buf_done(&v->payload);
}

/* As dsse_parse() has it, but an envelope that nobody signed yet is one too. */
static st_t envelope_read(struct rd in, struct envelope *v, struct err *e)
{
	const char *payload;
	const json_t *sigs;
	TRY(attest_json_load(in, DSSE_SIZE_MAX, "DSSE envelope", &v->doc, e));
	TRY(attest_json_text(v->doc, "payload", "DSSE envelope", &payload, e));
	TRY(attest_json_text(v->doc, "payloadType", "DSSE envelope", &v->type, e));
	TRY(attest_json_array(v->doc, "signatures", "DSSE envelope", &sigs, e));
	if (!attest_base64(rd_make(payload, strlen(payload)), &v->payload))
		return fail(e, ST_MALFORMED, 0, "DSSE envelope: \"payload\" is no base64 with padding");
	return buf_check(&v->payload, e, "DSSE envelope");
}

static st_t describe_dsse(const struct envelope *v, struct buf *b, struct err *e)
{
	json_auto_t *s = NULL;
	add(b, "DSSE envelope of %.200s, %zu bytes", v->type, v->payload.len);
	end_line(b);
	TRY(attest_json_load(rd_make(v->payload.data, v->payload.len), DSSE_SIZE_MAX, "payload", &s,
	                     e));
	describe_statement(b, s);
	return buf_check(b, e, "summary");
}

/* Without the signatures that are by this key: it signs once. */
static st_t drop_own(json_t *sigs, const struct attest_key *k, const struct buf *pae, struct err *e)
{
	for (size_t i = json_array_size(sigs); i-- > 0;) {
		const char *text = text_of(json_array_get(sigs, i), "sig");
		struct buf raw = {0};
		st_t st = ST_BAD_SIG;
		if (attest_base64(rd_make(text, strlen(text)), &raw) && !raw.oom)
			st = attest_key_verify(k, pae->data, pae->len, rd_make(raw.data, raw.len), NULL);
		buf_done(&raw);
		if (st < ST_OK)
			return fail(e, st, 0, "DSSE envelope: a signature could not be checked");
		if (st == ST_OK)
			json_array_remove(sigs, i);
	}
	return ST_OK;
}

static st_t add_own(json_t *sigs, const struct signer *s, const struct buf *pae, struct err *e)
{
	uint8_t sig[SIGNER_SIGNATURE_MAX];
	struct buf text = {0};
	TRY(signer_sign(s, pae->data, pae->len, sig, e));
	text_base64_add(&text, sig, ED25519_SIGNATURE);
	buf_u8(&text, 0);
	st_t st = buf_check(&text, e, "DSSE envelope");
	if (st == ST_OK &&
	    json_array_append_new(sigs, json_pack("{s:s}", "sig", (const char *)text.data)))
		st = publish_nomem(e);
	buf_done(&text);
	return st;
}

static st_t envelope_sign(struct envelope *v, const struct signer *s, struct err *e)
{
	struct buf pae = {0};
	struct attest_key k;
	json_t *sigs = json_object_get(v->doc, "signatures");
	attest_key_from_ed25519(s->pub, &k);
	dsse_pae(rd_make(v->type, strlen(v->type)), rd_make(v->payload.data, v->payload.len), &pae);
	st_t st = buf_check(&pae, e, "DSSE envelope");
	if (st == ST_OK)
		st = drop_own(sigs, &k, &pae, e);
	if (st == ST_OK)
		st = add_own(sigs, s, &pae, e);
	buf_done(&pae);
	return st;
}

static st_t envelope_write(const struct envelope *v, struct buf *out, struct err *e)
{
	size_t start = out->len;
	char *text = json_dumps(v->doc, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text)
		return publish_nomem(e);
	buf_text(out, text);
	free(text);
	TRY(buf_check(out, e, "DSSE envelope"));
	if (out->len - start > DSSE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "DSSE envelope: more than %u bytes", DSSE_SIZE_MAX);
	return ST_OK;
}

static st_t sign_envelope(struct rd in, const struct signer *s, struct buf *out, struct buf *words,
                          struct err *e)
{
	struct envelope v = {0};
	st_t st = envelope_read(in, &v, e);
	if (st == ST_OK)
		st = describe_dsse(&v, words, e);
	if (st == ST_OK && s)
		st = envelope_sign(&v, s, e);
	if (st == ST_OK && s)
		st = envelope_write(&v, out, e);
	envelope_done(&v);
	return st;
}

/* -- TUF -------------------------------------------------------------------------------------- */

static bool is_listed(const json_t *doc, const char *id)
{
	size_t i;
	const json_t *sig;
	json_array_foreach(json_object_get(doc, "signatures"), i, sig)
		if (strcmp(text_of(sig, "keyid"), id) == 0)
			return true;
	return false;
}

/* Staged files list who may sign. */
static st_t check_may(const json_t *doc, const struct signer *s, struct err *e)
{
	char id[PUBLISH_HEX];
	TRY(publish_signer_id(s, id, e));
	if (publish_md_expires(doc) == 0)
		return fail(e, ST_CONFLICT, 0, "not final: it has no expiry yet");
	if (is_listed(doc, id))
		return ST_OK;
	return fail(e, ST_CONFLICT, 0, "the key %.16s... is none of those that this file names as its "
	            "signers", id);
}

static st_t read_tuf(struct rd in, const char *type, json_t **ret, struct err *e)
{
	enum tuf_type t = publish_role_type(type);
	return publish_md_read(in, tuf_type_name(t), ret, e);
}

static st_t sign_tuf(struct rd in, const char *type, struct rd was, const struct signer *s,
                     struct buf *out, struct buf *words, struct err *e)
{
	json_auto_t *doc = NULL, *old = NULL;
	TRY(read_tuf(in, type, &doc, e));
	if (rd_left(&was))
		TRY(read_tuf(was, type, &old, e));
	describe_tuf(words, doc, old);
	TRY(buf_check(words, e, "summary"));
	if (!s)
		return ST_OK;
	TRY(check_may(doc, s, e));
	TRY(publish_md_sign(doc, s, e));
	return publish_md_write(doc, out, e);
}

static st_t sign_any(struct rd in, struct rd old, const struct signer *s, struct buf *out,
                     struct buf *words, struct err *e)
{
	json_auto_t *doc = NULL;
	TRY(attest_json_load(in, TUF_TARGETS_MAX, "file", &doc, e));
	const json_t *body = publish_md_signed(doc);
	if (body)
		return sign_tuf(in, text_of(body, "_type"), old, s, out, words, e);
	if (json_object_get(doc, "payloadType"))
		return sign_envelope(in, s, out, words, e);
	return fail(e, ST_UNSUPPORTED, 0, "neither TUF metadata nor a DSSE envelope");
}

st_t publish_sign_file(struct rd in, struct signer *s, struct buf *out, struct buf *ret_summary,
                       struct err *e)
{
	if (s->alg != SIGNER_ED25519)
		return fail(e, ST_UNSUPPORTED, 0, "only Ed25519 keys sign metadata and statements");
	return sign_any(in, rd_make("", 0), s, out, ret_summary, e);
}

st_t publish_describe(struct rd in, struct rd old, struct buf *ret, struct err *e)
{
	return sign_any(in, old, NULL, NULL, ret, e);
}
