/* Releases between being staged and being in the log. Runs in `vitrine publish`. */
#include "attest/dsse.h"
#include "publish/release.h"
#include "publish/repo_inside.h"
#include "tlog/text.h"
#include "update/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "vitrine-release v1\n"
#define MARK ".release" /* ending of the file that says that there is one */
#define SMALL_MAX ((size_t)256)

static st_t get(struct publish_repo *repo, const char *path, size_t max, struct buf *ret,
                struct err *e)
{
	return repo->priv->ops->get(repo->priv->ctx, path, max, ret, e);
}

static st_t replace(struct publish_repo *repo, const char *path, struct rd bytes, struct err *e)
{
	return repo->priv->ops->replace(repo->priv->ctx, path, bytes.base + bytes.pos, rd_left(&bytes),
	                                e);
}

static void staged_path(const char *set, const char *ending, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "staged/%.*s%s", UPDATE_SET_MAX, set, ending);
}

static void version_path(const char *set, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "%.*s.version", UPDATE_SET_MAX, set);
}

/* "KEY N" LF */
static bool take_number(struct rd *r, const char *key, uint64_t *ret)
{
	size_t n = strlen(key), digits = 0;
	bool good = rd_peek(r, key, n);
	uint64_t v = 0;
	for (rd_skip(r, n); good && rd_byte(r, r->pos) >= '0' && rd_byte(r, r->pos) <= '9'; digits++)
		v = v * 10 + (rd_u8(r) - '0');
	good = good && digits > 0 && digits < 19 && rd_u8(r) == '\n' && !r->bad;
	*ret = v;
	return good;
}

st_t publish_pending_write(struct publish_repo *repo, const char *set,
                           const struct publish_pending *p, struct rd envelope, struct err *e)
{
	char path[LOG_PATH_MAX], text[SMALL_MAX];
	staged_path(set, MARK ".dsse", path);
	TRY(replace(repo, path, envelope, e));
	int n = snprintf(text, sizeof text, FIRST_LINE "version %" PRIu64 "\npublishers %" PRIu64
	                 "\nstaged %" PRIu64 "\n", p->version, p->publishers, p->staged);
	staged_path(set, MARK, path);
	return replace(repo, path, rd_make(text, (size_t)n), e);
}

static st_t parse_mark(struct rd r, const char *path, struct publish_pending *ret, struct err *e)
{
	size_t n = strlen(FIRST_LINE);
	bool good = rd_peek(&r, FIRST_LINE, n);
	rd_skip(&r, n);
	good = good && take_number(&r, "version ", &ret->version) &&
	       take_number(&r, "publishers ", &ret->publishers) &&
	       take_number(&r, "staged ", &ret->staged) && rd_left(&r) == 0;
	return good ? ST_OK : fail(e, ST_MALFORMED, r.pos, "%s: damaged", path);
}

st_t publish_pending_read(struct publish_repo *repo, const char *set, struct publish_pending *ret,
                          struct buf *ret_envelope, struct err *e)
{
	char path[LOG_PATH_MAX];
	struct buf text = {0};
	struct publish_pending p;
	staged_path(set, MARK, path);
	st_t st = get(repo, path, SMALL_MAX, &text, e);
	if (st == ST_OK)
		st = parse_mark(rd_make(text.data, text.len), path, &p, e);
	buf_done(&text);
	TRY(st);
	staged_path(set, MARK ".dsse", path);
	TRY(get(repo, path, DSSE_SIZE_MAX, ret_envelope, e));
	*ret = p;
	return ST_OK;
}

st_t publish_pending_log(struct publish_repo *repo, const char *set, uint64_t version,
                         struct err *e)
{
	char path[LOG_PATH_MAX], text[SMALL_MAX];
	uint64_t last;
	TRY(publish_last_version(repo, set, &last, e));
	if (version <= last)
		return ST_OK;
	int n = snprintf(text, sizeof text, "%" PRIu64 "\n", version);
	version_path(set, path);
	return replace(repo, path, rd_make(text, (size_t)n), e);
}

st_t publish_pending_end(struct publish_repo *repo, const char *set, struct err *e)
{
	char path[LOG_PATH_MAX];
	staged_path(set, MARK, path);
	TRY(repo->priv->ops->remove(repo->priv->ctx, path, e));
	staged_path(set, MARK ".dsse", path);
	return repo->priv->ops->remove(repo->priv->ctx, path, e);
}

struct waiting {
	char set[UPDATE_SET_MAX + 1];
};

static void look(void *arg, const char *name)
{
	struct waiting *w = arg;
	size_t n = strlen(name), m = strlen(MARK);
	if (n <= m || n - m > UPDATE_SET_MAX || strcmp(name + n - m, MARK))
		return;
	snprintf(w->set, sizeof w->set, "%.*s", (int)(n - m), name);
}

st_t publish_pending_none(struct publish_repo *repo, struct err *e)
{
	struct waiting w = {0};
	TRY(repo->priv->ops->list(repo->priv->ctx, "staged", look, &w, e));
	if (!w.set[0])
		return ST_OK;
	return fail(e, ST_CONFLICT, 0,
	            "a release of %s is staged and not in the log yet: finish it with 'vitrine publish "
	            "release --continue --set %s', and nothing is published before", w.set, w.set);
}

/* A number and LF, or no file. */
static st_t read_number(struct publish_repo *repo, const char *path, uint64_t *ret, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	uint64_t v = 0;
	st_t st = get(repo, path, SMALL_MAX, &text, &why);
	struct rd r = rd_make(text.data, text.len);
	bool good = st == ST_NOT_FOUND || (st == ST_OK && take_number(&r, "", &v) && !rd_left(&r));
	buf_done(&text);
	if (st != ST_OK && st != ST_NOT_FOUND)
		return fail(e, st, why.off, "%s", why.text);
	if (!good)
		return fail(e, ST_MALFORMED, 0, "%s: damaged", path);
	*ret = v;
	return ST_OK;
}

st_t publish_last_version(struct publish_repo *repo, const char *set, uint64_t *ret,
                          struct err *e)
{
	char path[LOG_PATH_MAX];
	version_path(set, path);
	return read_number(repo, path, ret, e);
}

static void proved_path(const char *set, char ret[LOG_PATH_MAX])
{
	snprintf(ret, LOG_PATH_MAX, "%.*s.proved", UPDATE_SET_MAX, set);
}

st_t publish_proved(struct publish_repo *repo, const char *set, int64_t *ret, struct err *e)
{
	char path[LOG_PATH_MAX];
	uint64_t v;
	proved_path(set, path);
	TRY(read_number(repo, path, &v, e));
	*ret = (int64_t)v;
	return ST_OK;
}

st_t publish_proved_write(struct publish_repo *repo, const char *set, int64_t now, struct err *e)
{
	char path[LOG_PATH_MAX], text[SMALL_MAX];
	int n = snprintf(text, sizeof text, "%" PRId64 "\n", now);
	proved_path(set, path);
	return replace(repo, path, rd_make(text, (size_t)n), e);
}
