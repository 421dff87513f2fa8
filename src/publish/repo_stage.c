/* Staging: what is to be published, file by file, on the disk at once. */
#include "crypto/digest.h"
#include "publish/repo_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

json_t *publish_current(const struct publish_repo *r, const char *role)
{
	json_t *doc = publish_set_find(&r->staged, role);
	return doc ? doc : publish_set_find(&r->published, role);
}

static void staged_name(const char *role, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "staged/%.120s.json", role);
}

/* A copy of the published one, with the next version. */
static st_t begin(struct publish_repo *r, const char *role, json_t **ret, struct err *e)
{
	const json_t *old = publish_set_find(&r->published, role);
	if (!old)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: the repository has no such role", role);
	json_t *doc = json_deep_copy(old);
	if (!doc)
		return publish_nomem(e);
	*ret = doc;
	return publish_set_put(&r->staged, role, doc, e);
}

st_t publish_stage_edit(struct publish_repo *r, const char *role, json_t **ret, struct err *e)
{
	json_t *doc = publish_set_find(&r->staged, role);
	uint64_t version = publish_md_version(publish_set_find(&r->published, role)) + 1;
	if (!doc)
		TRY(begin(r, role, &doc, e));
	TRY(publish_md_stamp(doc, version, PUBLISH_NO_EXPIRY, e));
	*ret = doc;
	return ST_OK;
}

st_t publish_stage_save(struct publish_repo *r, const char *role, struct err *e)
{
	json_t *doc = publish_set_find(&r->staged, role);
	struct publish_who who[2];
	struct buf text = {0};
	char path[LOG_PATH_MAX];
	size_t n;
	TRY(publish_who(r, role, true, who, &n, e));
	TRY(publish_md_tidy(doc, who, n, true, e));
	staged_name(role, path);
	st_t st = publish_md_write(doc, &text, e);
	if (st == ST_OK)
		st = r->priv->ops->replace(r->priv->ctx, path, text.data, text.len, e);
	buf_done(&text);
	return st;
}

st_t publish_stage_drop(struct publish_repo *r, const char *role, struct err *e)
{
	char path[LOG_PATH_MAX];
	staged_name(role, path);
	publish_set_drop(&r->staged, role);
	return r->priv->ops->remove(r->priv->ctx, path, e);
}

/* -- targets ---------------------------------------------------------------------------------- */

void publish_staged_path(const char *hex, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "staged/targets/%.64s", hex);
}

/* "consistent snapshots [...] are prefixed with their hash": DIR/HASH.NAME. */
void publish_target_path(const char *path, const char *hex, char ret[LOG_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) + 1 : 0;
	snprintf(ret, LOG_PATH_MAX, "targets/%.*s%.64s.%s", n, path, hex, path + n);
}

const char *publish_target_hex(const json_t *target)
{
	const char *hex = json_string_value(
		json_object_get(json_object_get(target, "hashes"), "sha256"));
	return hex && strlen(hex) == PUBLISH_HEX - 1 && strspn(hex, "0123456789abcdef") == 64 ? hex
	                                                                                      : NULL;
}

static json_t *targets_of(const json_t *doc)
{
	return json_object_get(publish_md_signed(doc), "targets");
}

/* Refused here, where somebody can still choose another path, and not by the last check. */
static st_t check_trusted(const struct publish_repo *r, const char *role, const char *path,
                          struct err *e)
{
	if (!publish_path_valid(path))
		return fail(e, ST_UNSUPPORTED, 0, "target \"%.100s\": not at most %d bytes of letters, "
		            "digits and -._~/ in at most %d parts", path, PUBLISH_PATH_MAX,
		            PUBLISH_PATH_PARTS);
	if (publish_role_type(role) != TUF_TARGETS)
		return fail(e, ST_CONFLICT, 0, "%.100s: a role that lists no targets", role);
	if (strcmp(role, "targets") == 0)
		return ST_OK;
	for (size_t i = 0; i < r->staged.n + r->published.n; i++) {
		const struct publish_md *m = i < r->staged.n ? &r->staged.v[i]
		                                             : &r->published.v[i - r->staged.n];
		const json_t *d = publish_delegation(m->doc, role), *v;
		size_t k;
		json_array_foreach(json_object_get(d, "paths"), k, v)
			if (tuf_glob(json_string_value(v), path))
				return ST_OK;
	}
	return fail(e, ST_CONFLICT, 0, "target \"%.100s\": not a path that the role %.60s is trusted "
	            "with", path, role);
}

