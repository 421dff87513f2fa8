/* What stands in a root and in delegations: keys, who signs for what. */
#include "publish/repo_inside.h"

#include <string.h>

st_t publish_keys_check(const char *role, const struct publish_role_keys *k, struct err *e)
{
	if (k->n == 0 || k->n > PUBLISH_KEYS_MAX)
		return fail(e, ST_MALFORMED, 0, "%.100s: 1 to %d keys", role, PUBLISH_KEYS_MAX);
	if (k->threshold == 0 || k->threshold > k->n)
		return fail(e, ST_MALFORMED, 0, "%.100s: a threshold of %llu with %zu keys: nobody could "
		            "sign, or anybody", role, (unsigned long long)k->threshold, k->n);
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < i; j++)
			if (attest_key_equal(&k->v[i].key, &k->v[j].key))
				return fail(e, ST_CONFLICT, 0, "%.100s: a key twice", role);
	return ST_OK;
}

/* Keys into `keys`; the array of their identifiers and the threshold into `role`. */
static st_t put_role(json_t *keys, json_t *role, const struct publish_role_keys *k, struct err *e)
{
	json_t *ids = json_array();
	int bad = json_object_set_new(role, "keyids", ids);
	bad |= json_object_set_new(role, "threshold", json_integer((json_int_t)k->threshold));
	if (bad)
		return publish_nomem(e);
	for (size_t i = 0; i < k->n; i++) {
		char id[PUBLISH_HEX];
		json_t *key;
		TRY(publish_key_json(&k->v[i].key, id, &key, e));
		if (json_object_set_new(keys, id, key) || json_array_append_new(ids, json_string(id)))
			return publish_nomem(e);
	}
	return ST_OK;
}

static json_t *head(const char *type)
{
	return json_pack("{s:[], s:{s:s, s:s, s:i, s:s}}", "signatures", "signed", "_type", type,
	                 "spec_version", PUBLISH_SPEC_VERSION, "version", 1, "expires",
	                 PUBLISH_NO_EXPIRY);
}

static st_t fill_root(json_t *body, const struct publish_role_keys role[TUF_TYPES], struct err *e)
{
	json_t *keys = json_object(), *roles = json_object();
	int bad = json_object_set_new(body, "keys", keys);
	bad |= json_object_set_new(body, "roles", roles);
	bad |= json_object_set_new(body, "consistent_snapshot", json_true());
	for (enum tuf_type t = 0; t < TUF_TYPES && !bad; t++) {
		json_t *o = json_object();
		bad = json_object_set_new(roles, tuf_type_name(t), o);
		if (!bad)
			TRY(put_role(keys, o, &role[t], e));
	}
	return bad ? publish_nomem(e) : ST_OK;
}

st_t publish_make_root(const struct publish_role_keys role[TUF_TYPES], json_t **ret, struct err *e)
{
	json_auto_t *doc = head("root");
	if (!doc)
		return publish_nomem(e);
	TRY(fill_root(publish_md_signed(doc), role, e));
	*ret = json_incref(doc);
	return ST_OK;
}

st_t publish_make_targets(json_t **ret, struct err *e)
{
	json_auto_t *doc = head("targets");
	if (!doc || json_object_set_new(publish_md_signed(doc), "targets", json_object()))
		return publish_nomem(e);
	*ret = json_incref(doc);
	return ST_OK;
}

static bool lists(const json_t *role, const char *id)
{
	struct publish_who w = {.keyids = json_object_get(role, "keyids")};
	return publish_who_has(&w, id);
}

/* Whether any of the roles, which stand in an object or in an array, has the key. */
static bool is_used(const json_t *roles, const char *id)
{
	const char *name;
	json_t *o;
	size_t i;
	bool used = false;
	json_object_foreach((json_t *)roles, name, o)
		used = used || lists(o, id);
	json_array_foreach(roles, i, o)
		used = used || lists(o, id);
	return used;
}

static void drop_unused(json_t *keys, const json_t *roles)
{
	const char *id;
	json_t *key;
	void *next;
	json_object_foreach_safe(keys, next, id, key)
		if (!is_used(roles, id))
			json_object_del(keys, id);
}

json_t *publish_delegation(const json_t *doc, const char *name)
{
	const json_t *d = json_object_get(publish_md_signed(doc), "delegations");
	const json_t *roles = json_object_get(d, "roles");
	size_t i;
	json_t *o;
	json_array_foreach(roles, i, o) {
		const char *s = json_string_value(json_object_get(o, "name"));
		if (s && strcmp(s, name) == 0)
			return o;
	}
	return NULL;
}

st_t publish_put_keys(json_t *doc, const char *role, const struct publish_role_keys *k,
                      struct err *e)
{
	json_t *body = publish_md_signed(doc);
	json_t *in = json_object_get(body, "delegations");
	json_t *o = publish_delegation(doc, role);
	if (!o) {
		in = body;
		o = json_object_get(json_object_get(body, "roles"), role);
	}
	if (!o)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: no such role", role);
	json_t *keys = json_object_get(in, "keys");
	TRY(put_role(keys, o, k, e));
	drop_unused(keys, json_object_get(in, "roles"));
	return ST_OK;
}

static st_t ensure_delegations(json_t *body, json_t **ret, struct err *e)
{
	json_t *d = json_object_get(body, "delegations");
	if (!d) {
		d = json_pack("{s:{}, s:[]}", "keys", "roles");
		if (json_object_set_new(body, "delegations", d))
			return publish_nomem(e);
	}
	*ret = d;
	return ST_OK;
}

st_t publish_add_delegation(json_t *doc, const struct publish_delegation *d, struct err *e)
{
	json_t *in = NULL;
	TRY(ensure_delegations(publish_md_signed(doc), &in, e));
	json_t *paths = json_array();
	json_t *o = json_pack("{s:s, s:b, s:o}", "name", d->name, "terminating", d->terminating,
	                      "paths", paths);
	if (json_array_append_new(json_object_get(in, "roles"), o))
		return publish_nomem(e);
	for (size_t i = 0; i < d->npaths; i++)
		if (json_array_append_new(paths, json_string(d->paths[i])))
			return publish_nomem(e);
	return put_role(json_object_get(in, "keys"), o, d->keys, e);
}
