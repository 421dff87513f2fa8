/* One file of metadata: as JSON, as text, in canonical form. */
#include "publish/repo_inside.h"
#include "tlog/text.h"
#include "tuf/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a tree of the largest file may take while it is checked or made canonical. */
#define TREE_MAX TUF_MEMORY_MAX

st_t publish_nomem(struct err *e)
{
	return fail(e, ST_NOMEM, 0, "repository: out of memory");
}

/* -- sets ------------------------------------------------------------------------------------- */

static struct publish_md *find(const struct publish_set *s, const char *role)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].role, role) == 0)
			return (struct publish_md *)&s->v[i];
	return NULL;
}

json_t *publish_set_find(const struct publish_set *s, const char *role)
{
	const struct publish_md *m = find(s, role);
	return m ? m->doc : NULL;
}

st_t publish_set_put(struct publish_set *s, const char *role, json_t *doc, struct err *e)
{
	struct publish_md *m = find(s, role);
	if (!m && s->n == PUBLISH_ROLES_MAX) {
		json_decref(doc);
		return fail(e, ST_LIMIT, 0, "repository: more than %d roles", PUBLISH_ROLES_MAX);
	}
	if (!m) {
		m = &s->v[s->n++];
		*m = (struct publish_md){0};
		snprintf(m->role, sizeof m->role, "%s", role);
	}
	json_decref(m->doc);
	m->doc = doc;
	return ST_OK;
}

void publish_set_drop(struct publish_set *s, const char *role)
{
	struct publish_md *m = find(s, role);
	if (!m)
		return;
	json_decref(m->doc);
	size_t i = (size_t)(m - s->v);
	memmove(m, m + 1, (s->n - i - 1) * sizeof *m);
	s->n--;
}

void publish_set_done(struct publish_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		json_decref(s->v[i].doc);
	s->n = 0;
}

/* -- names ------------------------------------------------------------------------------------ */

enum tuf_type publish_role_type(const char *role)
{
	for (enum tuf_type t = 0; t < TUF_TYPES; t++)
		if (strcmp(role, tuf_type_name(t)) == 0)
			return t;
	return TUF_TARGETS;
}

/* RFC 3986, section 2.3: "unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"". */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

bool publish_role_name_valid(const char *role)
{
	size_t n = strlen(role);
	for (size_t i = 0; i < n; i++)
		if (!is_unreserved(role[i]))
			return false;
	/* "1.root" would be another role's file. */
	return n > 0 && n <= PUBLISH_ROLE_NAME_MAX && (role[0] < '0' || role[0] > '9') &&
	       role[0] != '.';
}

bool publish_path_valid(const char *path)
{
	size_t n = strlen(path), parts = 1;
	for (size_t i = 0; i < n; i++) {
		parts += path[i] == '/';
		if (path[i] != '/' && !is_unreserved(path[i]))
			return false;
	}
	return n <= PUBLISH_PATH_MAX && parts <= PUBLISH_PATH_PARTS && tuf_path_safe(path);
}

/* -- members ---------------------------------------------------------------------------------- */

json_t *publish_md_signed(const json_t *doc)
{
	return json_object_get(doc, "signed");
}

uint64_t publish_md_version(const json_t *doc)
{
	return (uint64_t)json_integer_value(json_object_get(publish_md_signed(doc), "version"));
}

int64_t publish_md_expires(const json_t *doc)
{
	int64_t t = 0;
	const char *s = json_string_value(json_object_get(publish_md_signed(doc), "expires"));
	return s && tuf_time(s, &t) ? t : 0;
}

st_t publish_md_stamp(json_t *doc, uint64_t version, const char *expires, struct err *e)
{
	json_t *body = publish_md_signed(doc);
	int bad = json_object_set_new(doc, "signatures", json_array());
	bad |= json_object_set_new(body, "version", json_integer((json_int_t)version));
	bad |= json_object_set_new(body, "expires", json_string(expires));
	return bad ? publish_nomem(e) : ST_OK;
}

