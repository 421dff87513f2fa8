#include "tuf/metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tuf_type_name(enum tuf_type type)
{
	static const char *const names[TUF_TYPES] = {"root", "timestamp", "snapshot", "targets"};
	return names[type];
}

/* "A string that contains the version number of the TUF specification. [...] Adopters are free to
 * determine what is considered a match (e.g., the version number exactly, or perhaps only the major
 * version number)": the major one, as others do; "1.0" is in use. */
static bool spec_version_known(const char *s)
{
	if (s[0] != '1' || s[1] != '.')
		return false;
	for (s++; *s; s++) {
		bool digit = s[0] >= '0' && s[0] <= '9';
		if (!digit && (s[0] != '.' || s[1] < '0' || s[1] > '9'))
			return false;
	}
	return true;
}

static st_t read_head(struct tuf_md *md, struct err *e)
{
	const char *type, *spec, *expires;
	const struct tuf_value *b = md->body;
	TRY(tuf_take_text(b, "_type", md->what, &type, e));
	if (strcmp(type, tuf_type_name(md->type)))
		return fail(e, ST_MALFORMED, 0, "%s: \"_type\" is \"%.20s\", not \"%s\"", md->what, type,
		            tuf_type_name(md->type));
	TRY(tuf_take_text(b, "spec_version", md->what, &spec, e));
	if (!spec_version_known(spec))
		return fail(e, ST_UNSUPPORTED, 0, "%s: \"spec_version\" is \"%.20s\", not 1.x", md->what,
		            spec);
	TRY(tuf_take_count(b, "version", 1, md->what, &md->version, e));
	TRY(tuf_take_text(b, "expires", md->what, &expires, e));
	if (!tuf_time(expires, &md->expires))
		return fail(e, ST_MALFORMED, 0, "%s: \"expires\" is not YYYY-MM-DDTHH:MM:SSZ", md->what);
	return ST_OK;
}

/* "The keyid MUST be unique in the "signatures" array: multiple signatures with the same keyid are
 * not allowed." */
static st_t check_signatures(const struct tuf_md *md, struct err *e)
{
	const struct tuf_value *s = md->signatures;
	const char *id, *sig;
	if (s->n > TUF_SIGNATURES_MAX)
		return fail(e, ST_LIMIT, 0, "%s: more than %d signatures", md->what, TUF_SIGNATURES_MAX);
	for (uint32_t i = 0; i < s->n; i++) {
		TRY(tuf_take_text(s->item[i], "keyid", md->what, &id, e));
		TRY(tuf_take_text(s->item[i], "sig", md->what, &sig, e));
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(tuf_member_text(s->item[k], "keyid"), id) == 0)
				return fail(e, ST_MALFORMED, 0, "%s: two signatures with the keyid %.64s", md->what,
				            id);
	}
	return ST_OK;
}

/* Whether the keys are keys shows when one is used: those of schemes to come must not make the file
 * unreadable. */
static st_t check_keys(const struct tuf_value *o, const char *what, struct err *e)
{
	const struct tuf_value *keys, *val;
	const char *text;
	TRY(tuf_take(o, "keys", TUF_OBJECT, what, &keys, e));
	for (uint32_t i = 0; i < keys->n; i++) {
		TRY(tuf_take_text(keys->item[i], "keytype", what, &text, e));
		TRY(tuf_take_text(keys->item[i], "scheme", what, &text, e));
		TRY(tuf_take(keys->item[i], "keyval", TUF_OBJECT, what, &val, e));
	}
	return ST_OK;
}

/* "THRESHOLD must be a positive integer number of keys (>=1)". Whether there are so many keys is
 * not asked: nobody can sign then, which is the refusal. */
