/* What was published once, and no snapshot that is kept names any more, is removed. Runs in
 * `vitrine publish prune`.
 *
 * What stays: all roots; the last snapshots, those that were current not long ago, and all that
 * they list; what is staged; of each set the last releases, from which deltas are made. Snapshots
 * go first, so that after a crash none is left without what it lists (one that a power cut brings
 * back was to go anyway). The next run removes the rest. */
#include "publish/release.h"
#include "publish/repo_inside.h"

#include <stdio.h>
#include <string.h>

/* Files that one run removes at most, of each kind; the next goes on. */
#define NAMES_MAX ((size_t)1 << 16)

struct prune {
	struct publish_repo *r;
	json_t *keep; /* paths below DIR, as keys */
	size_t removed;
	bool dry;
};

/* -- names ------------------------------------------------------------------------------------ */

static void take_name(void *arg, const char *name)
{
	json_t *names = arg;
	if (json_object_size(names) < NAMES_MAX)
		(void)json_object_set_new(names, name, json_true());
}

/* The names right below a folder, as the keys of a new object. */
static st_t list(const struct prune *p, const char *folder, json_t **ret, struct err *e)
{
	json_auto_t *names = json_object();
	if (!names)
		return publish_nomem(e);
	TRY(p->r->pub->ops->list(p->r->pub->ctx, folder, take_name, names, e));
	*ret = json_incref(names);
	return ST_OK;
}

/* "V.ROLE.json". */
static bool split_name(const char *name, uint64_t *ret_version,
                       char ret_role[TUF_ROLE_NAME_MAX + 1])
{
	size_t digits = strspn(name, "0123456789"), n = strlen(name);
	uint64_t v = 0;
	if (digits == 0 || digits > 18 || name[digits] != '.' || n < digits + 7 ||
	    n - digits - 6 > PUBLISH_ROLE_NAME_MAX || strcmp(name + n - 5, ".json"))
		return false;
	for (size_t i = 0; i < digits; i++)
		v = v * 10 + (uint64_t)(name[i] - '0');
	*ret_version = v;
	snprintf(ret_role, TUF_ROLE_NAME_MAX + 1, "%.*s", (int)(n - digits - 6), name + digits + 1);
	return publish_role_name_valid(ret_role);
}

static bool is_target_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 64 && name[64] == '.';
}

/* -- what stays ------------------------------------------------------------------------------- */

static st_t keep(struct prune *p, const char *path, struct err *e)
{
	return json_object_set_new(p->keep, path, json_true()) ? publish_nomem(e) : ST_OK;
}

static st_t keep_targets(struct prune *p, const json_t *doc, struct err *e)
{
	const char *path;
	json_t *t;
	json_object_foreach(json_object_get(publish_md_signed(doc), "targets"), path, t) {
		char at[LOG_PATH_MAX];
		const char *hex = publish_target_hex(t);
		if (!hex || !publish_path_valid(path))
			return fail(e, ST_MALFORMED, 0, "target \"%.100s\": no SHA-256, or no path", path);
		publish_target_path(path, hex, at);
		TRY(keep(p, at, e));
	}
	return ST_OK;
}

static st_t read_file(struct prune *p, const char *path, const char *role, json_t **ret,
                      struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	st_t st = p->r->pub->ops->get(p->r->pub->ctx, path, TUF_TARGETS_MAX, &b, &why);
	if (st == ST_OK)
		st = publish_md_read(rd_make(b.data, b.len), role, ret, &why);
	buf_done(&b);
	return st == ST_OK ? st : fail(e, st, why.off, "%.100s: %.150s", path, why.text);
}

/* A file of a role that a snapshot lists, and the targets in it; once each. */
static st_t keep_listed(struct prune *p, const char *name, const json_t *file, struct err *e)
{
	char path[LOG_PATH_MAX], role[TUF_ROLE_NAME_MAX + 1];
	uint64_t version;
	json_t *doc;
	snprintf(path, sizeof path, "metadata/%lld.%.120s",
	         (long long)json_integer_value(json_object_get(file, "version")), name);
	if (!split_name(path + strlen("metadata/"), &version, role))
		return fail(e, ST_MALFORMED, 0, "snapshot: lists \"%.100s\", no file of a role", name);
	if (json_object_get(p->keep, path))
		return ST_OK;
	TRY(read_file(p, path, role, &doc, e));
	st_t st = keep(p, path, e);
	if (st == ST_OK)
		st = keep_targets(p, doc, e);
	json_decref(doc);
	return st;
}

static void snapshot_path(uint64_t version, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "metadata/%llu.snapshot.json", (unsigned long long)version);
}

static st_t keep_snapshot(struct prune *p, const char *path, const json_t *doc, struct err *e)
{
	const char *name;
	json_t *file;
	TRY(keep(p, path, e));
	json_object_foreach(json_object_get(publish_md_signed(doc), "meta"), name, file)
		TRY(keep_listed(p, name, file, e));
	return ST_OK;
}

/* From the current one back: at least `n`, and each that was the current one after `since`. That
 * is known by the next one's signing: its expiry less a snapshot's life. */