static st_t list_target(struct publish_repo *r, const char *role, const char *path, const char *hex,
                        uint64_t size, struct err *e)
{
	json_t *doc;
	TRY(publish_stage_edit(r, role, &doc, e));
	json_t *t = json_pack("{s:I, s:{s:s}}", "length", (json_int_t)size, "hashes", "sha256", hex);
	if (json_object_set_new(targets_of(doc), path, t))
		return publish_nomem(e);
	return publish_stage_save(r, role, e);
}

/* Whether it is listed already as it is to be: signatures of a staged file stay. */
static bool is_listed(const struct publish_repo *r, const char *role, const char *path,
                      const char *hex)
{
	const json_t *t = json_object_get(targets_of(publish_current(r, role)), path);
	const char *old = publish_target_hex(t);
	return old && strcmp(old, hex) == 0;
}

static st_t stage_memory(struct publish_repo *r, const char *role, const char *path, const void *p,
                         size_t n, struct err *e)
{
	char hex[PUBLISH_HEX], at[LOG_PATH_MAX];
	uint8_t sum[32];
	TRY(check_trusted(r, role, path, e));
	if (!publish_current(r, role))
		return fail(e, ST_NOT_FOUND, 0, "%.100s: the repository has no such role", role);
	TRY(digest_bytes(DIGEST_SHA256, p, n, sum, e));
	hex_encode(sum, sizeof sum, hex);
	if (is_listed(r, role, path, hex))
		return ST_OK;
	publish_staged_path(hex, at);
	TRY(r->priv->ops->put(r->priv->ctx, at, p, n, e));
	return list_target(r, role, path, hex, n, e);
}

st_t publish_stage_bytes(struct publish_repo *r, const char *role, const char *path,
                         struct rd bytes, struct err *e)
{
	return stage_memory(r, role, path, bytes.base + bytes.pos, rd_left(&bytes), e);
}

st_t publish_stage_target(struct publish_repo *r, const char *role, const char *path, int fd,
                          uint64_t size, struct err *e)
{
	if (size == 0)
		return stage_memory(r, role, path, "", 0, e);
	if (size > SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "target \"%.100s\": too large for this machine", path);
	void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return fail_errno(e, "target \"%.100s\"", path);
	st_t st = stage_memory(r, role, path, p, (size_t)size, e);
	munmap(p, (size_t)size);
	return st;
}

st_t publish_unstage_target(struct publish_repo *r, const char *role, const char *path,
                            struct err *e)
{
	json_t *doc;
	if (publish_role_type(role) != TUF_TARGETS ||
	    !json_object_get(targets_of(publish_current(r, role)), path))
		return fail(e, ST_NOT_FOUND, 0, "%.60s: lists no target \"%.100s\"", role, path);
	TRY(publish_stage_edit(r, role, &doc, e));
	json_object_del(targets_of(doc), path);
	return publish_stage_save(r, role, e);
}

/* The top-level role first, as clients look. */
static const json_t *find_target(const struct publish_repo *r, const char *path, bool staged)
{
	const json_t *doc = staged ? publish_current(r, "targets")
	                           : publish_set_find(&r->published, "targets");
	const json_t *t = json_object_get(targets_of(doc), path);
	for (size_t i = 0; !t && staged && i < r->staged.n; i++)
		t = json_object_get(targets_of(r->staged.v[i].doc), path);
	for (size_t i = 0; !t && i < r->published.n; i++) {
		const struct publish_md *m = &r->published.v[i];
		if (!staged || !publish_set_find(&r->staged, m->role))
			t = json_object_get(targets_of(m->doc), path);
	}
	return t;
}

st_t publish_find_target(struct publish_repo *r, const char *path, struct tuf_file *ret,
                         struct err *e)
{
	struct tuf_file f = {.has_length = true, .has_hashes = true, .hashes.has256 = true};
	struct buf raw = {0};
	const json_t *t = find_target(r, path, true);
	const char *hex = publish_target_hex(t);
	if (!t)
		return fail(e, ST_NOT_FOUND, 0, "target \"%.100s\": no role lists it", path);
	if (!hex || !tuf_hex(hex, &raw) || buf_check(&raw, e, path) != ST_OK) {
		buf_done(&raw);
		return fail(e, ST_MALFORMED, 0, "target \"%.100s\": no SHA-256", path);
	}
	memcpy(f.hashes.sha256, raw.data, sizeof f.hashes.sha256);
	buf_done(&raw);
	f.length = (uint64_t)json_integer_value(json_object_get(t, "length"));
	*ret = f;
	return ST_OK;
}

st_t publish_open_target(struct publish_repo *r, const char *path, int *ret_fd, struct err *e)
{
	char at[LOG_PATH_MAX];
	const char *hex = publish_target_hex(find_target(r, path, false));
	if (!hex || !publish_path_valid(path))
		return fail(e, ST_NOT_FOUND, 0, "target \"%.100s\": not published", path);
	publish_target_path(path, hex, at);
	int fd = r->io->open(r->io->ctx, r->dir_fd, at, O_RDONLY, 0);
	if (fd < 0)
		return fail_errno(e, "%s", at);
	*ret_fd = fd;
	return ST_OK;
}

