/* Publishing: what is staged, or only what the online key signs alone, becomes files; a client
 * looks at them; then timestamp.json, by one rename, makes them the repository.
 *
 *   sign    -> build    [online keys: evidence, snapshot, timestamp; all bytes are in memory]
 *   build   -> verify   [src/tuf, trusting what is published now, refreshes from what would be]
 *   verify  -> write    [targets and metadata under names that nobody asks for yet; barrier]
 *   write   -> switch   [timestamp.json, and a new root before or behind it]
 *   switch  -> clear    [what was staged]
 * A crash before the switch leaves files that nobody refers to, one behind it staged files that
 * publish_repo_open() finds published.
 *
 * A new root and timestamp.json are two files, and a reader may come between. Whatever the new
 * metadata lets: if it is good under the old root as well, the root comes last; else it comes
 * first. Only where a role got keys of which too few signed both, there is a moment between two
 * renames in which clients refuse the repository and keep what they have. */
#include "crypto/digest.h"
#include "publish/release.h"
#include "publish/repo_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct commit {
	struct publish_repo *r;
	struct signer *const *online;
	size_t n;
	int64_t now;
	const char *only; /* a role whose new file is all that is published; NULL: none */
	json_t *only_doc;
	struct publish_next next;
	struct publish_set made; /* snapshot, timestamp and what was renewed */
};

static const json_t *in_force(const struct commit *c, const char *role)
{
	return c->next.staged ? publish_current(c->r, role) : publish_set_find(&c->r->published, role);
}

/* -- building --------------------------------------------------------------------------------- */

static st_t add_new(struct commit *c, const char *role, const json_t *doc, struct err *e)
{
	if (c->next.n == sizeof c->next.v / sizeof c->next.v[0])
		return fail(e, ST_LIMIT, 0, "repository: more than %d roles", PUBLISH_ROLES_MAX);
	struct publish_new *f = &c->next.v[c->next.n++];
	*f = (struct publish_new){.doc = doc};
	snprintf(f->role, sizeof f->role, "%s", role);
	if (strcmp(role, "timestamp") == 0)
		snprintf(f->name, sizeof f->name, "timestamp.json");
	else
		snprintf(f->name, sizeof f->name, "%llu.%.120s.json",
		         (unsigned long long)publish_md_version(doc), role);
	return publish_md_write(doc, &f->bytes, e);
}

/* A staged file, without the empty signatures. */
static st_t add_staged(struct commit *c, const struct publish_md *m, struct err *e)
{
	struct publish_who who[2];
	size_t n;
	json_t *doc = json_deep_copy(m->doc);
	if (!doc)
		return publish_nomem(e);
	TRY(publish_set_put(&c->made, m->role, doc, e));
	TRY(publish_who(c->r, m->role, true, who, &n, e));
	TRY(publish_md_tidy(doc, who, n, false, e));
	for (size_t i = 0; i < n && !who[i].optional; i++) {
		uint64_t have = 0;
		TRY(publish_who_count(&who[i], m->doc, &have, e));
		if (have < who[i].threshold || publish_md_expires(m->doc) == 0)
			return fail(e, ST_BAD_SIG, 0, "%.100s: %llu of %llu signatures%s", m->role,
			            (unsigned long long)have, (unsigned long long)who[i].threshold,
			            i ? " of the keys that it had so far" : "");
	}
	return add_new(c, m->role, doc, e);
}

static bool half_over(const struct commit *c, const json_t *doc, int64_t lifetime)
{
	return publish_md_expires(doc) - c->now < (lifetime + 1) / 2;
}

/* Signs a file that was just made, with the keys that hold from now on and those before. */
static st_t sign_made(struct commit *c, const char *role, json_t *doc, uint64_t *ret_have,
                      struct err *e)
{
	struct publish_who who[2];
	size_t n, done;
	TRY(publish_who(c->r, role, c->next.staged, who, &n, e));
	TRY(publish_md_sign_all(doc, who, n, c->online, c->n, &done, e));
	return publish_who_count(&who[0], doc, ret_have, e);
}

