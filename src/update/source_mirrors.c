/* A repository behind URLs, and its mirrors.
 *
 * Invariants
 * 1. What is sent is a path below one of the policy's URLs, the same for everybody; nothing else
 *    steers a request but where an earlier transfer broke off.
 * 2. A small file comes from one mirror as a whole; a large one, which has its digest in its name
 *    or in what is signed, may come from several, each byte once.
 * 3. Every loop ends: a mirror is asked again only where bytes came, and TRIES times at most. */
#include "base/num.h"
#include "net/fetch_wire.h"
#include "update/source.h"
#include "update/source_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Transfers from one mirror, of one file, that broke off after some bytes. */
#define TRIES 4

/* Failures in a row after which a mirror is asked last. */
#define LOST 2

/* What a large file gets beyond the time of a small one: the slowest line that is waited for. */
#define SLOWEST_BYTES_MS 16u

struct place {
	const char *base;
	unsigned lost;
};

struct mirrors {
	struct fetch fetch;
	struct update_mirrors m;
	struct place repo[UPDATE_MIRRORS_MAX];
	struct place log[POLICY_ITEMS_MAX];
	size_t first; /* that of repo[] which worked last */
	uint64_t bytes, requests;
	uint32_t heard, last; /* repositories whose data came, a bit each; the last of them, from 1 */
};

/* One file. */
struct job {
	const char *path;
	uint64_t from, max;
	update_sink *sink; /* NULL: into out */
	void *sink_ctx;
	struct buf *out;
	const struct place *log; /* that was asked, where the policy has a URL for it */
	bool over;    /* no other mirror can help */
	bool missing; /* one of them says that there is no such file */
	struct err e; /* of the mirror that was asked last, but for those that do not have it */
};

/* ---- URLs ---- */

/* RFC 3986, 3.3: what may stand in a path. "%" is the beginning of what is encoded already. */
static bool is_path_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-._~!$&'()*+,;=:@/%", c);
}

static bool make_url(const char *base, const char *path, char ret[FETCH_URL_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strlen(base);
	if (n + 1 >= FETCH_URL_MAX)
		return false;
	memcpy(ret, base, n);
	if (n && ret[n - 1] != '/')
		ret[n++] = '/';
	for (; *path && n + 4 < FETCH_URL_MAX; path++) {
		if (is_path_char(*path)) {
			ret[n++] = *path;
			continue;
		}
		ret[n++] = '%';
		ret[n++] = digits[(unsigned char)*path >> 4];
		ret[n++] = digits[*path & 15];
	}
	ret[n] = '\0';
	return *path == '\0';
}

/* Whether the first n bytes of s, percent-decoded, are the name. */
static bool is_encoded_name(const char *s, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++, name++) {
		int c = (unsigned char)s[i];
		if (c == '%') {
			c = i + 2 < n ? update_percent_byte(s + i) : 0;
			i += 2;
		}
		if (c == 0 || (unsigned char)*name != c)
			return false;
	}
	return *name == '\0';
}

/* "log/ORIGIN/REST": the policy's log with a URL (NULL: none), and "/REST". */
static struct place *find_log(struct mirrors *m, const char *path, const char **ret_rest)
{
	const char *rest = strncmp(path, "log/", 4) ? NULL : strchr(path + 4, '/');
	size_t n = rest ? (size_t)(rest - path) - 4 : 0;
	*ret_rest = rest;
	for (size_t i = 0; rest && m->m.logs && i < m->m.logs->nlogs; i++)
		if (m->log[i].base && is_encoded_name(path + 4, n, m->m.logs->logs[i].key.name))
			return &m->log[i];
	return NULL;
}

/* ---- one mirror ---- */

static uint32_t time_for(const struct mirrors *m, const struct job *j)
{
	uint64_t ms = j->sink ? j->max / SLOWEST_BYTES_MS : 0;
	uint64_t rate = m->m.bandwidth / 1000 + 1; /* bytes a millisecond that we allow ourselves */
	if (j->sink && m->m.bandwidth && rate < SLOWEST_BYTES_MS)
		ms = j->max / rate * 2;
	ms = num_min_u64(ms, FETCH_TIMEOUT_MS_MAX) + (m->m.timeout_ms ? m->m.timeout_ms : 60000);
	return (uint32_t)num_min_u64(ms, FETCH_TIMEOUT_MS_MAX);
}

static st_t judge_failure(const struct fetch_response *r, const char *url, struct err *e)
{
	static const st_t st[FETCH_FAILURES] = {
		[FETCH_FAILED] = ST_IO, [FETCH_TOO_LONG] = ST_LIMIT,
		[FETCH_TOO_SLOW] = (st_t)-ETIMEDOUT};
	return fail(e, st[r->failure], 0, "%.120s: %.120s", url,
	            r->error[0] ? r->error : "nothing came");
}

