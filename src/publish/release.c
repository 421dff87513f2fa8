/* What a release consists of. Runs in `vitrine publish`.
 *
 * Deltas lead from older releases, which nothing published names in order: the private file
 * SET.releases has a line "HEX64 of main.vdb, SP, HEX64 of source.tar" for each that was published,
 * oldest first. */
#include "publish/release.h"

#include "base/io.h"
#include "crypto/digest.h"
#include "pack/delta.h"
#include "pack/zstd.h"
#include "publish/repo_inside.h"
#include "update/names.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Zstandard's default is 3; a release is compressed once and fetched often. Digests, which are most
 * of a large set, do not get smaller by more effort. */
#define ZSTD_LEVEL 12

/* Releases that are remembered: all those from which a delta may still be listed. */
#define HISTORY_MAX 64
#define HISTORY_LINE (2 * 65)

#define DELTA_HEX 16 /* digits of the old digest in the name of a delta */

static const char *const file_names[] = {SET_RELEASE_DATABASE, SET_RELEASE_SOURCE};
#define FILES 2

struct history {
	char hex[HISTORY_MAX][FILES][65];
	size_t n;
};

/* -- files ------------------------------------------------------------------------------------ */

static st_t fd_size(int fd, const char *what, uint64_t *ret, struct err *e)
{
	struct stat sb;
	if (fstat(fd, &sb))
		return fail_errno(e, "%s", what);
	*ret = (uint64_t)sb.st_size;
	return ST_OK;
}

static st_t temp_file(int *ret, struct err *e)
{
	*ret = memfd_create("release", MFD_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "memory file") : ST_OK;
}

/* "SET/" and three parts. */
static st_t target_path(const char *set, const char *a, const char *b, const char *c,
                        char ret[PUBLISH_PATH_MAX], struct err *e)
{
	int n = snprintf(ret, PUBLISH_PATH_MAX, "%s/%s%s%s", set, a, b, c);
	if (n < 0 || n >= PUBLISH_PATH_MAX)
		return fail(e, ST_LIMIT, 0, "release: the name of a target is too long");
	return ST_OK;
}

/* -- statement -------------------------------------------------------------------------------- */

static st_t check(const struct publish_release *r, struct err *e)
{
	if (!update_set_name_good(r->set))
		return fail(e, ST_MALFORMED, 0,
		            "release: %.64s is no name of a set (a-z, 0-9, \"-\" and \"_\", at most %d)",
		            r->set, UPDATE_SET_MAX);
	return ST_OK;
}

static st_t make_subjects(const struct publish_release *r,
                          struct statement_subject ret[FILES], struct err *e)
{
	const int fd[FILES] = {r->vdb_fd, r->source_fd};
	for (size_t i = 0; i < FILES; i++) {
		snprintf(ret[i].name, sizeof ret[i].name, "%s", file_names[i]);
		TRY(digest_file(DIGEST_SHA256, fd[i], ret[i].sha256, NULL, e));
	}
	return ST_OK;
}

st_t publish_release_statement(const struct publish_release *r, struct buf *out, struct err *e)
{
	struct statement_subject subject[FILES];
	char started[PUBLISH_TIME];
	TRY(check(r, e));
	TRY(make_subjects(r, subject, e));
	TRY(publish_time_text(r->now, started, e));
	struct set_release_dependency *deps = calloc(r->nimported + 1, sizeof *deps);
	if (!deps)
		return fail(e, ST_NOMEM, 0, "release: out of memory");
	deps[0].file = subject[1];
	for (size_t i = 0; i < r->nimported; i++)
		deps[i + 1] = r->imported[i];
	const struct set_release_new s = {
		.subject = subject,
		.nsubjects = FILES,
		.set = r->set,
		.version = r->version,
		.pua = r->pua,
		.strict = r->strict,
		.clamav = r->clamav,
		.database = r->database,
		.dependency = deps,
		.ndependencies = r->nimported + 1,
		.builder = r->builder,
		.vitrine = r->vitrine,
		.started = started,
	};
	st_t st = set_release_make(&s, out, e);
	free(deps);
	return st;
}

/* -- releases before -------------------------------------------------------------------------- */

static void history_path(const char *set, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "%.*s.releases", UPDATE_SET_MAX, set);
}

static bool is_hex(const char *s)
{
	return strspn(s, "0123456789abcdef") == 64 && strlen(s) == 64;
}

static st_t take_line(struct rd *r, struct history *h, struct err *e)
{
	char line[HISTORY_LINE];
	rd_copy(r, line, sizeof line);
	TRY(rd_check(r, e, "list of releases"));
	bool good = line[64] == ' ' && line[HISTORY_LINE - 1] == '\n' && h->n < HISTORY_MAX;
	line[64] = line[HISTORY_LINE - 1] = '\0';
	if (!good || !is_hex(line) || !is_hex(line + 65))
		return fail(e, ST_MALFORMED, r->pos, "list of releases: a line is damaged");
	memcpy(h->hex[h->n][0], line, 65);
	memcpy(h->hex[h->n++][1], line + 65, 65);
	return ST_OK;
}