static st_t need(const struct commit *c, const char *role, uint64_t *ret, struct err *e)
{
	struct publish_who who[2];
	size_t n;
	TRY(publish_who(c->r, role, c->next.staged, who, &n, e));
	*ret = who[0].threshold;
	return ST_OK;
}

static int64_t life_of(const struct commit *c, const char *role)
{
	bool evidence = strcmp(role, PUBLISH_EVIDENCE_ROLE) == 0;
	return evidence ? c->r->lifetimes.evidence : c->r->lifetimes.targets;
}

/* The next version of a delegated role's file, as far as the online keys can sign it. */
static st_t make_role(struct commit *c, const char *role, const json_t *from, uint64_t *ret_have,
                      json_t **ret, struct err *e)
{
	char expires[PUBLISH_TIME];
	uint64_t version = publish_md_version(publish_set_find(&c->r->published, role)) + 1;
	json_t *doc = json_deep_copy(from);
	if (!doc)
		return publish_nomem(e);
	TRY(publish_set_put(&c->made, role, doc, e));
	TRY(publish_time_text(c->now + life_of(c, role), expires, e));
	TRY(publish_md_stamp(doc, version, expires, e));
	*ret = doc;
	return sign_made(c, role, doc, ret_have, e);
}

static st_t add_only(struct commit *c, struct err *e)
{
	uint64_t have, threshold;
	json_t *doc;
	TRY(need(c, c->only, &threshold, e));
	TRY(make_role(c, c->only, c->only_doc, &have, &doc, e));
	if (have < threshold)
		return fail(e, ST_BAD_SIG, 0, "%.100s: %llu of %llu signatures: the online key is missing, "
		            "or is not one of the role's", c->only, (unsigned long long)have,
		            (unsigned long long)threshold);
	return add_new(c, c->only, doc, e);
}

/* A delegated role of which half the life is over, if the online keys can sign it alone. */
static st_t renew_role(struct commit *c, const struct publish_md *m, struct err *e)
{
	uint64_t have, threshold;
	json_t *doc;
	if (publish_role_type(m->role) != TUF_TARGETS || strcmp(m->role, "targets") == 0 ||
	    !half_over(c, m->doc, life_of(c, m->role)) || publish_set_find(&c->made, m->role) ||
	    (c->next.staged && publish_set_find(&c->r->staged, m->role)))
		return ST_OK;
	if (need(c, m->role, &threshold, NULL) != ST_OK)
		return ST_OK; /* nobody delegates to it any more */
	TRY(make_role(c, m->role, m->doc, &have, &doc, e));
	if (have >= threshold)
		return add_new(c, m->role, doc, e);
	publish_set_drop(&c->made, m->role);
	return ST_OK;
}

static json_t *file_of(const struct publish_new *f, struct err *e)
{
	uint8_t sum[32];
	char hex[PUBLISH_HEX];
	if (digest_bytes(DIGEST_SHA256, f->bytes.data, f->bytes.len, sum, e) != ST_OK)
		return NULL;
	hex_encode(sum, sizeof sum, hex);
	return json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)publish_md_version(f->doc),
	                 "length", (json_int_t)f->bytes.len, "hashes", "sha256", hex);
}

/* "meta" of a snapshot: what the last one listed, with the new files in it. */
static st_t list_files(const struct commit *c, json_t *meta, struct err *e)
{
	for (size_t i = 0; i < c->next.n; i++) {
		const struct publish_new *f = &c->next.v[i];
		char name[TUF_ROLE_NAME_MAX + 6];
		if (publish_role_type(f->role) != TUF_TARGETS)
			continue;
		snprintf(name, sizeof name, "%.200s.json", f->role);
		if (json_object_set_new(meta, name, file_of(f, e)))
			return publish_nomem(e);
	}
	return ST_OK;
}