static st_t check_role(const struct tuf_value *o, const char *what, struct err *e)
{
	uint64_t threshold;
	TRY(tuf_take_count(o, "threshold", 1, what, &threshold, e));
	const struct tuf_value *ids = tuf_member(o, "keyids");
	if (!tuf_is_texts(ids))
		return fail(e, ST_MALFORMED, 0, "%s: the \"keyids\" of a role are no array of texts", what);
	if (ids->n > TUF_KEYIDS_MAX)
		return fail(e, ST_LIMIT, 0, "%s: a role with more than %d keys", what, TUF_KEYIDS_MAX);
	return ST_OK;
}

static st_t check_root(const struct tuf_md *md, struct err *e)
{
	const struct tuf_value *roles, *role;
	bool consistent;
	TRY(tuf_take_bool(md->body, "consistent_snapshot", md->what, &consistent, e));
	TRY(check_keys(md->body, md->what, e));
	TRY(tuf_take(md->body, "roles", TUF_OBJECT, md->what, &roles, e));
	for (enum tuf_type t = 0; t < TUF_TYPES; t++) {
		TRY(tuf_take(roles, tuf_type_name(t), TUF_OBJECT, md->what, &role, e));
		TRY(check_role(role, md->what, e));
	}
	return ST_OK;
}

static st_t check_file(const struct tuf_value *v, const char *what, struct err *e)
{
	uint64_t n;
	TRY(tuf_take_count(v, "version", 1, what, &n, e));
	if (tuf_member(v, "length"))
		TRY(tuf_take_count(v, "length", 0, what, &n, e));
	const struct tuf_value *hashes = tuf_member(v, "hashes");
	if (hashes && hashes->kind != TUF_OBJECT)
		return fail(e, ST_MALFORMED, 0, "%s: \"hashes\" is not an object", what);
	return ST_OK;
}

/* Timestamp and snapshot; `must` is the file that has to be there. */
static st_t check_meta(const struct tuf_md *md, const char *must, struct err *e)
{
	const struct tuf_value *meta, *file;
	TRY(tuf_take(md->body, "meta", TUF_OBJECT, md->what, &meta, e));
	TRY(tuf_take(meta, must, TUF_OBJECT, md->what, &file, e));
	for (uint32_t i = 0; i < meta->n; i++)
		TRY(check_file(meta->item[i], md->what, e));
	return ST_OK;
}

static st_t check_target(const struct tuf_value *v, const char *what, struct err *e)
{
	uint64_t n;
	const struct tuf_value *hashes, *custom = tuf_member(v, "custom");
	TRY(tuf_take_count(v, "length", 0, what, &n, e));
	TRY(tuf_take(v, "hashes", TUF_OBJECT, what, &hashes, e));
	if (custom && custom->kind != TUF_OBJECT)
		return fail(e, ST_MALFORMED, 0, "%s: \"custom\" is not an object", what);
	return ST_OK;
}

/* A delegated role named like a top-level one would take its place where files are kept. */
static st_t check_role_name(const char *name, const char *what, struct err *e)
{
	size_t n = strlen(name);
	if (n == 0 || n > TUF_ROLE_NAME_MAX)
		return fail(e, ST_LIMIT, 0, "%s: the name of a role has 1 to %d bytes", what,
		            TUF_ROLE_NAME_MAX);
	for (enum tuf_type t = 0; t < TUF_TYPES; t++)
		if (strcmp(name, tuf_type_name(t)) == 0)
			return fail(e, ST_MALFORMED, 0, "%s: delegates to \"%s\", a top-level role", what,
			            name);
	return ST_OK;
}

/* "The "path_hash_prefixes" and "paths" attributes are OPTIONAL, if used, exactly one of them
 * should be set." */
static st_t check_delegation(const struct tuf_value *v, const char *what, struct err *e)
{
	const char *name;
	bool terminating;
	const struct tuf_value *paths = tuf_member(v, "paths");
	const struct tuf_value *prefixes = tuf_member(v, "path_hash_prefixes");
	TRY(tuf_take_text(v, "name", what, &name, e));
	TRY(check_role_name(name, what, e));
	TRY(check_role(v, what, e));
	TRY(tuf_take_bool(v, "terminating", what, &terminating, e));
	if (paths && prefixes)
		return fail(e, ST_MALFORMED, 0, "%s: the role \"%.60s\" has both \"paths\" and "
		            "\"path_hash_prefixes\"", what, name);
	if ((paths && !tuf_is_texts(paths)) || (prefixes && !tuf_is_texts(prefixes)))
		return fail(e, ST_MALFORMED, 0, "%s: the paths of the role \"%.60s\" are no texts", what,
		            name);
	return ST_OK;
}

