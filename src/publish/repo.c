/* Opening a publisher's repository: configuration, what is published, what is staged. */
#include "attest/base64.h"
#include "publish/repo_inside.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_FIRST_LINE "vitrine-publish v1"
#define CONFIG_MAX ((size_t)16 << 10) /* with all keys that publishers may have */

/* No metadata lives longer: a mistyped lifetime is not for ever. */
#define LIFETIME_MAX (INT64_C(3660) * 86400)

struct lifetime_line {
	const char *word;
	size_t off;
};
static const struct lifetime_line lines[] = {
	{"root", offsetof(struct publish_lifetimes, root)},
	{"targets", offsetof(struct publish_lifetimes, targets)},
	{"evidence", offsetof(struct publish_lifetimes, evidence)},
	{"snapshot", offsetof(struct publish_lifetimes, snapshot)},
	{"timestamp", offsetof(struct publish_lifetimes, timestamp)},
};
#define LINES (sizeof lines / sizeof lines[0])

static int64_t *line_value(struct publish_lifetimes *l, size_t i)
{
	return (int64_t *)(void *)((char *)l + lines[i].off);
}

/* -- configuration ---------------------------------------------------------------------------- */

static void put_publishers(struct buf *b, const struct publish_role_keys *k)
{
	if (k->n == 0)
		return;
	buf_text(b, "publishers ");
	text_decimal_add(b, k->threshold);
	for (size_t i = 0; i < k->n; i++) {
		buf_text(b, "\npublisher ");
		text_base64_add(b, k->v[i].key.spki, k->v[i].key.nspki);
	}
	buf_u8(b, '\n');
}

static st_t config_write(struct publish_repo *r, struct err *e)
{
	struct buf b = {0};
	buf_text(&b, CONFIG_FIRST_LINE "\n");
	for (size_t i = 0; i < LINES; i++) {
		buf_text(&b, lines[i].word);
		buf_u8(&b, ' ');
		text_decimal_add(&b, (uint64_t)*line_value(&r->lifetimes, i));
		buf_u8(&b, '\n');
	}
	put_publishers(&b, &r->publishers);
	st_t st = buf_check(&b, e, "publish config");
	if (st == ST_OK)
		st = r->priv->ops->replace(r->priv->ctx, "config", b.data, b.len, e);
	buf_done(&b);
	return st;
}

static bool config_line(struct rd *in, const char *word, int64_t *ret)
{
	struct rd line, name;
	uint64_t v;
	if (!text_line(in, &line) || !text_until(&line, ' ', &name) || !text_is(name, word) ||
	    !text_decimal(rd_sub(&line, rd_left(&line)), &v) || v == 0 || v > LIFETIME_MAX)
		return false;
	*ret = (int64_t)v;
	return true;
}

static bool publisher_line(struct rd *in, struct attest_key *ret)
{
	struct rd line, name;
	struct buf der = {0};
	bool good = text_line(in, &line) && text_until(&line, ' ', &name) &&
	            text_is(name, "publisher") &&
	            attest_base64(rd_sub(&line, rd_left(&line)), &der) && !der.oom &&
	            attest_key_parse_spki(rd_make(der.data, der.len), ret, NULL) == ST_OK;
	buf_done(&der);
	return good;
}

/* None, or a threshold and as many keys at least. */
static st_t publishers_parse(struct rd in, struct publish_role_keys *ret, struct err *e)
{
	int64_t threshold;
	struct publish_role_keys k = {0};
	if (rd_left(&in) == 0)
		return ST_OK;
	bool good = config_line(&in, "publishers", &threshold);
	while (good && rd_left(&in))
		good = k.n < PUBLISH_KEYS_MAX && publisher_line(&in, &k.v[k.n++].key);
	if (!good)
		return fail(e, ST_MALFORMED, in.pos, "publish config: a line of publishers is damaged");
	k.threshold = (uint64_t)threshold;
	TRY(publish_keys_check(PUBLISH_PUBLISHER, &k, e));
	*ret = k;
	return ST_OK;
}

static st_t config_parse(struct rd in, struct publish_repo *r, struct err *e)
{
	struct publish_lifetimes *ret = &r->lifetimes;
	struct rd first;
	if (!text_line(&in, &first) || !text_is(first, CONFIG_FIRST_LINE))
		return fail(e, ST_UNSUPPORTED, 0, "publish config: the first line is not '"
		            CONFIG_FIRST_LINE "'");
	for (size_t i = 0; i < LINES; i++)
		if (!config_line(&in, lines[i].word, line_value(ret, i)))
			return fail(e, ST_MALFORMED, in.pos, "publish config: no line '%s SECONDS' in its "
			            "place", lines[i].word);
	return publishers_parse(in, &r->publishers, e);
}