static st_t history_read(struct publish_repo *repo, const char *set, struct history *ret,
                         struct err *e)
{
	char path[LOG_PATH_MAX];
	struct buf b = {0};
	struct err why = {0};
	ret->n = 0;
	history_path(set, path);
	st_t st = repo->priv->ops->get(repo->priv->ctx, path, (size_t)HISTORY_MAX * HISTORY_LINE, &b,
	                               &why);
	if (st == ST_NOT_FOUND)
		return ST_OK;
	struct rd r = rd_make(b.data, b.len);
	while (st == ST_OK && rd_left(&r))
		st = take_line(&r, ret, &why);
	buf_done(&b);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s: %s", path, why.text);
}

static st_t history_write(struct publish_repo *repo, const char *set, const struct history *h,
                          struct err *e)
{
	char path[LOG_PATH_MAX];
	struct buf b = {0};
	history_path(set, path);
	for (size_t i = 0; i < h->n; i++) {
		buf_text(&b, h->hex[i][0]);
		buf_u8(&b, ' ');
		buf_text(&b, h->hex[i][1]);
		buf_u8(&b, '\n');
	}
	st_t st = buf_check(&b, e, "release");
	if (st == ST_OK)
		st = repo->priv->ops->replace(repo->priv->ctx, path, b.data, b.len, e);
	buf_done(&b);
	return st;
}

/* The digests of what is published now. ST_NOT_FOUND: nothing of this set is. */
static st_t published_hex(struct publish_repo *repo, const char *set, char ret[FILES][65],
                          struct err *e)
{
	for (size_t i = 0; i < FILES; i++) {
		char path[PUBLISH_PATH_MAX];
		uint8_t sha256[32];
		AUTO_FD fd = -1;
		TRY(target_path(set, file_names[i], "", "", path, e));
		TRY(publish_open_target(repo, path, &fd, e));
		TRY(digest_file(DIGEST_SHA256, fd, sha256, NULL, e));
		hex_encode(sha256, 32, ret[i]);
	}
	return ST_OK;
}

/* Adds what is published now, as the last one. */
static st_t history_update(struct publish_repo *repo, const char *set, struct history *h,
                           struct err *e)
{
	char now[FILES][65];
	struct err why = {0};
	TRY(history_read(repo, set, h, e));
	st_t st = published_hex(repo, set, now, &why);
	if (st == ST_NOT_FOUND)
		return ST_OK;
	TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
	if (h->n && !memcmp(h->hex[h->n - 1], now, sizeof now))
		return ST_OK;
	if (h->n == HISTORY_MAX)
		memmove(h->hex[0], h->hex[1], --h->n * sizeof h->hex[0]);
	memcpy(h->hex[h->n++], now, sizeof now);
	return history_write(repo, set, h, e);
}

static st_t each_old(const char *set, const struct history *h,
                     st_t (*each)(void *ctx, const char *path, const char *hex, struct err *e),
                     void *ctx, struct err *e)
{
	for (size_t i = h->n > PUBLISH_DELTAS ? h->n - PUBLISH_DELTAS : 0; i < h->n; i++) {
		for (size_t k = 0; k < FILES; k++) {
			char path[PUBLISH_PATH_MAX];
			TRY(target_path(set, file_names[k], "", "", path, e));
			TRY(each(ctx, path, h->hex[i][k], e));
		}
	}
	return ST_OK;
}

st_t publish_each_old(struct publish_repo *repo, const char *set,
                      st_t (*each)(void *ctx, const char *path, const char *hex, struct err *e),
                      void *ctx, struct err *e)
{
	struct history *h = calloc(1, sizeof *h);
	if (!h)
		return fail(e, ST_NOMEM, 0, "release: out of memory");
	st_t st = history_read(repo, set, h, e);
	if (st == ST_OK)
		st = each_old(set, h, each, ctx, e);
	free(h);
	return st;
}

/* -- staging ---------------------------------------------------------------------------------- */

static st_t stage_file(struct publish_repo *repo, const char *set, const char *name,
                       const char *ending, int fd, struct err *e)
{
	char path[PUBLISH_PATH_MAX];
	uint64_t size = 0;
	TRY(target_path(set, name, ending, "", path, e));
	TRY(fd_size(fd, path, &size, e));
	return publish_stage_target(repo, "targets", path, fd, size, e);
}

/* *ret_size: of the compressed form. */
static st_t stage_both(struct publish_repo *repo, const char *set, const char *name, int fd,
                       uint64_t *ret_size, struct err *e)
{
	AUTO_FD small = -1;
	uint64_t size = 0;
	TRY(stage_file(repo, set, name, "", fd, e));
	TRY(fd_size(fd, name, &size, e));
	TRY(temp_file(&small, e));
	TRY(pack_compress(fd, size, ZSTD_LEVEL, small, ret_size, e));
	return stage_file(repo, set, name, ".zst", small, e);
}

