#include "cli/update_health.h"

#include "base/io.h"
#include "base/num.h"
#include "cli/health_samples.h"
#include "cli/opts.h"
#include "cli/walk.h"
#include "match/cpu.h"
#include "proc/broker/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Time for one sample. The built-in ones take milliseconds; a customer's may be large archives. A
 * worker that is over it by a tenth hangs. */
#define SAMPLE_MS 20000

/* Levels of the customer's folders, and files in both together. */
#define DEPTH_MAX 32
#define FILES_MAX 100000

struct expected {
	char *name;
	bool found;
};

struct health {
	const struct health_request *rq;
	struct pool *pool;
	struct expected *v; /* by the id that the pool knows a file by */
	size_t n, cap;
	bool bad; /* the folder that is walked */
	struct err *e;
};

static st_t expect(struct health *h, const char *name, bool found, struct err *e)
{
	if (h->n == FILES_MAX)
		return fail(e, ST_LIMIT, 0, "health check: more than %d files", FILES_MAX);
	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 64;
		struct expected *v = realloc(h->v, cap * sizeof *v);
		if (!v)
			return fail(e, ST_NOMEM, 0, "health check: out of memory");
		h->v = v;
		h->cap = cap;
	}
	char *copy = strdup(name);
	if (!copy)
		return fail(e, ST_NOMEM, 0, "health check: out of memory");
	h->v[h->n++] = (struct expected){copy, found};
	return ST_OK;
}

/* ---- verdicts ---- */

static const char *first_text(const struct pool_result *r, bool found)
{
	for (size_t i = 0; i < r->nevents; i++)
		if (r->events[i].found == found)
			return r->events[i].text;
	return "";
}

static st_t first_reason(const struct pool_result *r)
{
	for (size_t i = 0; i < r->nevents; i++)
		if (!r->events[i].found && r->events[i].why > ST_OK)
			return r->events[i].why;
	return ST_MALFORMED;
}

static st_t judge(const struct expected *x, const struct pool_result *r, struct err *e)
{
	if (r->verdict == VERDICT_FOUND && x->found)
		return ST_OK;
	if (r->verdict == VERDICT_CLEAN && !x->found)
		return ST_OK;
	if (r->verdict == VERDICT_FOUND)
		return fail(e, ST_CONFLICT, 0, "a false alarm: %.100s is taken for %.100s", x->name,
		            first_text(r, true));
	if (r->verdict == VERDICT_CLEAN)
		return fail(e, ST_CONFLICT, 0, "it does not find %.180s", x->name);
	return fail(e, first_reason(r), 0, "scanning %.100s with it did not end well: %.100s", x->name,
	            first_text(r, false));
}

/* Takes results out, all if `wait`. */
static st_t take(struct health *h, bool wait, struct err *e)
{
	for (;;) {
		struct pool_result r = {0};
		bool got = false;
		TRY(pool_next(h->pool, wait ? -1 : 0, &r, &got, e));
		if (!got)
			return ST_OK;
		st_t st = judge(&h->v[r.id], &r, e);
		pool_result_done(&r);
		TRY(st);
	}
}

static st_t submit(struct health *h, const char *name, bool found, int fd, struct err *e)
{
	AUTO_FD own = fd;
	TRY(expect(h, name, found, e));
	int given = own;
	own = -1;
	TRY(pool_submit(h->pool, h->n - 1, given, e));
	return take(h, false, e);
}

/* ---- samples ---- */

static st_t submit_sample(struct health *h, const struct health_sample *s, struct err *e)
{
	struct buf b = {0};
	AUTO_FD fd = memfd_create("sample", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "health check");
	s->make(&b);
	st_t st = buf_check(&b, e, "health check");
	if (st == ST_OK)
		st = io_write_all(fd, b.data, b.len, e);
	buf_done(&b);
	TRY(st);
	int given = fd;
	fd = -1;
	return submit(h, s->name, s->eicar, given, e);
}

static st_t submit_samples(struct health *h, struct err *e)
{
	for (size_t i = 0; i < HEALTH_SAMPLES; i++)
		if (!health_samples[i].eicar || h->rq->eicar)
			TRY(submit_sample(h, &health_samples[i], e));
	return ST_OK;
}

/* A file of the customer's. One that cannot be opened was not checked. */
static st_t visit(void *ctx, const struct walk_entry *en)
{
	struct health *h = ctx;
	if (en->kind == WALK_FILE)
		return submit(h, en->path, h->bad, en->fd, h->e);
	if (en->kind == WALK_DIR || en->kind == WALK_EMPTY || en->kind == WALK_SKIPPED ||
	    en->kind == WALK_SYMLINK)
		return ST_OK;
	errno = en->error ? en->error : EINVAL;
	return fail_errno(h->e, "health check: %.180s", en->path);
}

static st_t submit_folder(struct health *h, const char *path, bool bad, struct err *e)
{
	if (!path)
		return ST_OK;
	size_t before = h->n;
	struct walk_opts w = {
	    .max_depth = DEPTH_MAX,
	    .recursive = true,
	    .follow_dirs = FOLLOW_ARGUMENTS,
	    .follow_files = FOLLOW_ARGUMENTS,
	    .visit = visit,
	    .ctx = h,
	};
	h->bad = bad;
	h->e = e;
	TRY(walk_path(&w, path, e));
	return h->n > before ? ST_OK : fail(e, -ENOENT, 0, "health check: no files in %.180s", path);
}

/* ---- the whole ---- */

static st_t start(struct health *h, struct err *e)
{
	struct err why = {0};
	uint32_t ms = h->rq->sample_ms ? h->rq->sample_ms : SAMPLE_MS;
	struct pool_opts o = {
	    .worker_path = h->rq->worker_path,
	    .db_fd = h->rq->vdb_fd,
	    .jobs = 1,
	    .grace_ms = ms / 10,
	    .scan = {.archives = true, .cpumask = CPU_ALL, .stripe_count = 1},
	};
	scan_limits_default(&o.scan.limits);
	o.scan.limits.max_scantime_ms = ms;
	st_t st = pool_new(&o, &h->pool, &why);
	if (st == ST_OK)
		return ST_OK;
	return st > ST_OK ? fail(e, st, 0, "workers cannot open it: %.200s", why.text)
	                  : fail(e, st, 0, "%.240s", why.text);
}

static st_t check(struct health *h, struct err *e)
{
	TRY(start(h, e));
	TRY(submit_samples(h, e));
	TRY(submit_folder(h, h->rq->good, false, e));
	TRY(submit_folder(h, h->rq->bad, true, e));
	return take(h, true, e);
}

/* Workers that end before they are ready are the pool's failure, and here the database's. */
static st_t blame(st_t st)
{
	return st == ST_IO ? ST_MALFORMED : st;
}

st_t update_health(const struct health_request *rq, struct health_report *ret, struct err *e)
{
	struct health h = {.rq = rq};
	st_t st = blame(check(&h, e));
	if (st == ST_OK)
		*ret = (struct health_report){h.n, pool_known_signatures(h.pool)};
	pool_free(h.pool);
	for (size_t i = 0; i < h.n; i++)
		free(h.v[i].name);
	free(h.v);
	return st;
}
