/* Evidence of published releases: proofs and verdicts, which the online keys sign. Runs in `vitrine
 * publish`. */
#include "publish/release.h"

#include "crypto/digest.h"
#include "publish/repo_inside.h"
#include "update/names.h"

#include <stdio.h>
#include <string.h>

#define STATEMENT "/release.dsse" /* behind the name of a set */

static st_t evidence_path(const char *set, const char *name, char ret[PUBLISH_PATH_MAX],
                          struct err *e)
{
	int n = snprintf(ret, PUBLISH_PATH_MAX, "%s/evidence/%s", set, name);
	if (n < 0 || n >= PUBLISH_PATH_MAX)
		return fail(e, ST_LIMIT, 0, "evidence: the name of a target is too long");
	return ST_OK;
}

static st_t check(const struct publish_evidence *v, struct err *e)
{
	if (!update_set_name_good(v->set))
		return fail(e, ST_MALFORMED, 0, "evidence: %.64s is no name of a set", v->set);
	if (v->n > PUBLISH_REBUILDS_MAX)
		return fail(e, ST_LIMIT, 0, "evidence: more than %d verdicts", PUBLISH_REBUILDS_MAX);
	return ST_OK;
}

/* The k-th file of a set's evidence: its proof, then verdict and proof in turn. */
static st_t get_file(const struct publish_evidence *v, size_t k, char ret_path[PUBLISH_PATH_MAX],
                     struct rd *ret, struct err *e)
{
	char name[48] = "release.tlog-proof";
	bool proof = k % 2 == 0;
	const struct publish_rebuild *b = k ? &v->rebuild[(k - 1) / 2] : NULL;
	if (b)
		snprintf(name, sizeof name, "rebuild-%zu.%s", (k + 1) / 2, proof ? "tlog-proof" : "dsse");
	*ret = !b ? v->release_proof : proof ? b->proof : b->envelope;
	return evidence_path(v->set, name, ret_path, e);
}

static size_t count_files(const struct publish_evidence *v)
{
	return 1 + 2 * v->n;
}

/* -- staging ---------------------------------------------------------------------------------- */