/* Snapshot or timestamp: the next version, with this "meta". */
static st_t make_list(struct commit *c, const char *role, json_t *meta, int64_t life,
                      struct err *e)
{
	uint64_t have, threshold;
	char expires[PUBLISH_TIME];
	uint64_t version = publish_md_version(publish_set_find(&c->r->published, role)) + 1;
	TRY(publish_time_text(c->now + life, expires, e));
	json_t *doc = json_pack("{s:[], s:{s:s, s:s, s:I, s:s, s:O}}", "signatures", "signed",
	                        "_type", role, "spec_version", PUBLISH_SPEC_VERSION, "version",
	                        (json_int_t)version, "expires", expires, "meta", meta);
	if (!doc)
		return publish_nomem(e);
	TRY(publish_set_put(&c->made, role, doc, e));
	TRY(sign_made(c, role, doc, &have, e));
	TRY(need(c, role, &threshold, e));
	if (have < threshold)
		return fail(e, ST_BAD_SIG, 0, "%s: %llu of %llu signatures: the online key is missing, or "
		            "is not the one of the root", role, (unsigned long long)have,
		            (unsigned long long)threshold);
	return add_new(c, role, doc, e);
}

/* Whether the snapshot that is published will do. */
static st_t snapshot_stays(const struct commit *c, bool *ret, struct err *e)
{
	const json_t *old = publish_set_find(&c->r->published, "snapshot");
	uint64_t have = 0, threshold;
	struct publish_who who[2];
	size_t n;
	*ret = false;
	for (size_t i = 0; i < c->next.n; i++)
		if (publish_role_type(c->next.v[i].role) == TUF_TARGETS)
			return ST_OK;
	if (!old || half_over(c, old, c->r->lifetimes.snapshot))
		return ST_OK;
	TRY(publish_who(c->r, "snapshot", c->next.staged, who, &n, e));
	threshold = who[0].threshold;
	TRY(publish_who_count(&who[0], old, &have, e));
	*ret = have >= threshold;
	return ST_OK;
}

static st_t make_snapshot(struct commit *c, struct err *e)
{
	bool stays;
	const json_t *old = publish_set_find(&c->r->published, "snapshot");
	TRY(snapshot_stays(c, &stays, e));
	if (stays)
		return ST_OK;
	json_auto_t *meta = old ? json_deep_copy(json_object_get(publish_md_signed(old), "meta"))
	                        : json_object();
	if (!meta)
		return publish_nomem(e);
	TRY(list_files(c, meta, e));
	return make_list(c, "snapshot", meta, c->r->lifetimes.snapshot, e);
}

static st_t make_timestamp(struct commit *c, struct err *e)
{
	const struct publish_new *last = c->next.n ? &c->next.v[c->next.n - 1] : NULL;
	json_auto_t *meta = NULL;
	if (last && strcmp(last->role, "snapshot") == 0) {
		meta = json_object();
		if (json_object_set_new(meta, "snapshot.json", file_of(last, e)))
			return publish_nomem(e);
	} else {
		const json_t *old = publish_set_find(&c->r->published, "timestamp");
		meta = json_deep_copy(json_object_get(publish_md_signed(old), "meta"));
		if (!meta)
			return publish_nomem(e);
	}
	return make_list(c, "timestamp", meta, c->r->lifetimes.timestamp, e);
}

static st_t build(struct commit *c, struct err *e)
{
	const struct publish_repo *r = c->r;
	for (size_t i = 0; c->next.staged && i < r->staged.n; i++)
		TRY(add_staged(c, &r->staged.v[i], e));
	if (!in_force(c, "root") || !in_force(c, "targets"))
		return fail(e, ST_NOT_FOUND, 0, "nothing is published yet, and not all of it is staged");
	if (c->only)
		TRY(add_only(c, e));
	for (size_t i = 0; i < r->published.n; i++)
		TRY(renew_role(c, &r->published.v[i], e));
	TRY(make_snapshot(c, e));
	return make_timestamp(c, e);
}

