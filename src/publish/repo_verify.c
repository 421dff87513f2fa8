/* What is to be published, seen by a client: src/tuf over what would be there. */
#include "publish/repo_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void publish_next_done(struct publish_next *next)
{
	for (size_t i = 0; i < next->n; i++)
		buf_done(&next->v[i].bytes);
	next->n = 0;
}

struct held {
	char name[LOG_PATH_MAX];
	struct buf bytes;
};

/* A repository as it would be, and a client's store in memory. */
struct view {
	struct publish_repo *r;
	const struct publish_next *next;
	bool old_root;
	struct held store[PUBLISH_ROLES_MAX + TUF_TYPES];
	size_t n;
};

static st_t copy(const struct buf *b, size_t max, struct buf *ret, struct err *e)
{
	if (b->len > max)
		return fail(e, ST_LIMIT, max, "longer than %zu bytes, so no client would read it", max);
	buf_add(ret, b->data, b->len);
	return buf_check(ret, e, "repository");
}

static st_t view_fetch(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e)
{
	const struct view *v = ctx;
	char at[LOG_PATH_MAX];
	struct buf b = {0};
	for (size_t i = 0; i < v->next->n; i++) {
		const struct publish_new *f = &v->next->v[i];
		if (v->old_root && strcmp(f->role, "root") == 0)
			continue;
		if (strcmp(f->name, path) == 0)
			return copy(&f->bytes, max, ret, e);
	}
	if (snprintf(at, sizeof at, "metadata/%s", path) >= (int)sizeof at)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: not there", path);
	st_t st = v->r->pub->ops->get(v->r->pub->ctx, at, max, &b, e);
	if (st == ST_OK)
		st = copy(&b, max, ret, e);
	buf_done(&b);
	return st;
}

static struct held *held(struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->store[i].name, name) == 0)
			return &v->store[i];
	return NULL;
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	const struct held *h = held(ctx, name);
	if (!h || h->bytes.len == 0)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: not there", name);
	return copy(&h->bytes, max, ret, e);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct view *v = ctx;
	struct held *h = held(v, name);
	if (!h && v->n == sizeof v->store / sizeof v->store[0])
		return fail(e, ST_LIMIT, 0, "repository: more than %d roles", PUBLISH_ROLES_MAX);
	if (!h) {
		h = &v->store[v->n++];
		snprintf(h->name, sizeof h->name, "%s", name);
	}
	h->bytes.len = 0;
	buf_add(&h->bytes, bytes.base + bytes.pos, rd_left(&bytes));
	return buf_check(&h->bytes, e, "repository");
}

static st_t store_remove(void *ctx, const char *name, struct err *e)
{
	struct held *h = held(ctx, name);
	(void)e;
	if (h)
		h->bytes.len = 0;
	return ST_OK;
}

/* The client has the first root, and whatever is published. */
static st_t trust_published(struct view *v, struct err *e)
{
	struct buf b = {0};
	st_t st = view_fetch(v, "1.root.json", TUF_ROOT_MAX, &b, e);
	if (st == ST_OK)
		st = store_put(v, "root.json", rd_make(b.data, b.len), e);
	for (size_t i = 0; i < v->r->published.n && st == ST_OK; i++) {
		const struct publish_md *m = &v->r->published.v[i];
		char name[LOG_PATH_MAX];
		if (strcmp(m->role, "root") == 0)
			continue;
		b.len = 0;
		snprintf(name, sizeof name, "%.200s.json", m->role);
		st = publish_md_write(m->doc, &b, e);
		if (st == ST_OK)
			st = store_put(v, name, rd_make(b.data, b.len), e);
	}
	buf_done(&b);
	return st;
}

/* Its file is there, and staged or published. */
static st_t check_there(struct publish_repo *r, const char *path, const json_t *t, struct err *e)
{
	char at[LOG_PATH_MAX], staged[LOG_PATH_MAX];
	const char *hex = publish_target_hex(t);
	if (!hex || !publish_path_valid(path))
		return fail(e, ST_MALFORMED, 0, "target \"%.100s\": no SHA-256, or no path", path);
	publish_target_path(path, hex, at);
	publish_staged_path(hex, staged);
	int fd = r->io->open(r->io->ctx, r->private_fd, staged, 0, 0);
	if (fd < 0)
		fd = r->io->open(r->io->ctx, r->dir_fd, at, 0, 0);
	if (fd < 0)
		return fail(e, ST_NOT_FOUND, 0, "target \"%.100s\": its file is neither staged nor "
		            "published", path);
	uint64_t size = 0;
	int bad = r->io->size(r->io->ctx, fd, &size);
	r->io->close(r->io->ctx, fd);
	if (bad || size != (uint64_t)json_integer_value(json_object_get(t, "length")))
		return fail(e, ST_BAD_SUM, 0, "target \"%.100s\": its file has another length", path);
	return ST_OK;
}