static st_t delta_path(const char *set, const char *name, const char *hex,
                       char ret[PUBLISH_PATH_MAX], struct err *e)
{
	char old[DELTA_HEX + 2];
	snprintf(old, sizeof old, "-%.*s", DELTA_HEX, hex);
	return target_path(set, "delta/", name, old, ret, e);
}

/* An older file, if it is still there. */
static st_t open_old(struct publish_repo *repo, const char *set, const char *name,
                     const char *hex, int *ret, struct err *e)
{
	char path[PUBLISH_PATH_MAX], file[LOG_PATH_MAX];
	TRY(target_path(set, name, "", "", path, e));
	publish_target_path(path, hex, file);
	*ret = repo->io->open(repo->io->ctx, repo->dir_fd, file, O_RDONLY, 0);
	if (*ret < 0 && errno != ENOENT)
		return fail_errno(e, "%s", file);
	return ST_OK;
}

/* What is damaged on the disk is no old release. */
static st_t has_digest(int fd, const char *hex, bool *ret, struct err *e)
{
	uint8_t sha256[32];
	char is[65];
	TRY(digest_file(DIGEST_SHA256, fd, sha256, NULL, e));
	hex_encode(sha256, 32, is);
	*ret = !strcmp(is, hex);
	return ST_OK;
}

/* *ret_staged: it is worth its place, that is less than half of the compressed file. */
static st_t stage_delta(struct publish_repo *repo, const char *set, size_t which, int new_fd,
                        const char *old_hex, uint64_t compressed, bool *ret_staged, struct err *e)
{
	AUTO_FD old = -1, delta = -1;
	char path[PUBLISH_PATH_MAX];
	uint64_t size;
	bool good;
	*ret_staged = false;
	TRY(open_old(repo, set, file_names[which], old_hex, &old, e));
	if (old < 0)
		return ST_OK;
	TRY(has_digest(old, old_hex, &good, e));
	if (!good)
		return ST_OK;
	TRY(temp_file(&delta, e));
	TRY(delta_make(old, new_fd, delta, &size, e));
	if (size >= compressed / 2)
		return ST_OK;
	TRY(delta_path(set, file_names[which], old_hex, path, e));
	*ret_staged = true;
	return publish_stage_target(repo, "targets", path, delta, size, e);
}

static st_t unstage(struct publish_repo *repo, const char *role, const char *path, struct err *e)
{
	struct err why = {0};
	st_t st = publish_unstage_target(repo, role, path, &why);
	return st == ST_OK || st == ST_NOT_FOUND ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

static bool seen_later(const struct history *h, size_t which, size_t i)
{
	for (size_t k = i + 1; k < h->n; k++)
		if (!strcmp(h->hex[k][which], h->hex[i][which]))
			return true;
	return false;
}

/* Deltas from the last `deltas` older files; those from others are not offered any more. */
static st_t stage_deltas(struct publish_repo *repo, const char *set, size_t which, int fd,
                         const struct history *h, unsigned deltas, uint64_t compressed,
                         struct err *e)
{
	uint8_t sha256[32];
	char now[65], path[PUBLISH_PATH_MAX];
	unsigned left = deltas;
	TRY(digest_file(DIGEST_SHA256, fd, sha256, NULL, e));
	hex_encode(sha256, 32, now);
	for (size_t i = h->n; i-- > 0;) {
		const char *old = h->hex[i][which];
		bool staged = false;
		if (seen_later(h, which, i))
			continue;
		if (left && strcmp(old, now)) {
			left--;
			TRY(stage_delta(repo, set, which, fd, old, compressed, &staged, e));
		}
		TRY(delta_path(set, file_names[which], old, path, e));
		if (!staged)
			TRY(unstage(repo, "targets", path, e));
	}
	return ST_OK;
}

st_t publish_release_stage(struct publish_repo *repo, const struct publish_release *r,
                           struct rd envelope, unsigned deltas, struct err *e)
{
	const int fd[FILES] = {r->vdb_fd, r->source_fd};
	struct history h;
	char path[PUBLISH_PATH_MAX];
	TRY(check(r, e));
	TRY(history_update(repo, r->set, &h, e));
	for (size_t i = 0; i < FILES; i++) {
		uint64_t compressed;
		TRY(stage_both(repo, r->set, file_names[i], fd[i], &compressed, e));
		TRY(stage_deltas(repo, r->set, i, fd[i], &h, deltas, compressed, e));
	}
	TRY(target_path(r->set, "release.dsse", "", "", path, e));
	return publish_stage_bytes(repo, "targets", path, envelope, e);
}
