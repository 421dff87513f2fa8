/* A log behind a prefix of URLs, over net/fetch.h. */
#include "log/source_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One transfer may take this long: a full bundle of the longest entries has 17 MB. */
#define TRANSFER_MS (60u * 1000)
/* With no answer for this long, whatever is under way, the source has stalled. */
#define STALL_MS (3 * 60 * 1000)
/* A server that hands out tens of thousands of files fails at one now and then. */
#define TRIES 3

struct asked {
	char path[TILE_PATH_MAX];
	size_t max;
	unsigned tries;
};

struct url {
	struct fetch fetch;
	char *prefix; /* ends with a slash */
	struct asked *v;
	size_t n; /* by slot */
};

static st_t submit(struct url *u, size_t slot, struct err *e)
{
	char url[FETCH_URL_MAX];
	struct asked *a = &u->v[slot];
	int n = snprintf(url, sizeof url, "%s%s", u->prefix, a->path);
	if (n < 0 || (size_t)n >= sizeof url)
		return fail(e, ST_LIMIT, 0, "log: the URL is too long");
	struct fetch_request r = {.url = url, .max = a->max, .timeout_ms = TRANSFER_MS, .tag = slot};
	a->tries++;
	return u->fetch.ops->submit(u->fetch.ctx, &r, e);
}

static st_t url_ask(void *ctx, const char *path, size_t max, size_t slot, struct err *e)
{
	struct url *u = ctx;
	if (slot >= u->n) {
		size_t n = slot < 8 ? 16 : 2 * slot;
		struct asked *more = reallocarray(u->v, n, sizeof *more);
		if (!more)
			return fail(e, ST_NOMEM, 0, "log: out of memory");
		u->v = more;
		u->n = n;
	}
	u->v[slot] = (struct asked){.max = max};
	memcpy(u->v[slot].path, path, strlen(path) + 1);
	return submit(u, slot, e);
}

/* Whether asking again may help: nothing came, or the server says that it is its own fault. */
static bool may_pass(const struct fetch_response *r)
{
	return r->status == 0 || r->status >= 500;
}

static st_t judge(const struct fetch_response *r, struct err *e)
{
	if (r->status == 200)
		return ST_OK;
	if (r->status == 404 || r->status == 410)
		return fail(e, ST_NOT_FOUND, 0, "not there (HTTP status %u)", r->status);
	if (r->status == 0)
		return fail(e, ST_IO, 0, "%.200s", r->error[0] ? r->error : "nothing came");
	return fail(e, ST_IO, 0, "HTTP status %u", r->status);
}

static st_t next_response(struct url *u, struct fetch_response *ret, struct err *e)
{
	st_t st = u->fetch.ops->next(u->fetch.ctx, STALL_MS, ret, e);
	if (st == ST_TIMEOUT)
		return fail(e, ST_TIMEOUT, 0, "log: no answer in %d seconds", STALL_MS / 1000);
	return st;
}

static st_t url_take(void *ctx, struct source_answer *ret, struct err *e)
{
	struct url *u = ctx;
	struct fetch_response r;
	for (;;) {
		memset(&r, 0, sizeof r);
		TRY(next_response(u, &r, e));
		if (r.tag >= u->n) {
			buf_done(&r.body);
			return fail(e, ST_IO, 0, "log: the fetcher answers what it was not asked");
		}
		if (!may_pass(&r) || u->v[r.tag].tries >= TRIES)
			break;
		buf_done(&r.body);
		TRY(submit(u, (size_t)r.tag, e));
	}
	ret->slot = (size_t)r.tag;
	ret->st = judge(&r, &ret->e);
	ret->body = r.body;
	if (ret->st == ST_OK && r.body.len > u->v[r.tag].max)
		ret->st = fail(&ret->e, ST_LIMIT, 0, "%zu bytes, at most %zu are possible", r.body.len,
		               u->v[r.tag].max);
	return ST_OK;
}

static void url_free(void *ctx)
{
	struct url *u = ctx;
	free(u->prefix);
	free(u->v);
	free(u);
}

static const struct source_ops url_ops = {url_ask, url_take, url_free};

st_t log_source_new_url(const char *url, const struct fetch *fetch, struct log_source **ret,
                        struct err *e)
{
	size_t n = strlen(url);
	struct url *u = calloc(1, sizeof *u);
	char *prefix = malloc(n + 2);
	if (!u || !prefix) {
		free(u);
		free(prefix);
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	}
	memcpy(prefix, url, n + 1);
	if (n == 0 || prefix[n - 1] != '/')
		memcpy(prefix + n, "/", 2);
	u->fetch = *fetch;
	u->prefix = prefix;
	return log_source_new(&url_ops, u, ret, e);
}
