#include "net/fetch_client.h"

#include "base/io.h"
#include "base/num.h"
#include "net/fetch_wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Requests that the fetcher holds at a time; the rest waits here: it needs little memory. */
#define WINDOW 256

/* The jail closes some milliseconds after the start. */
#define HELLO_MS 10000

/* At the end: what had been said before is read as well. */
#define CLOSE_MS 2000

/* Beyond the time that a request may take: for the fetcher itself, on a busy machine. */
#define SILENCE_MS 20000

/* Where a request names no time limit. */
#define TIMEOUT_MS 60000

#define NONE SIZE_MAX

/* A request without an answer. The lower half of its id is its place, the upper half counts how
 * often that was used before: a late frame about an old request fits none. */
struct pending {
	uint64_t id;
	bool sent; /* only then may there be an answer */
	size_t next_free;
	uint64_t tag, max, size;
	struct buf body;
	fetch_sink *sink; /* NULL: into the body */
	void *sink_ctx;
	st_t sink_st;     /* not ST_OK: it wants no more */
	char error[FETCH_ERROR_MAX]; /* what it said then */
};

struct packet {
	struct packet *next;
	bool is_request;
	uint64_t id;
	struct buf bytes;
};

struct fetch_client {
	int sock;
	st_t gone; /* not ST_OK: for good, with the reason */
	char why[ERR_TEXT_MAX];
	struct pending *v;
	size_t n, cap, first_free;
	size_t under_way; /* taken and not answered */
	size_t sent;      /* of those, sent */
	struct packet *first, **last; /* to be sent */
	uint32_t longest_ms;
	uint64_t heard_ms; /* the fetcher's last sign of life, or when it got work */
	struct frame frame;
	uint8_t packet[FRAME_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- sending ---- */

static st_t queue_frame(struct fetch_client *c, const struct frame *f, struct err *e)
{
	struct packet *p = calloc(1, sizeof *p);
	if (!p)
		return fail(e, ST_NOMEM, 0, "fetcher: out of memory");
	p->is_request = f->type == FRAME_REQUEST;
	p->id = f->id;
	frame_write(f, &p->bytes);
	if (p->bytes.oom) {
		buf_done(&p->bytes);
		free(p);
		return fail(e, ST_NOMEM, 0, "fetcher: out of memory");
	}
	*c->last = p;
	c->last = &p->next;
	return ST_OK;
}

static void drop_packet(struct fetch_client *c)
{
	struct packet *p = c->first;
	c->first = p->next;
	if (!c->first)
		c->last = &c->first;
	buf_done(&p->bytes);
	free(p);
}

static bool may_send(const struct fetch_client *c)
{
	return c->first && !(c->first->is_request && c->sent >= WINDOW);
}

static st_t send_queued(struct fetch_client *c, struct err *e)
{
	while (may_send(c)) {
		struct err why = {0};
		st_t st = frame_send(c->sock, &c->first->bytes, &why);
		if (st == (st_t)-EAGAIN)
			return ST_OK;
		if (st != ST_OK)
			return fail(e, st, 0, "%s", why.text);
		if (c->first->is_request) {
			c->v[c->first->id & UINT32_MAX].sent = true;
			c->sent++;
		}
		drop_packet(c);
	}
	return ST_OK;
}

/* Once the fetcher is gone it stays so, whatever is asked for. */
static st_t lose(struct fetch_client *c, st_t st, const char *why, struct err *e)
{
	if (c->gone == ST_OK) {
		c->gone = st < ST_OK ? st : ST_IO;
		snprintf(c->why, sizeof c->why, "%s", why);
		fd_closep(&c->sock);
	}
	return fail(e, c->gone, 0, "%s", c->why);
}

static st_t grow(struct fetch_client *c, struct err *e)
{
	size_t cap = c->cap ? 2 * c->cap : 64;
	struct pending *v = reallocarray(c->v, cap, sizeof *v);
	if (!v)
		return fail(e, ST_NOMEM, 0, "fetcher: out of memory");
	c->v = v;
	c->cap = cap;
	return ST_OK;
}

static st_t take_place(struct fetch_client *c, struct pending **ret, struct err *e)
{
	if (c->first_free == NONE) {
		if (c->n == c->cap)
			TRY(grow(c, e));
		c->v[c->n] = (struct pending){.id = c->n, .next_free = NONE};
		c->first_free = c->n++;
	}
	struct pending *p = &c->v[c->first_free];
	c->first_free = p->next_free;
	*ret = p;
	return ST_OK;
}

static void give_back_place(struct fetch_client *c, struct pending *p)
{
	size_t at = (size_t)(p - c->v);
	buf_done(&p->body);
	*p = (struct pending){.id = p->id + (UINT64_C(1) << 32), .next_free = c->first_free};
	c->first_free = at;
}

/* ---- requests ---- */

static st_t check_request(const struct fetch_request *r, struct err *e)
{
	if (strnlen(r->url, FETCH_URL_MAX) == FETCH_URL_MAX)
		return fail(e, ST_LIMIT, 0, "URL longer than %d bytes", FETCH_URL_MAX - 1);
	if (!fetch_url_is_good(r->url))
		return fail(e, ST_MALFORMED, 0,
		            "%.100s: not an http or https URL (no user name, no fragment, no blanks)",
		            r->url);
	if (r->body && r->nbody > FETCH_BODY_MAX)
		return fail(e, ST_LIMIT, 0, "a request of more than %u bytes", FETCH_BODY_MAX);
	if (!r->sink && r->max > FETCH_ANSWER_MAX)
		return fail(e, ST_LIMIT, 0, "no answer may have more than %llu bytes",
		            (unsigned long long)FETCH_ANSWER_MAX);
	if ((r->sink || r->from) && (r->body || r->head))
		return fail(e, ST_UNSUPPORTED, 0, "only what GET brings is streamed");
	if (r->max > FETCH_FILE_MAX || r->from > FETCH_FILE_MAX || r->bandwidth > FETCH_FILE_MAX)
		return fail(e, ST_LIMIT, 0, "no file is that long");
	if (r->body && r->type && strlen(r->type) >= FETCH_TYPE_MAX)
		return fail(e, ST_LIMIT, 0, "content type longer than %d bytes", FETCH_TYPE_MAX - 1);
	return ST_OK;
}

static void describe_request(const struct fetch_request *r, uint64_t id, struct frame *f)
{
	f->type = FRAME_REQUEST;
	f->id = id;
	f->method = r->body ? FRAME_POST : r->head ? FRAME_HEAD : FRAME_GET;
	f->max = r->max;
	f->timeout_ms = r->timeout_ms ? r->timeout_ms : TIMEOUT_MS;
	if (f->timeout_ms > FETCH_TIMEOUT_MS_MAX)
		f->timeout_ms = FETCH_TIMEOUT_MS_MAX;
	f->nbody = r->body ? (uint32_t)r->nbody : 0;
	f->from = r->from;
	f->bandwidth = r->bandwidth;
	memcpy(f->url, r->url, strlen(r->url) + 1);
	f->content_type[0] = '\0';
	if (r->body && r->type)
		memcpy(f->content_type, r->type, strlen(r->type) + 1);
}

static st_t queue_body(struct fetch_client *c, const struct fetch_request *r, uint64_t id,
                       struct err *e)
{
	size_t n = r->body ? r->nbody : 0;
	for (size_t at = 0; at < n; at += FRAME_BYTES_MAX) {
		size_t part = num_min_size(n - at, FRAME_BYTES_MAX);
		c->frame.type = FRAME_SEND;
		c->frame.id = id;
		c->frame.bytes = rd_make((const char *)r->body + at, part);
		TRY(queue_frame(c, &c->frame, e));
	}
	return ST_OK;
}

static st_t client_submit(void *ctx, const struct fetch_request *r, struct err *e)
{
	struct fetch_client *c = ctx;
	struct pending *p;
	if (c->gone != ST_OK)
		return lose(c, c->gone, c->why, e);
	TRY(check_request(r, e));
	TRY(take_place(c, &p, e));
	p->tag = r->tag;
	p->max = r->max;
	p->sink = r->sink;
	p->sink_ctx = r->sink_ctx;
	describe_request(r, p->id, &c->frame);
	if (c->frame.timeout_ms > c->longest_ms)
		c->longest_ms = c->frame.timeout_ms;
	/* A request that is queued by half cannot be taken back. */
	if (queue_frame(c, &c->frame, e) != ST_OK || queue_body(c, r, p->id, e) != ST_OK)
		return lose(c, ST_NOMEM, "fetcher: out of memory", e);
	if (c->under_way++ == 0)
		c->heard_ms = now_ms();
	struct err why = {0};
	st_t st = send_queued(c, &why);
	return st == ST_OK ? ST_OK : lose(c, st, why.text, e);
}

/* ---- answers ---- */

static st_t find_pending(struct fetch_client *c, uint64_t id, struct pending **ret, struct err *e)
{
	uint64_t at = id & UINT32_MAX;
	if (at >= c->n || !c->v[at].sent || c->v[at].id != id)
		return fail(e, ST_MALFORMED, 0, "fetcher: an answer to no request");
	*ret = &c->v[at];
	return ST_OK;
}

static bool is_file(uint32_t status)
{
	return status == 200 || status == 206;
}

/* What the sink does not want is not sent any more; what is on its way is dropped. */
static st_t pour(struct fetch_client *c, struct pending *p, const struct rd *bytes, struct err *e)
{
	struct err why = {0};
	if (p->sink_st != ST_OK || bytes->len == 0)
		return ST_OK;
	p->sink_st = p->sink(p->sink_ctx, bytes->base, bytes->len, &why);
	if (p->sink_st == ST_OK) {
		p->size += bytes->len;
		return ST_OK;
	}
	snprintf(p->error, sizeof p->error, "%s", why.text);
	if (c->frame.type != FRAME_PART)
		return ST_OK;
	c->frame.type = FRAME_CANCEL;
	st_t st = queue_frame(c, &c->frame, e);
	c->frame.type = FRAME_PART;
	return st;
}

static st_t add_bytes(struct fetch_client *c, struct pending *p, const struct rd *bytes,
                      struct err *e)
{
	if (bytes->len > p->max - p->size)
		return fail(e, ST_MALFORMED, 0, "fetcher: more bytes than allowed");
	if (p->sink)
		return pour(c, p, bytes, e);
	if (bytes->len)
		buf_add(&p->body, bytes->base, bytes->len);
	p->size += bytes->len;
	return buf_check(&p->body, e, "fetcher");
}

/* A page that says that there is no file is not the file. */
static st_t take_done(struct fetch_client *c, struct pending *p, struct err *e)
{
	const struct frame *f = &c->frame;
	bool drop = p->sink && !is_file(f->status);
	if (drop && p->size > 0)
		return fail(e, ST_MALFORMED, 0, "fetcher: bytes of a file that is none");
	if (drop)
		return ST_OK;
	TRY(add_bytes(c, p, &f->bytes, e));
	if (p->sink_st == ST_OK && f->size != p->size)
		return fail(e, ST_MALFORMED, 0, "fetcher: an answer that is not whole");
	return ST_OK;
}

static void finish(struct fetch_client *c, struct pending *p, struct fetch_response *ret)
{
	const struct frame *f = &c->frame;
	*ret = (struct fetch_response){.tag = p->tag, .size = p->size, .sink = p->sink_st};
	if (p->sink_st != ST_OK) {
		memcpy(ret->error, p->error, sizeof ret->error);
	} else if (f->type == FRAME_DONE) {
		ret->status = f->status;
		memcpy(ret->type, f->content_type, sizeof ret->type);
		ret->body = p->body;
		p->body = (struct buf){0};
	} else {
		_Static_assert(sizeof ret->error == sizeof f->error, "the same text");
		ret->failure = (enum fetch_failure)f->failure;
		memcpy(ret->error, f->error, sizeof ret->error);
	}
	give_back_place(c, p);
	c->under_way--;
	c->sent--;
}

/* One frame. *ret_done: it finished an answer, which is in *ret. */
static st_t take_frame(struct fetch_client *c, size_t len, struct fetch_response *ret,
                       bool *ret_done, struct err *e)
{
	struct frame *f = &c->frame;
	struct pending *p = NULL;
	TRY(frame_read(rd_make(c->packet, len), FRAME_FETCHER, f, e));
	if (f->type == FRAME_HELLO || f->type == FRAME_SENT)
		return fail(e, ST_MALFORMED, 0, "fetcher: HELLO or SENT out of turn");
	TRY(find_pending(c, f->id, &p, e));
	if (f->type == FRAME_PART)
		TRY(add_bytes(c, p, &f->bytes, e));
	if (f->type == FRAME_DONE)
		TRY(take_done(c, p, e));
	*ret_done = f->type != FRAME_PART;
	if (*ret_done)
		finish(c, p, ret);
	return ST_OK;
}

static st_t receive(struct fetch_client *c, struct fetch_response *ret, bool *ret_done,
                    struct err *e)
{
	size_t len;
	while (!*ret_done) {
		struct err why = {0};
		st_t st = frame_recv(c->sock, c->packet, &len, &why);
		if (st == (st_t)-EAGAIN)
			return ST_OK;
		if (st != ST_OK)
			return fail(e, st, 0, "%s", why.text);
		if (len == 0)
			return fail(e, (st_t)-EPIPE, 0, "the fetcher ended");
		c->heard_ms = now_ms();
		TRY(take_frame(c, len, ret, ret_done, e));
	}
	return ST_OK;
}

/* Waits until there is something to read or room to write, or `until_ms` (0: not limited). */
static st_t wait_until(struct fetch_client *c, uint64_t until_ms, struct err *e)
{
	uint64_t now = now_ms(), silence = c->heard_ms + c->longest_ms + SILENCE_MS;
	if (now >= silence)
		return fail(e, (st_t)-ETIMEDOUT, 0, "the fetcher says nothing any more");
	uint64_t until = until_ms ? num_min_u64(until_ms, silence) : silence;
	uint64_t wait = until > now ? until - now : 0;
	struct pollfd p = {.fd = c->sock, .events = (short)(POLLIN | (may_send(c) ? POLLOUT : 0))};
	if (poll(&p, 1, (int)num_min_u64(wait, INT32_MAX)) < 0 && errno != EINTR)
		return fail_errno(e, "fetcher: poll");
	return ST_OK;
}

static st_t step(struct fetch_client *c, struct fetch_response *ret, bool *ret_done, struct err *e)
{
	/* What the fetcher said before it ended still counts. */
	struct err why = {0};
	st_t sent = send_queued(c, &why);
	TRY(receive(c, ret, ret_done, e));
	return sent == ST_OK || *ret_done ? ST_OK : fail(e, sent, 0, "%s", why.text);
}

static st_t client_next(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e)
{
	struct fetch_client *c = ctx;
	uint64_t until = wait_ms < 0 ? 0 : now_ms() + (uint64_t)wait_ms;
	bool done = false;
	if (c->gone != ST_OK)
		return lose(c, c->gone, c->why, e);
	if (c->under_way == 0)
		return fail(e, ST_NOT_FOUND, 0, "no request is under way");
	for (;;) {
		struct err why = {0};
		st_t st = step(c, ret, &done, &why);
		if (st == ST_OK && done)
			return ST_OK;
		if (st == ST_OK && wait_ms >= 0 && now_ms() >= until)
			return fail(e, ST_TIMEOUT, 0, "no answer yet");
		if (st == ST_OK)
			st = wait_until(c, until, &why);
		if (st != ST_OK)
			return lose(c, st, why.text, e);
	}
}

/* ---- beginning and end ---- */

static st_t wait_for(struct fetch_client *c, short events, uint64_t until_ms, struct err *e)
{
	for (;;) {
		uint64_t now = now_ms();
		struct pollfd p = {.fd = c->sock, .events = events};
		int n = poll(&p, 1, now < until_ms ? (int)(until_ms - now) : 0);
		if (n > 0)
			return ST_OK;
		if (n < 0 && errno != EINTR)
			return fail_errno(e, "fetcher: poll");
		if (now >= until_ms)
			return fail(e, (st_t)-ETIMEDOUT, 0, "the fetcher does not answer");
	}
}

/* All of it: what was left in our queue another holder of the socket could say in our place. */
static st_t send_all(struct fetch_client *c, uint64_t until_ms, struct err *e)
{
	TRY(send_queued(c, e));
	while (c->first) {
		TRY(wait_for(c, POLLOUT, until_ms, e));
		TRY(send_queued(c, e));
	}
	return ST_OK;
}

static st_t say_scope(struct fetch_client *c, const struct fetch_scope *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		c->frame.type = FRAME_ALLOW;
		c->frame.may = s->v[i].may;
		memcpy(c->frame.url, s->v[i].url, s->v[i].n);
		c->frame.url[s->v[i].n] = '\0';
		TRY(queue_frame(c, &c->frame, e));
	}
	return ST_OK;
}

static st_t say_setup(struct fetch_client *c, const struct fetch_settings *s, struct err *e)
{
	struct frame *f = &c->frame;
	if (s->scope)
		TRY(say_scope(c, s->scope, e));
	f->type = FRAME_SETUP;
	f->send_max = s->scope ? s->scope->send_max : 0;
	f->per_host = s->per_host ? s->per_host : FETCH_PER_HOST;
	f->connect_ms = s->connect_ms ? s->connect_ms : FETCH_CONNECT_MS;
	if (f->per_host > FETCH_PER_HOST_MAX)
		f->per_host = FETCH_PER_HOST_MAX;
	if (s->proxy && strlen(s->proxy) >= sizeof f->proxy)
		return fail(e, ST_LIMIT, 0, "proxy: longer than %d bytes", FETCH_PROXY_MAX - 1);
	if (s->proxy)
		memcpy(f->proxy, s->proxy, strlen(s->proxy) + 1);
	TRY(queue_frame(c, f, e));
	return send_all(c, now_ms() + HELLO_MS, e);
}

static st_t hear_hello(struct fetch_client *c, struct err *e)
{
	size_t len = 0;
	TRY(wait_for(c, POLLIN, now_ms() + HELLO_MS, e));
	TRY(frame_recv(c->sock, c->packet, &len, e));
	if (len == 0)
		return fail(e, (st_t)-EPIPE, 0, "the fetcher ended at its start");
	TRY(frame_read(rd_make(c->packet, len), FRAME_FETCHER, &c->frame, e));
	if (c->frame.type != FRAME_HELLO)
		return fail(e, ST_MALFORMED, 0, "fetcher: no HELLO");
	return ST_OK;
}

st_t fetch_client_adopt(int sock, struct fetch_client **ret, struct err *e)
{
	struct fetch_client *c = calloc(1, sizeof *c);
	if (!c)
		return fail(e, ST_NOMEM, 0, "fetcher: out of memory");
	c->sock = sock;
	c->first_free = NONE;
	c->last = &c->first;
	*ret = c;
	return ST_OK;
}

st_t fetch_client_new(int sock, const struct fetch_settings *s, struct fetch_client **ret,
                      uint32_t *ret_missing, uint32_t *ret_abi, struct err *e)
{
	struct fetch_client *c;
	TRY(fetch_client_adopt(sock, &c, e));
	st_t st = say_setup(c, s, e);
	if (st == ST_OK)
		st = hear_hello(c, e);
	if (st != ST_OK) {
		c->sock = -1;
		fetch_client_free(c);
		return st;
	}
	*ret_missing = c->frame.missing;
	*ret_abi = c->frame.landlock_abi;
	*ret = c;
	return ST_OK;
}

st_t fetch_client_close(struct fetch_client *c, uint64_t *ret_sent, struct err *e)
{
	uint64_t until = now_ms() + CLOSE_MS;
	size_t len = 0;
	if (c->gone != ST_OK)
		return lose(c, c->gone, c->why, e);
	while (c->first)
		drop_packet(c);
	c->frame.type = FRAME_CLOSE;
	TRY(queue_frame(c, &c->frame, e));
	/* Where the fetcher is gone already, it may have said it before. */
	(void)!send_all(c, until, NULL);
	do {
		TRY(wait_for(c, POLLIN, until, e));
		TRY(frame_recv(c->sock, c->packet, &len, e));
		if (len == 0)
			return fail(e, (st_t)-EPIPE, 0, "the fetcher ended");
		TRY(frame_read(rd_make(c->packet, len), FRAME_FETCHER, &c->frame, e));
	} while (c->frame.type != FRAME_SENT);
	*ret_sent = c->frame.sent;
	return ST_OK;
}

void fetch_client_free(struct fetch_client *c)
{
	if (!c)
		return;
	while (c->first)
		drop_packet(c);
	for (size_t i = 0; i < c->n; i++)
		buf_done(&c->v[i].body);
	free(c->v);
	fd_closep(&c->sock);
	free(c);
}

struct fetch fetch_client_as_fetch(struct fetch_client *c)
{
	static const struct fetch_ops ops = {.submit = client_submit, .next = client_next};
	return (struct fetch){.ops = &ops, .ctx = c};
}