/* -- roles ------------------------------------------------------------------------------------ */

/* The file of a role, once more, if the keys that it has now did not sign it. */
static st_t renew_if_unsigned(struct publish_repo *r, const char *role, struct err *e)
{
	struct publish_who who[2];
	size_t n;
	uint64_t have = 0;
	const json_t *doc = publish_current(r, role);
	if (!doc || publish_role_type(role) != TUF_TARGETS)
		return ST_OK;
	if (publish_set_find(&r->staged, role))
		return publish_stage_save(r, role, e);
	TRY(publish_who(r, role, true, who, &n, e));
	TRY(publish_who_count(&who[0], doc, &have, e));
	return have < who[0].threshold ? publish_stage_renew(r, role, e) : ST_OK;
}

/* The role whose file says who signs for `role`. NULL: nobody. */
static const char *delegator_of(const struct publish_repo *r, const char *role)
{
	if (publish_role_type(role) != TUF_TARGETS || strcmp(role, "targets") == 0)
		return "root";
	for (size_t i = 0; i < r->staged.n; i++)
		if (publish_delegation(r->staged.v[i].doc, role))
			return r->staged.v[i].role;
	for (size_t i = 0; i < r->published.n; i++)
		if (publish_delegation(r->published.v[i].doc, role))
			return r->published.v[i].role;
	return NULL;
}

st_t publish_stage_role(struct publish_repo *r, const char *role,
                        const struct publish_role_keys *keys, struct err *e)
{
	json_t *doc;
	TRY(publish_keys_check(role, keys, e));
	const char *by = delegator_of(r, role);
	if (!by)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: no such role: nobody delegates to it", role);
	TRY(publish_stage_edit(r, by, &doc, e));
	TRY(publish_put_keys(doc, role, keys, e));
	TRY(publish_stage_save(r, by, e));
	return renew_if_unsigned(r, role, e);
}

st_t publish_stage_renew(struct publish_repo *r, const char *role, struct err *e)
{
	json_t *doc;
	enum tuf_type t = publish_role_type(role);
	if (t == TUF_TIMESTAMP || t == TUF_SNAPSHOT)
		return fail(e, ST_CONFLICT, 0, "%s: made anew with what is published", role);
	TRY(publish_stage_edit(r, role, &doc, e));
	return publish_stage_save(r, role, e);
}

static st_t check_delegation(struct publish_repo *r, const struct publish_delegation *d,
                             struct err *e)
{
	if (!publish_role_name_valid(d->name))
		return fail(e, ST_UNSUPPORTED, 0, "role \"%.100s\": not at most %d letters, digits and "
		            "-._~, or begins with a digit or dot", d->name, PUBLISH_ROLE_NAME_MAX);
	if (strcmp(d->name, PUBLISH_PUBLISHER) == 0)
		return fail(e, ST_CONFLICT, 0, "%s: those who sign statements are called so", d->name);
	if (strcmp(d->name, tuf_type_name(publish_role_type(d->name))) == 0)
		return fail(e, ST_CONFLICT, 0, "%s: a top-level role", d->name);
	if (delegator_of(r, d->name))
		return fail(e, ST_CONFLICT, 0, "%.100s: there is such a role already; 'vitrine publish "
		            "rotate' gives it other keys", d->name);
	if (publish_role_type(d->delegator) != TUF_TARGETS)
		return fail(e, ST_CONFLICT, 0, "%.100s: a role that cannot delegate", d->delegator);
	if (d->npaths == 0)
		return fail(e, ST_MALFORMED, 0, "%.100s: trusted with no path at all", d->name);
	return publish_keys_check(d->name, d->keys, e);
}

st_t publish_stage_delegation(struct publish_repo *r, const struct publish_delegation *d,
                              struct err *e)
{
	json_t *doc, *empty;
	TRY(check_delegation(r, d, e));
	TRY(publish_stage_edit(r, d->delegator, &doc, e));
	TRY(publish_add_delegation(doc, d, e));
	/* A role that was one once goes on from its last version. */
	if (publish_set_find(&r->published, d->name)) {
		TRY(publish_stage_edit(r, d->name, &empty, e));
	} else {
		TRY(publish_make_targets(&empty, e));
		TRY(publish_set_put(&r->staged, d->name, empty, e));
	}
	TRY(publish_stage_save(r, d->name, e));
	return publish_stage_save(r, d->delegator, e);
}