/* -- writing ---------------------------------------------------------------------------------- */

static st_t copy_target(struct commit *c, const char *path, const char *hex, const void *p,
                        size_t n, struct err *e)
{
	uint8_t sum[32];
	char is[PUBLISH_HEX], at[LOG_PATH_MAX];
	TRY(digest_bytes(DIGEST_SHA256, p, n, sum, e));
	hex_encode(sum, sizeof sum, is);
	if (strcmp(is, hex))
		return fail(e, ST_BAD_SUM, 0, "target \"%.100s\": its staged file is damaged; stage it "
		            "again", path);
	publish_target_path(path, hex, at);
	return c->r->pub->ops->put(c->r->pub->ctx, at, p, n, e);
}

static st_t copy_open(struct commit *c, const char *path, const char *hex, int fd, struct err *e)
{
	const struct log_io *io = c->r->io;
	uint64_t size;
	if (io->size(io->ctx, fd, &size))
		return fail_errno(e, "target \"%.100s\"", path);
	if (size == 0)
		return copy_target(c, path, hex, "", 0, e);
	void *p = size <= SIZE_MAX ? io->map(io->ctx, fd, (size_t)size) : NULL;
	if (!p)
		return fail_errno(e, "target \"%.100s\"", path);
	st_t st = copy_target(c, path, hex, p, (size_t)size, e);
	io->unmap(io->ctx, p, (size_t)size);
	return st;
}

/* One that is not staged is published already: publish_verify() saw it. */
static st_t write_target(struct commit *c, const char *path, const json_t *t, struct err *e)
{
	const struct log_io *io = c->r->io;
	const char *hex = publish_target_hex(t);
	char at[LOG_PATH_MAX];
	publish_staged_path(hex, at);
	int fd = io->open(io->ctx, c->r->private_fd, at, O_RDWR, 0);
	if (fd < 0)
		return errno == ENOENT ? ST_OK : fail_errno(e, "%s", at);
	st_t st = copy_open(c, path, hex, fd, e);
	io->close(io->ctx, fd);
	return st;
}

static st_t write_targets(struct commit *c, const json_t *doc, struct err *e)
{
	const char *path;
	json_t *t;
	json_object_foreach(json_object_get(publish_md_signed(doc), "targets"), path, t)
		TRY(write_target(c, path, t, e));
	return ST_OK;
}

/* Everything but what readers ask for by a name that they know. */
static st_t write_all(struct commit *c, struct err *e)
{
	struct log_store *s = c->r->pub;
	for (size_t i = 0; i < c->next.n; i++) {
		const struct publish_new *f = &c->next.v[i];
		char at[LOG_PATH_MAX + 16];
		if (c->next.staged || c->only)
			TRY(write_targets(c, f->doc, e));
		if (strcmp(f->role, "root") == 0 || strcmp(f->role, "timestamp") == 0)
			continue;
		snprintf(at, sizeof at, "metadata/%s", f->name);
		TRY(s->ops->put(s->ctx, at, f->bytes.data, f->bytes.len, e));
	}
	return s->ops->barrier(s->ctx, e);
}

static st_t replace(struct commit *c, const char *role, struct err *e)
{
	struct log_store *s = c->r->pub;
	for (size_t i = 0; i < c->next.n; i++) {
		const struct publish_new *f = &c->next.v[i];
		char at[LOG_PATH_MAX + 16];
		snprintf(at, sizeof at, "metadata/%s", f->name);
		if (strcmp(f->role, role) == 0)
			return s->ops->replace(s->ctx, at, f->bytes.data, f->bytes.len, e);
	}
	return ST_OK;
}

/* -- afterwards ------------------------------------------------------------------------------- */