static st_t keep_snapshots(struct prune *p, unsigned n, int64_t since, struct err *e)
{
	uint64_t current = publish_md_version(publish_set_find(&p->r->published, "snapshot"));
	int64_t followed = INT64_MAX;
	for (uint64_t v = current; v > 0 && (current - v < n || followed > since); v--) {
		char path[LOG_PATH_MAX];
		struct err why = {0};
		json_t *doc;
		snapshot_path(v, path);
		st_t st = read_file(p, path, "snapshot", &doc, &why);
		if (st == ST_NOT_FOUND)
			return ST_OK; /* pruned before */
		TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
		followed = publish_md_expires(doc) - p->r->lifetimes.snapshot;
		st = keep_snapshot(p, path, doc, e);
		json_decref(doc);
		TRY(st);
	}
	return ST_OK;
}

static st_t keep_release(void *ctx, const char *path, const char *hex, struct err *e)
{
	char at[LOG_PATH_MAX];
	publish_target_path(path, hex, at);
	return keep(ctx, at, e);
}

static st_t keep_set(void *ctx, const char *set, struct err *e)
{
	struct prune *p = ctx;
	return publish_each_old(p->r, set, keep_release, p, e);
}

static st_t keep_all(struct prune *p, const struct publish_prune *o, struct err *e)
{
	TRY(keep_snapshots(p, o->keep, o->now - o->age, e));
	for (size_t i = 0; i < p->r->staged.n; i++)
		TRY(keep_targets(p, p->r->staged.v[i].doc, e));
	return publish_each_set(p->r, keep_set, p, e);
}

/* -- removing --------------------------------------------------------------------------------- */

static st_t remove_one(struct prune *p, const char *path, struct err *e)
{
	if (json_object_get(p->keep, path))
		return ST_OK;
	p->removed++;
	return p->dry ? ST_OK : p->r->pub->ops->remove(p->r->pub->ctx, path, e);
}

/* Of snapshots, or of all other roles but root. */
static st_t remove_metadata(struct prune *p, const json_t *names, bool snapshots, struct err *e)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)names, name, v) {
		char path[LOG_PATH_MAX], role[TUF_ROLE_NAME_MAX + 1];
		uint64_t version;
		if (!split_name(name, &version, role) || strcmp(role, "root") == 0 ||
		    snapshots != (strcmp(role, "snapshot") == 0))
			continue;
		snprintf(path, sizeof path, "metadata/%.150s", name);
		TRY(remove_one(p, path, e));
	}
	return ST_OK;
}

static st_t remove_targets(struct prune *p, const char *folder, unsigned depth, struct err *e)
{
	json_auto_t *names = NULL;
	const char *name;
	json_t *v;
	TRY(list(p, folder, &names, e));
	json_object_foreach(names, name, v) {
		char path[LOG_PATH_MAX];
		if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
			continue; /* none of ours */
		if (is_target_name(name))
			TRY(remove_one(p, path, e));
		else if (depth < PUBLISH_PATH_PARTS)
			TRY(remove_targets(p, path, depth + 1, e));
	}
	return ST_OK;
}

static bool is_staged(const struct publish_repo *r, const char *hex)
{
	const char *path;
	json_t *t;
	bool is = false;
	for (size_t i = 0; i < r->staged.n; i++)
		json_object_foreach(json_object_get(publish_md_signed(r->staged.v[i].doc), "targets"), path,
		                    t)
			is = is || (publish_target_hex(t) && !strcmp(publish_target_hex(t), hex));
	return is;
}

/* Of what was staged and then staged anew with other bytes, or taken back. */
static st_t remove_staged(struct prune *p, struct err *e)
{
	struct log_store *s = p->r->priv;
	json_auto_t *names = json_object();
	const char *name;
	json_t *v;
	if (!names)
		return publish_nomem(e);
	TRY(s->ops->list(s->ctx, "staged/targets", take_name, names, e));
	json_object_foreach(names, name, v) {
		char path[LOG_PATH_MAX];
		if (strlen(name) != 64 || is_staged(p->r, name))
			continue;
		publish_staged_path(name, path);
		p->removed++;
		if (!p->dry)
			TRY(s->ops->remove(s->ctx, path, e));
	}
	return ST_OK;
}

static st_t prune(struct prune *p, const struct publish_prune *o, struct err *e)
{
	json_auto_t *names = NULL;
	TRY(keep_all(p, o, e));
	TRY(list(p, "metadata", &names, e));
	TRY(remove_metadata(p, names, true, e));
	TRY(remove_metadata(p, names, false, e));
	TRY(remove_targets(p, "targets", 1, e));
	return remove_staged(p, e);
}

st_t publish_prune(struct publish_repo *r, const struct publish_prune *o, size_t *ret,
                   struct err *e)
{
	struct prune p = {.r = r, .dry = o->dry};
	if (!publish_set_find(&r->published, "snapshot"))
		return fail(e, ST_NOT_FOUND, 0, "nothing is published yet");
	if (o->keep == 0 || o->age < 0)
		return fail(e, ST_LIMIT, 0, "the current snapshot at least has to be kept");
	p.keep = json_object();
	st_t st = p.keep ? prune(&p, o, e) : publish_nomem(e);
	json_decref(p.keep);
	if (st == ST_OK)
		*ret = p.removed;
	return st;
}