/* 403 is what some stores say of a file that is not there to who may not list them. */
static st_t judge(const struct fetch_response *r, const char *url, struct err *e)
{
	if (r->status == 200 || r->status == 206)
		return ST_OK;
	if (r->status == 0)
		return judge_failure(r, url, e);
	if (r->status == 404 || r->status == 410 || r->status == 403)
		return fail(e, ST_NOT_FOUND, 0, "%.160s: not there (HTTP status %u)", url, r->status);
	if (r->status == 416)
		return fail(e, ST_TRUNCATED, 0, "%.160s: shorter than elsewhere", url);
	return fail(e, ST_IO, 0, "%.160s: HTTP status %u", url, r->status);
}

/* Negative with `over`: the fetcher is gone. */
static st_t ask(struct mirrors *m, struct job *j, const char *url, struct fetch_response *ret,
                struct err *e)
{
	struct fetch_request r = {.url = url, .max = (size_t)j->max, .from = j->from, .sink = j->sink,
	                          .sink_ctx = j->sink_ctx, .timeout_ms = time_for(m, j),
	                          .bandwidth = m->m.bandwidth};
	st_t st = fetch_one(&m->fetch, &r, ret, e);
	if (st == ST_OK) {
		m->requests++;
		m->bytes += ret->size;
	}
	j->over = st < ST_OK;
	return st;
}

/* What was streamed stays: the next one goes on behind it. */
static st_t take(struct job *j, struct fetch_response *r, const char *url, struct err *e)
{
	if (r->sink != ST_OK) {
		j->over = true;
		return fail(e, r->sink, 0, "%s", r->error);
	}
	st_t st = judge(r, url, e);
	if (!j->sink && st == ST_OK)
		buf_add(j->out, r->body.data, r->body.len);
	if (j->sink) {
		j->from += r->size;
		j->max -= r->size;
		j->over = st == ST_LIMIT;
	}
	return st == ST_OK ? buf_check(j->out, e, "download") : st;
}

/* Again, where bytes came before it broke off. */
static st_t try_place(struct mirrors *m, struct job *j, struct place *p, const char *path,
                      struct err *e)
{
	char url[FETCH_URL_MAX];
	st_t st = ST_IO;
	if (!make_url(p->base, path, url))
		return fail(e, ST_LIMIT, 0, "%.100s: the URL is too long", path);
	for (unsigned i = 0; i < TRIES; i++) {
		struct fetch_response r = {0};
		err_clear(e);
		TRY(ask(m, j, url, &r, e));
		uint64_t before = j->from;
		st = take(j, &r, url, e);
		buf_done(&r.body);
		bool again = (st == ST_IO || st == (st_t)-ETIMEDOUT) && j->from > before;
		if (!again || j->over)
			break;
	}
	return st;
}

/* ---- all of them ---- */

/* An answer that says that there is nothing is no data. */
static void note_data(struct mirrors *m, const struct place *p, st_t st, uint64_t bytes_before)
{
	if (p < m->repo || p >= m->repo + m->m.nrepositories || st == ST_NOT_FOUND ||
	    (st != ST_OK && m->bytes == bytes_before))
		return;
	m->last = (uint32_t)(p - m->repo) + 1;
	m->heard |= 1u << (m->last - 1);
}

static st_t try_and_note(struct mirrors *m, struct job *j, struct place *p, const char *path)
{
	struct err why = {0};
	uint64_t before = m->bytes;
	st_t st = try_place(m, j, p, path, &why);
	note_data(m, p, st, before);
	bool heard = st == ST_OK || st == ST_NOT_FOUND;
	p->lost = heard ? 0 : p->lost + 1;
	j->missing = j->missing || st == ST_NOT_FOUND;
	if (!heard || j->e.st == ST_OK || j->e.st == ST_NOT_FOUND)
		j->e = why;
	return st;
}

/* Whether it was asked already: the policy's URL of the log is "log/" of this repository. */
static bool was_asked(const struct place *log, const struct place *repo)
{
	size_t n = strlen(repo->base), k = log ? strlen(log->base) : 0;
	n -= n > 0 && repo->base[n - 1] == '/';
	k -= k > 0 && log->base[k - 1] == '/';
	return k == n + 4 && !memcmp(log->base, repo->base, n) && !memcmp(log->base + n, "/log", 4);
}