static st_t check_succinct(const struct tuf_value *v, const char *what, struct err *e)
{
	uint64_t bits;
	const char *prefix;
	TRY(check_role(v, what, e));
	TRY(tuf_take_text(v, "name_prefix", what, &prefix, e));
	TRY(tuf_take_count(v, "bit_length", 1, what, &bits, e));
	if (bits > TUF_BITS_MAX)
		return fail(e, ST_MALFORMED, 0, "%s: \"bit_length\" is more than %d", what, TUF_BITS_MAX);
	if (strlen(prefix) + 1 + TUF_BITS_MAX / 4 > TUF_ROLE_NAME_MAX)
		return fail(e, ST_LIMIT, 0, "%s: a \"name_prefix\" of %zu bytes", what, strlen(prefix));
	return ST_OK;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* "The rolename MUST be unique in the delegations object". */
static st_t check_roles(const struct tuf_value *roles, struct tuf_md *md, struct err *e)
{
	const char **name = arena_alloc(&md->arena, roles->n * sizeof *name);
	if (!name)
		return fail(e, ST_LIMIT, 0, "%s: needs more memory than metadata may", md->what);
	for (uint32_t i = 0; i < roles->n; i++) {
		TRY(check_delegation(roles->item[i], md->what, e));
		name[i] = tuf_member_text(roles->item[i], "name");
	}
	qsort(name, roles->n, sizeof *name, by_text);
	for (uint32_t i = 1; i < roles->n; i++)
		if (strcmp(name[i - 1], name[i]) == 0)
			return fail(e, ST_MALFORMED, 0, "%s: delegates twice to \"%.60s\"", md->what, name[i]);
	return ST_OK;
}

static st_t check_targets(struct tuf_md *md, struct err *e)
{
	const struct tuf_value *targets, *d, *roles;
	TRY(tuf_take(md->body, "targets", TUF_OBJECT, md->what, &targets, e));
	for (uint32_t i = 0; i < targets->n; i++)
		TRY(check_target(targets->item[i], md->what, e));
	if (!tuf_member(md->body, "delegations"))
		return ST_OK;
	TRY(tuf_take(md->body, "delegations", TUF_OBJECT, md->what, &d, e));
	TRY(check_keys(d, md->what, e));
	const struct tuf_value *succinct = tuf_member(d, "succinct_roles");
	if (succinct && tuf_member(d, "roles"))
		return fail(e, ST_MALFORMED, 0, "%s: both \"roles\" and \"succinct_roles\"", md->what);
	if (succinct)
		return check_succinct(succinct, md->what, e);
	TRY(tuf_take(d, "roles", TUF_ARRAY, md->what, &roles, e));
	return check_roles(roles, md, e);
}

static st_t check_body(struct tuf_md *md, struct err *e)
{
	switch (md->type) {
	case TUF_ROOT: return check_root(md, e);
	case TUF_TIMESTAMP: return check_meta(md, "snapshot.json", e);
	case TUF_SNAPSHOT: return check_meta(md, "targets.json", e);
	default: return check_targets(md, e);
	}
}

static st_t parse(struct rd in, struct tuf_md *md, struct err *e)
{
	const struct tuf_value *top;
	TRY(tuf_json_parse(in, &md->arena, md->what, &top, e));
	TRY(tuf_take(top, "signed", TUF_OBJECT, md->what, &md->body, e));
	TRY(tuf_take(top, "signatures", TUF_ARRAY, md->what, &md->signatures, e));
	TRY(check_signatures(md, e));
	TRY(read_head(md, e));
	return check_body(md, e);
}

st_t tuf_md_parse(struct rd in, enum tuf_type type, const char *role, size_t memory,
                  struct tuf_md *ret, struct err *e)
{
	struct tuf_md md = {.type = type};
	if (memory == 0)
		return fail(e, ST_LIMIT, 0, "%s: no memory left for metadata", role);
	snprintf(md.what, sizeof md.what, "%s", role);
	arena_init(&md.arena, memory);
	st_t st = parse(in, &md, e);
	if (st != ST_OK)
		tuf_md_done(&md);
	else
		*ret = md;
	return st;
}

void tuf_md_done(struct tuf_md *md)
{
	arena_done(&md->arena);
	*md = (struct tuf_md){0};
}

static void role_of(const struct tuf_value *keys, const struct tuf_value *o, struct tuf_role *ret)
{
	*ret = (struct tuf_role){.keys = keys, .keyids = tuf_member(o, "keyids"),
	                         .threshold = (uint64_t)tuf_member(o, "threshold")->num};
}

void tuf_root_role(const struct tuf_md *root, enum tuf_type type, struct tuf_role *ret)
{
	const struct tuf_value *roles = tuf_member(root->body, "roles");
	role_of(tuf_member(root->body, "keys"), tuf_member(roles, tuf_type_name(type)), ret);
}

bool tuf_root_consistent(const struct tuf_md *root)
{
	const struct tuf_value *v = tuf_member(root->body, "consistent_snapshot");
	return v && v->kind == TUF_TRUE;
}

static st_t read_file(const struct tuf_value *v, const char *what, struct tuf_file *ret,
                      struct err *e)
{
	struct tuf_file f = {0};
	const struct tuf_value *n = tuf_member(v, "length"), *hashes = tuf_member(v, "hashes");
	f.has_length = n;
	f.length = n ? (uint64_t)n->num : 0;
	f.has_hashes = hashes;
	if (hashes)
		TRY(tuf_hashes_read(hashes, what, &f.hashes, e));
	*ret = f;
	return ST_OK;
}

st_t tuf_md_file(const struct tuf_md *md, const char *name, struct tuf_file *ret, struct err *e)
{
	const struct tuf_value *v = tuf_member(tuf_member(md->body, "meta"), name);
	if (!v)
		return fail(e, ST_NOT_FOUND, 0, "%s: \"%.100s\" is not listed", md->what, name);
	TRY(read_file(v, md->what, ret, e));
	ret->version = (uint64_t)tuf_member(v, "version")->num;
	return ST_OK;
}

st_t tuf_snapshot_follows(const struct tuf_md *old, const struct tuf_md *now, struct err *e)
{
	const struct tuf_value *was = tuf_member(old->body, "meta");
	const struct tuf_value *is = tuf_member(now->body, "meta");
	for (uint32_t i = 0; i < was->n; i++) {
		const char *name = was->item[i]->key;
		const struct tuf_value *v = tuf_member(is, name);
		if (!v)
			return fail(e, ST_CONFLICT, 0, "%s: rollback: \"%.100s\" is no longer listed",
			            now->what, name);
		int64_t a = tuf_member(was->item[i], "version")->num, b = tuf_member(v, "version")->num;
		if (b < a)
			return fail(e, ST_CONFLICT, 0, "%s: rollback: \"%.100s\" went from version %lld to "
			            "%lld", now->what, name, (long long)a, (long long)b);
	}
	return ST_OK;
}

st_t tuf_md_target(const struct tuf_md *md, const char *path, struct tuf_file *ret,
                   const struct tuf_value **ret_custom, struct err *e)
{
	const struct tuf_value *v = tuf_member(tuf_member(md->body, "targets"), path);
	if (!v)
		return fail(e, ST_NOT_FOUND, 0, "%s: no target \"%.100s\"", md->what, path);
	TRY(read_file(v, md->what, ret, e));
	*ret_custom = tuf_member(v, "custom");
	return ST_OK;
}