st_t publish_time_text(int64_t t, char ret[PUBLISH_TIME], struct err *e)
{
	struct tm tm;
	time_t clock = (time_t)t;
	/* Four digits of a year are all that the format has. */
	if (t < 0 || !gmtime_r(&clock, &tm) || tm.tm_year > 9999 - 1900)
		return fail(e, ST_LIMIT, 0, "a time that metadata cannot have: %lld s since 1970",
		            (long long)t);
	(void)!strftime(ret, PUBLISH_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return ST_OK;
}

/* -- text ------------------------------------------------------------------------------------- */

static st_t dump(const json_t *v, size_t flags, struct buf *out, struct err *e)
{
	char *text = json_dumps(v, flags | JSON_SORT_KEYS);
	if (!text)
		return publish_nomem(e);
	buf_text(out, text);
	free(text);
	return buf_check(out, e, "repository");
}

st_t publish_md_write(const json_t *doc, struct buf *out, struct err *e)
{
	TRY(dump(doc, JSON_INDENT(1), out, e));
	buf_u8(out, '\n');
	return buf_check(out, e, "repository");
}

static size_t size_max(enum tuf_type type)
{
	static const size_t max[TUF_TYPES] = {TUF_ROOT_MAX, TUF_TIMESTAMP_MAX, TUF_SNAPSHOT_MAX,
	                                      TUF_TARGETS_MAX};
	return max[type];
}

st_t publish_md_read(struct rd in, const char *role, json_t **ret, struct err *e)
{
	struct tuf_md md;
	enum tuf_type type = publish_role_type(role);
	TRY(tuf_md_parse(in, type, role, TREE_MAX, &md, e));
	tuf_md_done(&md);
	return attest_json_load(in, size_max(type), role, ret, e);
}

static st_t canonical(struct rd in, struct buf *out, struct err *e)
{
	struct arena a;
	const struct tuf_value *v;
	arena_init(&a, TREE_MAX);
	st_t st = tuf_json_parse(in, &a, "repository", &v, e);
	if (st == ST_OK)
		tuf_json_canonical(v, out);
	arena_done(&a);
	return st == ST_OK ? buf_check(out, e, "repository") : st;
}

st_t publish_canonical(const json_t *v, struct buf *out, struct err *e)
{
	struct buf text = {0};
	st_t st = dump(v, JSON_COMPACT, &text, e);
	if (st == ST_OK)
		st = canonical(rd_make(text.data, text.len), out, e);
	buf_done(&text);
	return st;
}

st_t publish_same(const json_t *a, const json_t *b, bool *ret, struct err *e)
{
	struct buf x = {0}, y = {0};
	st_t st = publish_canonical(a, &x, e);
	if (st == ST_OK)
		st = publish_canonical(b, &y, e);
	if (st == ST_OK)
		*ret = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	buf_done(&x);
	buf_done(&y);
	return st;
}

/* -- keys ------------------------------------------------------------------------------------- */

static void add_pem(const struct attest_key *k, struct buf *out)
{
	struct buf text = {0};
	text_base64_add(&text, k->spki, k->nspki);
	buf_text(out, "-----BEGIN PUBLIC KEY-----\n");
	/* "64 characters a line" (RFC 7468, section 2). */
	for (size_t i = 0; i < text.len; i += 64) {
		buf_add(out, text.data + i, text.len - i < 64 ? text.len - i : 64);
		buf_u8(out, '\n');
	}
	buf_text(out, "-----END PUBLIC KEY-----\n");
	out->oom = out->oom || text.oom;
	buf_done(&text);
}

st_t publish_key_pem(const struct attest_key *k, struct buf *out, struct err *e)
{
	add_pem(k, out);
	return buf_check(out, e, "key");
}

static json_t *key_object(const char *type, const char *scheme, const char *pub)
{
	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", type, "scheme", scheme, "keyval", "public",
	                 pub);
}

static json_t *key_make(const struct attest_key *k)
{
	struct buf pem = {0};
	char hex[PUBLISH_HEX];
	json_t *o = NULL;
	if (k->alg == ATTEST_ED25519) {
		hex_encode(k->spki + k->nspki - ED25519_PUBLIC, ED25519_PUBLIC, hex);
		return key_object("ed25519", "ed25519", hex);
	}
	add_pem(k, &pem);
	buf_u8(&pem, 0);
	if (!pem.oom)
		o = key_object("ecdsa", "ecdsa-sha2-nistp256", (const char *)pem.data);
	buf_done(&pem);
	return o;
}

static st_t key_id(const json_t *key, char ret[PUBLISH_HEX], struct err *e)
{
	struct buf b = {0};
	uint8_t sum[32];
	st_t st = publish_canonical(key, &b, e);
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, sum, e);
	buf_done(&b);
	if (st == ST_OK)
		hex_encode(sum, sizeof sum, ret);
	return st;
}

st_t publish_key_json(const struct attest_key *k, char ret_id[PUBLISH_HEX], json_t **ret,
                      struct err *e)
{
	json_auto_t *o = key_make(k);
	if (!o)
		return publish_nomem(e);
	TRY(key_id(o, ret_id, e));
	if (ret)
		*ret = json_incref(o);
	return ST_OK;
}

st_t publish_key_id(const struct attest_key *k, char ret_id[PUBLISH_HEX], struct err *e)
{
	return publish_key_json(k, ret_id, NULL, e);
}

st_t publish_key_parse(const json_t *key, struct attest_key *ret, struct err *e)
{
	struct buf raw = {0};
	const char *type = json_string_value(json_object_get(key, "keytype"));
	const char *pub = json_string_value(json_object_get(json_object_get(key, "keyval"), "public"));
	if (!type || !pub)
		return fail(e, ST_MALFORMED, 0, "repository: a key without type or value");
	if (strcmp(type, "ed25519"))
		return attest_key_parse_pem(rd_make(pub, strlen(pub)), ret, e);
	bool good = strlen(pub) == 2 * ED25519_PUBLIC && tuf_hex(pub, &raw);
	if (good)
		attest_key_from_ed25519(raw.data, ret);
	buf_done(&raw);
	return good ? ST_OK : fail(e, ST_MALFORMED, 0, "repository: an Ed25519 key that is no hex");
}

st_t publish_signer_id(const struct signer *s, char ret_id[PUBLISH_HEX], struct err *e)
{
	struct attest_key k;
	if (s->alg != SIGNER_ED25519)
		return fail(e, ST_UNSUPPORTED, 0, "TUF metadata is signed with Ed25519 keys here");
	attest_key_from_ed25519(s->pub, &k);
	return publish_key_id(&k, ret_id, e);
}