/* Those that answer, then, where nobody did, those that did not the last times. */
static st_t try_repositories(struct mirrors *m, struct job *j, const char *path, bool lost)
{
	size_t n = m->m.nrepositories;
	for (size_t i = 0; i < n; i++) {
		size_t at = (m->first + i) % n;
		if ((m->repo[at].lost >= LOST) != lost || was_asked(j->log, &m->repo[at]))
			continue;
		st_t st = try_and_note(m, j, &m->repo[at], path);
		if (st == ST_OK)
			m->first = at;
		if (st == ST_OK || j->over)
			return st;
	}
	return ST_IO;
}

static st_t try_repositories_twice(struct mirrors *m, struct job *j, const char *path,
                                   const char *log_rest)
{
	char own[UPDATE_PATH_MAX];
	if (log_rest) {
		snprintf(own, sizeof own, "log%s", log_rest);
		path = own;
	}
	st_t st = try_repositories(m, j, path, false);
	return st == ST_OK || j->over || j->missing ? st : try_repositories(m, j, path, true);
}

static st_t try_log_last(struct mirrors *m, struct job *j, struct place *log, const char *rest)
{
	st_t st = try_repositories_twice(m, j, j->path, rest);
	bool asked = false;
	for (size_t i = 0; i < m->m.nrepositories; i++)
		asked = asked || was_asked(log, &m->repo[i]);
	return st == ST_OK || j->over || asked ? st : try_and_note(m, j, log, rest + 1);
}

static st_t try_all(struct mirrors *m, struct job *j)
{
	const char *rest;
	struct place *log = find_log(m, j->path, &rest);
	if (log && m->m.log_last)
		return try_log_last(m, j, log, rest);
	j->log = log;
	st_t st = log ? try_and_note(m, j, log, rest + 1) : ST_IO;
	if (log && (st == ST_OK || j->over))
		return st;
	return try_repositories_twice(m, j, j->path, rest);
}

/* A mirror that lags behind, and one that is down: the file is not there. */
static st_t run(struct mirrors *m, struct job *j, struct err *e)
{
	st_t st = try_all(m, j);
	if (st == ST_OK)
		return ST_OK;
	if (j->over)
		return fail(e, st, 0, "%s", j->e.text);
	if (j->missing)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: no mirror has it; %.120s", j->path, j->e.text);
	return fail(e, j->e.st == ST_OK ? ST_IO : j->e.st, 0, "%s",
	            j->e.text[0] ? j->e.text : "no repository is named");
}

static st_t mirrors_stream(void *ctx, const char *path, uint64_t from, uint64_t max,
                           update_sink *sink, void *sink_ctx, struct err *e)
{
	struct buf none = {0};
	struct job j = {.path = path, .from = from, .max = max, .sink = sink, .sink_ctx = sink_ctx,
	                .out = &none};
	return run(ctx, &j, e);
}

static st_t mirrors_get(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e)
{
	struct job j = {.path = path, .max = max, .out = ret};
	return run(ctx, &j, e);
}

static void mirrors_count(void *ctx, uint64_t *ret_bytes, uint64_t *ret_requests)
{
	const struct mirrors *m = ctx;
	*ret_bytes = m->bytes;
	*ret_requests = m->requests;
}

static void mirrors_whose(void *ctx, uint32_t *ret_mirrors, uint32_t *ret_mirror)
{
	const struct mirrors *m = ctx;
	*ret_mirrors = m->heard;
	*ret_mirror = m->last;
}

static void mirrors_free(void *ctx)
{
	free(ctx);
}

static const struct update_source_ops mirror_ops = {.stream = mirrors_stream, .free = mirrors_free,
                                                    .get = mirrors_get, .count = mirrors_count,
                                                    .whose = mirrors_whose};

static st_t check_bases(const struct update_mirrors *m, struct err *e)
{
	if (m->nrepositories > UPDATE_MIRRORS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d repositories", UPDATE_MIRRORS_MAX);
	for (size_t i = 0; i < m->nrepositories; i++)
		if (!fetch_url_is_good(m->repository[i]))
			return fail(e, ST_MALFORMED, 0, "repository %.100s: not an http or https URL",
			            m->repository[i]);
	return ST_OK;
}

st_t update_source_open_mirrors(const struct fetch *fetch, const struct update_mirrors *m,
                                struct update_source *ret, struct err *e)
{
	TRY(check_bases(m, e));
	struct mirrors *x = calloc(1, sizeof *x);
	if (!x)
		return fail(e, ST_NOMEM, 0, "repository: out of memory");
	x->fetch = *fetch;
	x->m = *m;
	for (size_t i = 0; i < m->nrepositories; i++)
		x->repo[i].base = m->repository[i];
	for (size_t i = 0; m->logs && i < num_min_size(m->logs->nlogs, POLICY_ITEMS_MAX); i++)
		x->log[i].base = m->logs->logs[i].url;
	*ret = (struct update_source){.ops = &mirror_ops, .ctx = x};
	return ST_OK;
}