static st_t unstage(struct publish_repo *repo, const char *path, struct err *e)
{
	struct err why = {0};
	st_t st = publish_unstage_target(repo, PUBLISH_EVIDENCE_ROLE, path, &why);
	return st == ST_OK || st == ST_NOT_FOUND ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

st_t publish_evidence_stage(struct publish_repo *repo, const struct publish_evidence *v,
                            struct err *e)
{
	char path[PUBLISH_PATH_MAX];
	struct rd bytes;
	TRY(check(v, e));
	const struct publish_evidence most = {.set = v->set, .n = PUBLISH_REBUILDS_MAX};
	for (size_t k = 0; k < count_files(v); k++) {
		TRY(get_file(v, k, path, &bytes, e));
		TRY(publish_stage_bytes(repo, PUBLISH_EVIDENCE_ROLE, path, bytes, e));
	}
	for (size_t k = count_files(v); k < count_files(&most); k++) {
		TRY(get_file(&most, k, path, &bytes, e));
		TRY(unstage(repo, path, e));
	}
	return ST_OK;
}

/* -- publishing it alone ---------------------------------------------------------------------- */

static json_t *targets_of(const json_t *doc)
{
	return json_object_get(publish_md_signed(doc), "targets");
}

static bool is_of(const char *path, const char *set)
{
	size_t n = strlen(set);
	return !strncmp(path, set, n) && !strncmp(path + n, "/evidence/", 10);
}

/* Whether two lists say the same of a set. */
static bool same_set(const json_t *a, const json_t *b, const char *set)
{
	const char *path;
	json_t *t;
	bool same = true;
	json_object_foreach((json_t *)(uintptr_t)a, path, t)
		same = same && (!is_of(path, set) || json_equal(t, json_object_get(b, path)));
	json_object_foreach((json_t *)(uintptr_t)b, path, t)
		same = same && (!is_of(path, set) || json_object_get(a, path));
	return same;
}

/* The file waits where staged ones do, until it is copied to its place. */
static st_t list_file(struct publish_repo *repo, json_t *targets, const char *path, struct rd bytes,
                      struct err *e)
{
	uint8_t sum[32];
	char hex[PUBLISH_HEX], at[LOG_PATH_MAX];
	const uint8_t *p = bytes.base + bytes.pos;
	TRY(digest_bytes(DIGEST_SHA256, p, rd_left(&bytes), sum, e));
	hex_encode(sum, sizeof sum, hex);
	publish_staged_path(hex, at);
	TRY(repo->priv->ops->put(repo->priv->ctx, at, p, rd_left(&bytes), e));
	json_t *t = json_pack("{s:I, s:{s:s}}", "length", (json_int_t)rd_left(&bytes), "hashes",
	                      "sha256", hex);
	return json_object_set_new(targets, path, t) ? publish_nomem(e) : ST_OK;
}

static st_t replace_set(struct publish_repo *repo, json_t *doc, const struct publish_evidence *v,
                        struct err *e)
{
	json_t *targets = targets_of(doc), *t;
	const char *path;
	void *next;
	json_object_foreach_safe(targets, next, path, t)
		if (is_of(path, v->set))
			json_object_del(targets, path);
	for (size_t k = 0; k < count_files(v); k++) {
		char at[PUBLISH_PATH_MAX];
		struct rd bytes;
		TRY(get_file(v, k, at, &bytes, e));
		TRY(list_file(repo, targets, at, bytes, e));
	}
	return ST_OK;
}

/* Staged evidence first: a crash in between leaves it newer than what is published, not older. */
static st_t follow(struct publish_repo *repo, const struct publish_evidence *v, size_t n,
                   struct err *e)
{
	json_t *doc = publish_set_find(&repo->staged, PUBLISH_EVIDENCE_ROLE);
	const json_t *old = publish_set_find(&repo->published, PUBLISH_EVIDENCE_ROLE);
	bool changed = false;
	for (size_t i = 0; doc && i < n; i++) {
		if (!same_set(targets_of(doc), targets_of(old), v[i].set))
			continue;
		if (!changed)
			TRY(publish_stage_edit(repo, PUBLISH_EVIDENCE_ROLE, &doc, e));
		changed = true;
		TRY(replace_set(repo, doc, &v[i], e));
	}
	return changed ? publish_stage_save(repo, PUBLISH_EVIDENCE_ROLE, e) : ST_OK;
}

/* What is published, and not staged besides, need not wait any more. */
static void clear(struct publish_repo *repo, const json_t *doc)
{
	const json_t *staged = targets_of(publish_set_find(&repo->staged, PUBLISH_EVIDENCE_ROLE));
	const char *path, *other;
	json_t *t, *o;
	json_object_foreach(targets_of(doc), path, t) {
		char at[LOG_PATH_MAX];
		bool used = false;
		json_object_foreach((json_t *)(uintptr_t)staged, other, o)
			used = used || json_equal(t, o);
		publish_staged_path(publish_target_hex(t), at);
		if (!used)
			(void)!repo->priv->ops->remove(repo->priv->ctx, at, NULL);
	}
}

static st_t commit(struct publish_repo *repo, const struct publish_evidence *v, size_t n,
                   struct signer *const *online, size_t nonline, int64_t now, json_t *doc,
                   struct err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(replace_set(repo, doc, &v[i], e));
	TRY(follow(repo, v, n, e));
	TRY(publish_commit_file(repo, PUBLISH_EVIDENCE_ROLE, doc, online, nonline, now, e));
	clear(repo, doc);
	for (size_t i = 0; i < n; i++)
		TRY(publish_proved_write(repo, v[i].set, now, e));
	return ST_OK;
}

st_t publish_commit_evidence(struct publish_repo *repo, const struct publish_evidence *v, size_t n,
                             struct signer *const *online, size_t nonline, int64_t now,
                             struct err *e)
{
	const json_t *old = publish_set_find(&repo->published, PUBLISH_EVIDENCE_ROLE);
	if (!old)
		return fail(e, ST_NOT_FOUND, 0, "evidence: nothing is published yet");
	for (size_t i = 0; i < n; i++)
		TRY(check(&v[i], e));
	json_auto_t *doc = json_deep_copy(old);
	return doc ? commit(repo, v, n, online, nonline, now, doc, e) : publish_nomem(e);
}

/* -- sets ------------------------------------------------------------------------------------- */

st_t publish_each_set(struct publish_repo *repo,
                      st_t (*each)(void *ctx, const char *set, struct err *e), void *ctx,
                      struct err *e)
{
	const char *path;
	json_t *t;
	json_object_foreach(targets_of(publish_set_find(&repo->published, "targets")), path, t) {
		char set[UPDATE_SET_MAX + 1];
		size_t n = strlen(path), m = strlen(STATEMENT);
		if (n <= m || n - m > UPDATE_SET_MAX || strcmp(path + n - m, STATEMENT))
			continue;
		snprintf(set, sizeof set, "%.*s", (int)(n - m), path);
		if (update_set_name_good(set))
			TRY(each(ctx, set, e));
	}
	return ST_OK;
}
