#include "net/fetch_fake.h"

#include "net/fetch_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *url;
	struct fake_answer answer; /* its pointers are ours */
};

struct fetch_fake {
	struct entry *v;
	size_t n;
	struct fetch_response *waiting; /* answered, not taken */
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
		buf_done(&f->waiting[i].body);
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

/* As the real one: what is too long is an error, or left out of an answer that is one. */
static void fill(const struct fetch_request *r, const struct fake_answer *a,
                 struct fetch_response *ret)
{
	bool fits = r->head || a->nbody <= r->max;
	*ret = (struct fetch_response){.tag = r->tag, .status = a->status};
	if (a->status == 0 || (!fits && a->status < 300)) {
		ret->status = 0;
		snprintf(ret->error, sizeof ret->error, "%s",
		         a->error ? a->error : "the answer is too long");
		return;
	}
	snprintf(ret->type, sizeof ret->type, "%s", a->type ? a->type : "application/octet-stream");
	if (fits && a->nbody && !r->head)
		buf_add(&ret->body, a->body, a->nbody);
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
	struct fetch_response *v = reallocarray(f->waiting, f->nwaiting + 1, sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "fake fetcher: out of memory");
	f->waiting = v;
	struct fake_answer a = look_up(f, r);
	fill(r, &a, &v[f->nwaiting++]);
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
	*ret = f->waiting[at];
	f->nwaiting--;
	memmove(f->waiting + at, f->waiting + at + 1, (f->nwaiting - at) * sizeof *f->waiting);
	return ST_OK;
}

struct fetch fetch_fake_as_fetch(struct fetch_fake *f)
{
	static const struct fetch_ops ops = {.submit = fake_submit, .next = fake_next};
	return (struct fetch){.ops = &ops, .ctx = f};
}
