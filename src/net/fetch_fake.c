#include "net/fetch_fake.h"

#include "base/num.h"
#include "net/fetch_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *url;
	struct fake_answer answer; /* its pointers are ours */
};

struct waiting {
	struct fetch_response r;
	fetch_sink *sink;
	void *sink_ctx;
	const char *error; /* a stream that fails when its bytes are given out */
};

/* Bytes that a sink gets at a time: few, so that tests see many. */
#define PART 1000

struct fetch_fake {
	struct entry *v;
	size_t n;
	struct waiting *waiting; /* answered, not taken */
	size_t nwaiting, count;
	bool reverse, broken;
	bool (*answer)(void *ctx, const struct fetch_request *r, struct fake_answer *ret_answer);
	void *ctx;
};

st_t fetch_fake_new(struct fetch_fake **ret, struct err *e)
{
	struct fetch_fake *f = calloc(1, sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, "fake fetcher: out of memory");
	*ret = f;
	return ST_OK;
}

static void free_entry(struct entry *x)
{
	free(x->url);
	free((void *)(uintptr_t)x->answer.body);
	free((void *)(uintptr_t)x->answer.type);
	free((void *)(uintptr_t)x->answer.error);
}

void fetch_fake_free(struct fetch_fake *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		free_entry(&f->v[i]);
	for (size_t i = 0; i < f->nwaiting; i++)
		buf_done(&f->waiting[i].r.body);
	free(f->v);
	free(f->waiting);
	free(f);
}

static struct entry *find(struct fetch_fake *f, const char *url)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].url, url))
			return &f->v[i];
	return NULL;
}

static struct entry *find_or_add(struct fetch_fake *f, const char *url)
{
	struct entry *x = find(f, url);
	if (x) {
		free_entry(x);
		return x;
	}
	struct entry *v = reallocarray(f->v, f->n + 1, sizeof *v);
	if (!v)
		return NULL;
	f->v = v;
	return &v[f->n++];
}

static void *copy(const void *p, size_t n)
{
	void *q = malloc(n + 1);
	if (q && n)
		memcpy(q, p, n);
	return q;
}

st_t fetch_fake_set(struct fetch_fake *f, const char *url, const struct fake_answer *a,
                    struct err *e)
{
	struct entry *x = find_or_add(f, url);
	if (!x)
		return fail(e, ST_NOMEM, 0, "fake fetcher: out of memory");
	*x = (struct entry){.url = strdup(url), .answer = *a};
	x->answer.body = copy(a->body, a->nbody);
	x->answer.type = a->type ? strdup(a->type) : NULL;
	x->answer.error = a->error ? strdup(a->error) : NULL;
	return x->url && x->answer.body ? ST_OK : fail(e, ST_NOMEM, 0, "fake fetcher: out of memory");
}

void fetch_fake_on_request(struct fetch_fake *f,
                           bool (*answer)(void *ctx, const struct fetch_request *r,
                                          struct fake_answer *ret_answer),
                           void *ctx)
{
	f->answer = answer;
	f->ctx = ctx;
}

void fetch_fake_reverse(struct fetch_fake *f, bool on)
{
	f->reverse = on;
}

void fetch_fake_break(struct fetch_fake *f)
{
	f->broken = true;
}

size_t fetch_fake_count(const struct fetch_fake *f)
{
	return f->count;
}

static struct fake_answer look_up(struct fetch_fake *f, const struct fetch_request *r)
{
	struct fake_answer a = {.status = 404, .type = "text/plain"};
	if (f->answer && f->answer(f->ctx, r, &a))
		return a;
	const struct entry *x = find(f, r->url);
	return x ? x->answer : (struct fake_answer){.status = 404, .type = "text/plain"};
}

static void refuse(struct fetch_response *ret, enum fetch_failure failure, const char *why)
{
	ret->status = 0;
	ret->failure = failure;
	snprintf(ret->error, sizeof ret->error, "%s", why);
}