static st_t config_read(struct publish_repo *r, struct err *e)
{
	struct buf b = {0};
	st_t st = r->priv->ops->get(r->priv->ctx, "config", CONFIG_MAX, &b, e);
	if (st == ST_OK)
		st = config_parse(rd_make(b.data, b.len), r, e);
	buf_done(&b);
	return st;
}

st_t publish_publishers_write(struct publish_repo *r, const struct publish_role_keys *keys,
                              struct err *e)
{
	struct publish_role_keys old = r->publishers;
	TRY(publish_keys_check(PUBLISH_PUBLISHER, keys, e));
	r->publishers = *keys;
	st_t st = config_write(r, e);
	if (st != ST_OK)
		r->publishers = old;
	return st;
}

/* -- loading ---------------------------------------------------------------------------------- */

static st_t load(struct log_store *s, const char *path, const char *role, struct publish_set *into,
                 struct err *e)
{
	struct buf b = {0};
	json_t *doc;
	struct err why = {0};
	st_t st = s->ops->get(s->ctx, path, TUF_TARGETS_MAX, &b, &why);
	if (st == ST_OK)
		st = publish_md_read(rd_make(b.data, b.len), role, &doc, &why);
	buf_done(&b);
	if (st == ST_OK)
		return publish_set_put(into, role, doc, e);
	return fail(e, st, why.off, "%.100s: %.150s", path, why.text);
}

/* "N.root.json" without a gap from 1 on: the last one is in force. */
static st_t load_roots(struct publish_repo *r, struct err *e)
{
	for (uint64_t n = 1; n <= TUF_ROOTS_MAX; n++) {
		char path[LOG_PATH_MAX];
		struct err why = {0};
		snprintf(path, sizeof path, "metadata/%llu.root.json", (unsigned long long)n);
		st_t st = load(r->pub, path, "root", &r->published, &why);
		if (st == ST_NOT_FOUND)
			return ST_OK;
		if (st == ST_OK && publish_md_version(publish_set_find(&r->published, "root")) != n)
			st = fail(&why, ST_CONFLICT, 0, "%s: of another version", path);
		if (st != ST_OK)
			return fail(e, st, why.off, "%s", why.text);
	}
	return fail(e, ST_LIMIT, 0, "repository: more than %d roots", TUF_ROOTS_MAX);
}

/* The files that a snapshot lists. */
static st_t load_listed(struct publish_repo *r, struct err *e)
{
	const json_t *snapshot = publish_set_find(&r->published, "snapshot");
	const char *name;
	json_t *file;
	json_object_foreach(json_object_get(publish_md_signed(snapshot), "meta"), name, file) {
		char path[LOG_PATH_MAX], role[TUF_ROLE_NAME_MAX + 1];
		size_t n = strlen(name);
		if (n <= 5 || n - 5 > PUBLISH_ROLE_NAME_MAX || strcmp(name + n - 5, ".json"))
			return fail(e, ST_MALFORMED, 0, "snapshot: lists \"%.100s\", no file of a role", name);
		snprintf(role, sizeof role, "%.*s", (int)(n - 5), name);
		snprintf(path, sizeof path, "metadata/%lld.%.120s",
		         (long long)json_integer_value(json_object_get(file, "version")), name);
		if (!publish_role_name_valid(role))
			return fail(e, ST_MALFORMED, 0, "snapshot: \"%.100s\" is no name of a role", role);
		TRY(load(r->pub, path, role, &r->published, e));
	}
	return ST_OK;
}

static st_t load_published(struct publish_repo *r, struct err *e)
{
	struct err why = {0};
	TRY(load_roots(r, e));
	st_t st = load(r->pub, "metadata/timestamp.json", "timestamp", &r->published, &why);
	if (st == ST_NOT_FOUND)
		return ST_OK; /* not published yet */
	if (st != ST_OK)
		return fail(e, st, why.off, "%s", why.text);
	const json_t *body = publish_md_signed(publish_set_find(&r->published, "timestamp"));
	const json_t *meta = json_object_get(json_object_get(body, "meta"), "snapshot.json");
	char path[LOG_PATH_MAX];
	snprintf(path, sizeof path, "metadata/%lld.snapshot.json",
	         (long long)json_integer_value(json_object_get(meta, "version")));
	TRY(load(r->pub, path, "snapshot", &r->published, e));
	return load_listed(r, e);
}