/* The files are published: that clearing up fails harms nobody, the next one does it again. */
static void clear_staged(struct publish_repo *r)
{
	while (r->staged.n) {
		char path[LOG_PATH_MAX], role[TUF_ROLE_NAME_MAX + 1];
		const struct publish_md *m = &r->staged.v[r->staged.n - 1];
		const char *name;
		json_t *t;
		json_object_foreach(json_object_get(publish_md_signed(m->doc), "targets"), name, t) {
			if (!publish_target_hex(t))
				continue;
			publish_staged_path(publish_target_hex(t), path);
			(void)!r->priv->ops->remove(r->priv->ctx, path, NULL);
		}
		snprintf(role, sizeof role, "%s", m->role);
		(void)!publish_stage_drop(r, role, NULL);
	}
}

static st_t settle(struct commit *c, struct err *e)
{
	for (size_t i = 0; i < c->next.n; i++) {
		const struct publish_new *f = &c->next.v[i];
		TRY(publish_set_put(&c->r->published, f->role, json_incref((json_t *)f->doc), e));
	}
	if (c->next.staged)
		clear_staged(c->r);
	return ST_OK;
}

static bool has_new_root(const struct commit *c)
{
	bool has = false;
	for (size_t i = 0; i < c->next.n; i++)
		has = has || strcmp(c->next.v[i].role, "root") == 0;
	return has;
}

static st_t run(struct commit *c, struct err *e)
{
	if (c->next.staged)
		TRY(publish_sign(c->r, c->online, c->n, c->now, e));
	TRY(build(c, e));
	TRY(publish_verify(c->r, &c->next, false, c->now, e));
	bool root_last = has_new_root(c) && publish_set_find(&c->r->published, "timestamp") &&
	                 publish_verify(c->r, &c->next, true, c->now, NULL) == ST_OK;
	TRY(write_all(c, e));
	if (!root_last)
		TRY(replace(c, "root", e));
	TRY(replace(c, "timestamp", e));
	if (root_last)
		TRY(replace(c, "root", e));
	return settle(c, e);
}

static struct commit *commit_new(struct publish_repo *r, struct signer *const *online, size_t n,
                                 int64_t now)
{
	struct commit *c = calloc(1, sizeof *c);
	if (c)
		*c = (struct commit){.r = r, .online = online, .n = n, .now = now};
	return c;
}

static st_t commit(struct commit *c, struct err *e)
{
	st_t st = run(c, e);
	publish_next_done(&c->next);
	publish_set_done(&c->made);
	free(c);
	return st;
}

st_t publish_commit(struct publish_repo *r, struct signer *const *online, size_t n, int64_t now,
                    struct err *e)
{
	TRY(publish_pending_none(r, e));
	struct commit *c = commit_new(r, online, n, now);
	if (!c)
		return publish_nomem(e);
	c->next.staged = true;
	return commit(c, e);
}

st_t publish_commit_file(struct publish_repo *r, const char *role, json_t *doc,
                         struct signer *const *online, size_t n, int64_t now, struct err *e)
{
	struct commit *c = commit_new(r, online, n, now);
	if (!c)
		return publish_nomem(e);
	c->only = role;
	c->only_doc = doc;
	TRY(commit(c, e));
	return publish_resettle(r, e);
}

st_t publish_refresh(struct publish_repo *r, struct signer *const *online, size_t n, int64_t now,
                     struct err *e)
{
	return publish_commit_file(r, NULL, NULL, online, n, now, e);
}

st_t publish_version(struct publish_repo *r, const char *role, uint64_t *ret, struct err *e)
{
	const json_t *doc = publish_set_find(&r->published, role);
	if (!doc)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: not published", role);
	*ret = publish_md_version(doc);
	return ST_OK;
}

st_t publish_expires(struct publish_repo *r, const char *role, int64_t *ret, struct err *e)
{
	const json_t *doc = publish_set_find(&r->published, role);
	if (!doc)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: not published", role);
	*ret = publish_md_expires(doc);
	return ST_OK;
}
