#include "cli/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest wait for a result before the progress bar gets its turn. */
#define WAIT_MS 100

/* Results are fetched after so many files went in, not after each. */
#define DRAIN_EVERY 64

struct run {
	struct run_opts o;
	struct run_totals totals;
	uint64_t head, tail; /* items [head, tail) are in the ring */
	size_t cap;          /* a power of two */
	struct run_item ring[];
};

static struct run_item *item_at(struct run *r, uint64_t id)
{
	return &r->ring[id & (r->cap - 1)];
}

static void item_done(struct run_item *it)
{
	if (it->kind == WALK_FILE && it->done)
		pool_result_done(&it->result);
	if (it->fd >= 0)
		close(it->fd);
	free(it->path);
	*it = (struct run_item){.fd = -1};
}

st_t run_new(const struct run_opts *opts, struct run **ret, struct err *e)
{
	size_t cap = opts->keep_files ? RUN_RING_KEEPING_FILES : RUN_RING;
	struct run *r = calloc(1, sizeof *r + cap * sizeof r->ring[0]);
	if (!r)
		return fail(e, ST_NOMEM, 0, "scan: out of memory");
	r->o = *opts;
	r->cap = cap;
	*ret = r;
	return ST_OK;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	for (; r->head < r->tail; r->head++)
		item_done(item_at(r, r->head));
	free(r);
}

static st_t show_ready(struct run *r, struct err *e)
{
	st_t st = ST_OK;
	while (st == ST_OK && r->head < r->tail && item_at(r, r->head)->done) {
		struct run_item *it = item_at(r, r->head);
		if (it->kind == WALK_FILE) {
			r->totals.files++;
			r->totals.bytes += it->size;
		}
		st = r->o.show(r->o.ctx, it, e);
		item_done(it);
		r->head++;
	}
	return st;
}

/* Takes one result if there is one; *ret_got says so. */
static st_t take_result(struct run *r, int timeout_ms, bool *ret_got, struct err *e)
{
	struct pool_result res;
	TRY(pool_next(r->o.pool, timeout_ms, &res, ret_got, e));
	if (!*ret_got)
		return ST_OK;
	struct run_item *it = item_at(r, res.id);
	if (res.id < r->head || res.id >= r->tail || it->done) {
		pool_result_done(&res);
		return fail(e, ST_MALFORMED, 0, "scan: a result for no file");
	}
	it->result = res;
	it->done = true;
	return show_ready(r, e);
}

static st_t wait_result(struct run *r, struct err *e)
{
	bool got = false;
	st_t st = take_result(r, WAIT_MS, &got, e);
	r->o.tick(r->o.ctx, &r->totals);
	return st;
}

static st_t drain(struct run *r, struct err *e)
{
	bool got = true;
	while (got)
		TRY(take_result(r, 0, &got, e));
	r->o.tick(r->o.ctx, &r->totals);
	return ST_OK;
}

static st_t make_room(struct run *r, struct err *e)
{
	while (r->tail - r->head == r->cap || !pool_has_room(r->o.pool))
		TRY(wait_result(r, e));
	return r->tail % DRAIN_EVERY ? ST_OK : drain(r, e);
}

static st_t submit(struct run *r, struct run_item *it, int fd, bool unnamed, struct err *e)
{
	if (r->o.keep_files && !unnamed) {
		it->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (it->fd < 0) {
			st_t st = fail_errno(e, "%s", it->path);
			close(fd);
			return st;
		}
	}
	return pool_submit(r->o.pool, r->tail - 1, fd, e);
}

st_t run_add(struct run *r, const struct walk_entry *en, struct err *e)
{
	st_t st = make_room(r, e);
	char *path = st == ST_OK ? strdup(en->path) : NULL;
	if (!path) {
		if (en->fd >= 0)
			close(en->fd);
		return st != ST_OK ? st : fail(e, ST_NOMEM, 0, "scan: out of memory");
	}
	struct run_item *it = item_at(r, r->tail++);
	*it = (struct run_item){
	    .kind = en->kind,
	    .path = path,
	    .error = en->error,
	    .fd = -1,
	    .size = en->size,
	    .done = en->kind != WALK_FILE,
	};
	return it->done ? show_ready(r, e) : submit(r, it, en->fd, en->unnamed, e);
}

st_t run_finish(struct run *r, struct err *e)
{
	while (r->head < r->tail)
		TRY(wait_result(r, e));
	return ST_OK;
}