struct names {
	char v[PUBLISH_ROLES_MAX][TUF_ROLE_NAME_MAX + 1];
	size_t n;
	bool full;
};

static void take_name(void *arg, const char *name)
{
	struct names *s = arg;
	size_t n = strlen(name);
	if (n <= 5 || n - 5 > PUBLISH_ROLE_NAME_MAX || strcmp(name + n - 5, ".json"))
		return;
	s->full = s->full || s->n == PUBLISH_ROLES_MAX;
	if (!s->full)
		snprintf(s->v[s->n++], sizeof s->v[0], "%.*s", (int)(n - 5), name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What was published, but not cleared away before a crash, is dropped, and so is a role whose
 * delegation was not staged any more. What was overtaken (only the
 * online key's files can be) gets a version of its own and is to be signed anew. */
static st_t settle_staged(struct publish_repo *r, const struct publish_md *m, struct err *e)
{
	json_t *doc = m->doc;
	const json_t *old = publish_set_find(&r->published, m->role);
	char role[TUF_ROLE_NAME_MAX + 1];
	bool same = false;
	struct publish_who who[2];
	size_t n;
	uint64_t next = publish_md_version(old) + 1;
	snprintf(role, sizeof role, "%s", m->role);
	st_t st = publish_who(r, role, true, who, &n, NULL);
	if (st == ST_NOT_FOUND)
		return publish_stage_drop(r, role, e);
	if (!old || publish_md_version(doc) == next)
		return ST_OK;
	TRY(publish_same(publish_md_signed(doc), publish_md_signed(old), &same, e));
	if (same)
		return publish_stage_drop(r, role, e);
	return publish_md_stamp(doc, next, PUBLISH_NO_EXPIRY, e);
}

st_t publish_resettle(struct publish_repo *r, struct err *e)
{
	for (size_t i = r->staged.n; i-- > 0;)
		TRY(settle_staged(r, &r->staged.v[i], e));
	return ST_OK;
}

static st_t load_staged(struct publish_repo *r, struct names *names, struct err *e)
{
	TRY(r->priv->ops->list(r->priv->ctx, "staged", take_name, names, e));
	if (names->full)
		return fail(e, ST_LIMIT, 0, "staged: more than %d roles", PUBLISH_ROLES_MAX);
	qsort(names->v, names->n, sizeof names->v[0], by_name);
	for (size_t i = 0; i < names->n; i++) {
		char path[LOG_PATH_MAX];
		if (!publish_role_name_valid(names->v[i]))
			return fail(e, ST_MALFORMED, 0, "staged/%.100s.json: no name of a role", names->v[i]);
		snprintf(path, sizeof path, "staged/%.120s.json", names->v[i]);
		TRY(load(r->priv, path, names->v[i], &r->staged, e));
	}
	return publish_resettle(r, e);
}

static st_t load_all(struct publish_repo *r, struct err *e)
{
	struct names *names = calloc(1, sizeof *names);
	if (!names)
		return publish_nomem(e);
	st_t st = config_read(r, e);
	if (st == ST_OK)
		st = load_published(r, e);
	if (st == ST_OK)
		st = load_staged(r, names, e);
	free(names);
	return st;
}

/* -- making and opening ----------------------------------------------------------------------- */

static st_t take_lock(struct publish_repo *r, struct err *e)
{
	r->lock_fd = r->io->open(r->io->ctx, r->private_fd, "lock", O_RDWR | O_CREAT, 0600);
	if (r->lock_fd < 0)
		return fail_errno(e, "lock of the repository");
	if (r->io->lock(r->io->ctx, r->lock_fd) == 0)
		return ST_OK;
	if (errno == EAGAIN || errno == EACCES)
		return fail(e, ST_CONFLICT, 0, "the repository is being changed by another process");
	return fail_errno(e, "lock of the repository");
}

static st_t repo_new(const struct log_io *io, int dir_fd, int private_fd, struct publish_repo **ret,
                     struct err *e)
{
	struct publish_repo *r = calloc(1, sizeof *r);
	if (!r)
		return publish_nomem(e);
	*r = (struct publish_repo){
		.io = io, .dir_fd = dir_fd, .private_fd = private_fd, .lock_fd = -1};
	*ret = r;
	TRY(take_lock(r, e));
	TRY(log_store_open_folder(io, private_fd, &r->priv, e));
	return log_store_open_folder(io, dir_fd, &r->pub, e);
}

void publish_repo_free(struct publish_repo *r)
{
	if (!r)
		return;
	publish_set_done(&r->published);
	publish_set_done(&r->staged);
	log_store_free(r->pub);
	log_store_free(r->priv);
	if (r->lock_fd >= 0)
		r->io->close(r->io->ctx, r->lock_fd);
	free(r);
}

static st_t is_new(struct publish_repo *r, struct err *e)
{
	struct buf b = {0};
	st_t priv = r->priv->ops->get(r->priv->ctx, "config", CONFIG_MAX, &b, NULL);
	b.len = 0;
	st_t pub = r->pub->ops->get(r->pub->ctx, "metadata/1.root.json", TUF_ROOT_MAX, &b, NULL);
	buf_done(&b);
	if (priv == ST_NOT_FOUND && pub == ST_NOT_FOUND)
		return ST_OK;
	return fail(e, ST_CONFLICT, 0, priv == ST_NOT_FOUND
	            ? "there is a repository already, but not its private folder: restore that"
	            : "there is a repository already");
}

static st_t check_init(const struct publish_init *init, struct err *e)
{
	struct publish_lifetimes l = init->lifetimes;
	for (enum tuf_type t = 0; t < TUF_TYPES; t++)
		TRY(publish_keys_check(tuf_type_name(t), &init->role[t], e));
	TRY(publish_keys_check(PUBLISH_EVIDENCE_ROLE, &init->evidence, e));
	if (init->publishers.n)
		TRY(publish_keys_check(PUBLISH_PUBLISHER, &init->publishers, e));
	for (size_t i = 0; i < LINES; i++)
		if (*line_value(&l, i) <= 0 || *line_value(&l, i) > LIFETIME_MAX)
			return fail(e, ST_LIMIT, 0, "%s: a lifetime of %lld seconds", lines[i].word,
			            (long long)*line_value(&l, i));
	return ST_OK;
}

/* Stages a first file; the config, which makes it a repository, comes last. */
static st_t stage_first(struct publish_repo *r, const char *role, json_t *doc, struct err *e)
{
	return publish_set_put(&r->staged, role, doc, e);
}

static st_t stage_all(struct publish_repo *r, const struct publish_init *init, struct err *e)
{
	static const char *const evidence[] = {"*/evidence/*"};
	const struct publish_delegation d = {
		.name = PUBLISH_EVIDENCE_ROLE, .delegator = "targets", .paths = evidence, .npaths = 1,
		.terminating = true, .keys = &init->evidence};
	json_t *root, *targets, *list;
	TRY(publish_make_root(init->role, &root, e));
	TRY(stage_first(r, "root", root, e));
	TRY(publish_make_targets(&targets, e));
	TRY(stage_first(r, "targets", targets, e));
	TRY(publish_add_delegation(targets, &d, e));
	TRY(publish_make_targets(&list, e));
	TRY(stage_first(r, PUBLISH_EVIDENCE_ROLE, list, e));
	TRY(publish_stage_save(r, "root", e));
	TRY(publish_stage_save(r, "targets", e));
	return publish_stage_save(r, PUBLISH_EVIDENCE_ROLE, e);
}

static st_t make(struct publish_repo *r, const struct publish_init *init, int64_t now,
                 struct err *e)
{
	r->lifetimes = init->lifetimes;
	r->publishers = init->publishers;
	TRY(is_new(r, e));
	TRY(stage_all(r, init, e));
	TRY(publish_sign(r, NULL, 0, now, e));
	return config_write(r, e);
}

st_t publish_repo_init(const struct log_io *io, int dir_fd, int private_fd,
                       const struct publish_init *init, int64_t now, struct publish_repo **ret,
                       struct err *e)
{
	struct publish_repo *r = NULL;
	TRY(check_init(init, e));
	st_t st = repo_new(io, dir_fd, private_fd, &r, e);
	if (st == ST_OK)
		st = make(r, init, now, e);
	if (st != ST_OK)
		publish_repo_free(r);
	else
		*ret = r;
	return st;
}

st_t publish_repo_open(const struct log_io *io, int dir_fd, int private_fd,
                       struct publish_repo **ret, struct err *e)
{
	struct publish_repo *r = NULL;
	struct err why = {0};
	st_t st = repo_new(io, dir_fd, private_fd, &r, &why);
	if (st == ST_OK)
		st = load_all(r, &why);
	if (st == ST_OK) {
		*ret = r;
		return ST_OK;
	}
	publish_repo_free(r);
	if (st == ST_NOT_FOUND && !strncmp(why.text, "config", 6))
		return fail(e, st, 0, "no repository; 'vitrine publish init' makes one");
	return fail(e, st, why.off, "%s", why.text);
}