static st_t find_one(struct view *v, struct tuf_client *c, const char *role, const char *path,
                     const json_t *t, struct err *e)
{
	struct tuf_target found;
	char hex[PUBLISH_HEX];
	TRY(check_there(v->r, path, t, e));
	TRY(tuf_find_target(c, path, &found, e));
	hex_encode(found.file.hashes.sha256, 32, hex);
	bool same = found.file.hashes.has256 && strcmp(hex, publish_target_hex(t)) == 0;
	st_t st = ST_OK;
	if (!same)
		st = fail(e, ST_CONFLICT, 0, "target \"%.80s\": clients would take what the role %.60s "
		          "lists, not what %.60s does", path, found.role, role);
	tuf_target_done(&found);
	return st;
}

/* Signed by the keys that the delegation to it will name, and not expired. Top-level roles are the
 * client's to check. */
static st_t check_delegated(struct view *v, const char *role, const json_t *doc, int64_t now,
                            struct err *e)
{
	struct publish_who who[2];
	size_t n;
	uint64_t have;
	if (publish_role_type(role) != TUF_TARGETS || strcmp(role, "targets") == 0)
		return ST_OK;
	st_t st = publish_who(v->r, role, v->next->staged, who, &n, NULL);
	if (st == ST_NOT_FOUND)
		return ST_OK; /* nobody delegates to it any more */
	TRY(publish_who_count(&who[0], doc, &have, e));
	if (have < who[0].threshold)
		return fail(e, ST_BAD_SIG, 0, "%.100s: %llu of %llu signatures", role,
		            (unsigned long long)have, (unsigned long long)who[0].threshold);
	if (publish_md_expires(doc) <= now)
		return fail(e, ST_TIMEOUT, 0, "%.100s: expired; 'vitrine publish renew' stages it anew",
		            role);
	return ST_OK;
}

static const json_t *next_find(const struct publish_next *next, const char *role)
{
	for (size_t i = 0; i < next->n; i++)
		if (strcmp(next->v[i].role, role) == 0)
			return next->v[i].doc;
	return NULL;
}

/* Whoever is delegated to has a file. */
static st_t check_delegations(struct view *v, const json_t *doc, struct err *e)
{
	const json_t *d = json_object_get(publish_md_signed(doc), "delegations"), *o;
	size_t i;
	json_array_foreach(json_object_get(d, "roles"), i, o) {
		const char *name = json_string_value(json_object_get(o, "name"));
		if (!next_find(v->next, name) && !publish_set_find(&v->r->published, name))
			return fail(e, ST_NOT_FOUND, 0, "%.100s: delegated to, but there is no file of it",
			            name);
	}
	return ST_OK;
}

static st_t check_new(struct view *v, struct tuf_client *c, const struct publish_new *f,
                      struct err *e)
{
	const char *path;
	json_t *t;
	if (publish_role_type(f->role) != TUF_TARGETS)
		return ST_OK;
	TRY(check_delegated(v, f->role, f->doc, c->now, e));
	TRY(check_delegations(v, f->doc, e));
	json_object_foreach(json_object_get(publish_md_signed(f->doc), "targets"), path, t)
		TRY(find_one(v, c, f->role, path, t, e));
	return ST_OK;
}

static st_t check_roles(struct view *v, struct tuf_client *c, struct err *e)
{
	for (size_t i = 0; i < v->next->n; i++)
		TRY(check_new(v, c, &v->next->v[i], e));
	for (size_t i = 0; i < v->r->published.n; i++) {
		const struct publish_md *m = &v->r->published.v[i];
		if (!next_find(v->next, m->role))
			TRY(check_delegated(v, m->role, m->doc, c->now, e));
	}
	return ST_OK;
}

static st_t run(struct view *v, int64_t now, struct err *e)
{
	const struct tuf_fetch fetch = {.get = view_fetch, .ctx = v};
	const struct tuf_store store = {
		.get = store_get, .put = store_put, .remove = store_remove, .ctx = v};
	struct tuf_client c;
	TRY(trust_published(v, e));
	st_t st = tuf_refresh(&fetch, &store, now, &c, e);
	if (st == ST_OK)
		st = check_roles(v, &c, e);
	tuf_client_done(&c);
	return st;
}

st_t publish_verify(struct publish_repo *r, const struct publish_next *next, bool old_root,
                    int64_t now, struct err *e)
{
	struct view *v = calloc(1, sizeof *v);
	if (!v)
		return publish_nomem(e);
	v->r = r;
	v->next = next;
	v->old_root = old_root;
	st_t st = run(v, now, e);
	for (size_t i = 0; i < v->n; i++)
		buf_done(&v->store[i].bytes);
	free(v);
	return st;
}