/* Cuts the answer to the range that was asked for. */
static bool cut_range(const struct fetch_request *r, struct fake_answer *a)
{
	if (r->from == 0 || a->status != 200)
		return true;
	if (r->from > a->nbody || (r->from == a->nbody && !a->no_ranges)) {
		bool good = !a->no_ranges;
		*a = (struct fake_answer){.status = 416};
		return good;
	}
	a->status = a->no_ranges ? 200 : 206;
	a->body = (const char *)a->body + r->from;
	a->nbody -= (size_t)r->from;
	return true;
}

/* As the real one: what is too long is an error, or left out of an answer that is one. */
static void fill(const struct fetch_request *r, struct fake_answer *a, struct fetch_response *ret)
{
	*ret = (struct fetch_response){.tag = r->tag, .status = a->status};
	if (!cut_range(r, a)) {
		refuse(ret, FETCH_FAILED, "the file ends before the byte that was asked for");
		return;
	}
	ret->status = a->status;
	bool fits = r->head || a->nbody <= r->max;
	if (a->status == 0) {
		refuse(ret, a->failure, a->error ? a->error : "nothing came");
		return;
	}
	if (!fits && a->status < 300) {
		refuse(ret, FETCH_TOO_LONG, a->error ? a->error : "the answer is too long");
		return;
	}
	snprintf(ret->type, sizeof ret->type, "%s", a->type ? a->type : "application/octet-stream");
	if (fits && a->nbody && !r->head)
		buf_add(&ret->body, a->body, a->nbody);
	ret->size = ret->body.len;
}

/* Gives the file to the sink. */
static void pour(struct waiting *w)
{
	struct buf body = w->r.body;
	struct err why = {0};
	bool is_file = w->r.status == 200 || w->r.status == 206;
	w->r.body = (struct buf){0};
	w->r.size = 0;
	while (is_file && w->r.size < body.len && w->r.sink == ST_OK) {
		size_t n = num_min_size(PART, body.len - (size_t)w->r.size);
		w->r.sink = w->sink(w->sink_ctx, body.data + w->r.size, n, &why);
		w->r.size += w->r.sink == ST_OK ? n : 0;
	}
	buf_done(&body);
	if (w->r.sink != ST_OK)
		refuse(&w->r, FETCH_FAILED, why.text);
	else if (w->error)
		refuse(&w->r, FETCH_FAILED, w->error);
}

static st_t fake_submit(void *ctx, const struct fetch_request *r, struct err *e)
{
	struct fetch_fake *f = ctx;
	if (f->broken)
		return fail(e, (st_t)-EPIPE, 0, "the fetcher ended");
	if (strnlen(r->url, FETCH_URL_MAX) == FETCH_URL_MAX)
		return fail(e, ST_LIMIT, 0, "URL longer than %d bytes", FETCH_URL_MAX - 1);
	if (!fetch_url_is_good(r->url))
		return fail(e, ST_MALFORMED, 0, "%.100s: not an http or https URL", r->url);
	struct waiting *v = reallocarray(f->waiting, f->nwaiting + 1, sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "fake fetcher: out of memory");
	f->waiting = v;
	struct fake_answer a = look_up(f, r);
	struct waiting *w = &v[f->nwaiting++];
	*w = (struct waiting){.sink = r->sink, .sink_ctx = r->sink_ctx};
	if (r->sink && a.cut && a.cut < a.nbody) {
		a.nbody = a.cut;
		w->error = "the connection was cut";
	}
	fill(r, &a, &w->r);
	f->count++;
	return ST_OK;
}

static st_t fake_next(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e)
{
	struct fetch_fake *f = ctx;
	(void)wait_ms;
	if (f->broken)
		return fail(e, (st_t)-EPIPE, 0, "the fetcher ended");
	if (f->nwaiting == 0)
		return fail(e, ST_NOT_FOUND, 0, "no request is under way");
	size_t at = f->reverse ? f->nwaiting - 1 : 0;
	struct waiting w = f->waiting[at];
	f->nwaiting--;
	memmove(f->waiting + at, f->waiting + at + 1, (f->nwaiting - at) * sizeof *f->waiting);
	if (w.sink)
		pour(&w);
	*ret = w.r;
	return ST_OK;
}

struct fetch fetch_fake_as_fetch(struct fetch_fake *f)
{
	static const struct fetch_ops ops = {.submit = fake_submit, .next = fake_next};
	return (struct fetch){.ops = &ops, .ctx = f};
}
