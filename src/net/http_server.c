/* Why these options of libmicrohttpd: epoll and a pool of threads, each with its own connections,
 * need no lock between requests and no thread per connection, so ten thousand requests a second
 * pass and a thousand idle connections cost some memory. Its parser is strict; it decodes nothing
 * (a callback that leaves paths alone); it prints nothing. It knows a limit of idle time only,
 * which one byte now and then resets; the clock thread here knows the other one. */
#include "net/http_server.h"

#include "base/num.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLOCK_MS 500
#define STOP_STEP_MS 5

/* A client that sends a body longer than announced or allowed is read on for this much and then
 * answered 413; a still longer one is cut off. */
#define DISCARD_MAX ((uint64_t)1 << 20)

/* One connection, as the clock sees it. */
struct conn {
	struct conn *next, *prev;
	int fd;
	_Atomic uint64_t since_ms; /* its begin, or the end of the last answer */
};

struct http_server {
	struct MHD_Daemon *daemon;
	const struct http_route *routes;
	size_t nroutes;
	void *ctx;
	unsigned request_ms;
	_Atomic unsigned busy; /* requests whose first line is read and whose answer is not sent */
	pthread_mutex_t lock;  /* of all below */
	pthread_cond_t wake;
	bool stopping;
	struct conn *conns;
	pthread_t clock;
};

/* One request. */
struct exchange {
	struct http_server *s;
	bool is_bad_path, has_begun;
	const struct http_route *route;
	enum http_method method;
	uint64_t received; /* bytes of the body, kept or not */
	struct buf body;
	char path[HTTP_PATH_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the clock ---- */

/* Its thread in libmicrohttpd sees the end of the connection and frees it. The socket is still
 * ours: a connection leaves the list before it is closed. */
static void cut_late(struct http_server *s)
{
	uint64_t now = now_ms();
	for (struct conn *c = s->conns; c; c = c->next)
		if (now - atomic_load(&c->since_ms) > s->request_ms)
			(void)shutdown(c->fd, SHUT_RDWR);
}

static void *run_clock(void *ctx)
{
	struct http_server *s = ctx;
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		long ns = t.tv_nsec + CLOCK_MS * 1000000L;
		t.tv_sec += ns / 1000000000;
		t.tv_nsec = ns % 1000000000;
		(void)pthread_cond_timedwait(&s->wake, &s->lock, &t);
		cut_late(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void begin_conn(struct http_server *s, struct MHD_Connection *mhd, void **ret)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *c = calloc(1, sizeof *c);
	*ret = c;
	if (!c || !i) {
		if (i)
			(void)shutdown(i->connect_fd, SHUT_RDWR);
		free(c);
		*ret = NULL;
		return;
	}
	c->fd = i->connect_fd;
	atomic_store(&c->since_ms, now_ms());
	pthread_mutex_lock(&s->lock);
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	pthread_mutex_unlock(&s->lock);
}

static void end_conn(struct http_server *s, struct conn *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&s->lock);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	pthread_mutex_unlock(&s->lock);
	free(c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **sock_ctx,
                          enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		begin_conn(cls, mhd, sock_ctx);
	else
		end_conn(cls, *sock_ctx);
}

/* ---- paths and methods ---- */

/* Invariant 1. */
static bool is_good_path(const char *s)
{
	if (s[0] != '/' || strlen(s) >= HTTP_PATH_MAX)
		return false;
	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("%\\?#", *p))
			return false;
	if (!s[1])
		return true;
	for (const char *p = s; *p; p += strcspn(p, "/")) {
		p++;
		size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && !memcmp(p, "..", 2)))
			return false;
	}
	return true;
}

static const struct http_route *find_route(const struct http_server *s, const char *path)
{
	for (size_t i = 0; i < s->nroutes; i++) {
		const char *want = s->routes[i].path;
		size_t n = strlen(want);
		bool prefix = want[n - 1] == '/';
		if (prefix ? !strncmp(path, want, n) : !strcmp(path, want))
			return &s->routes[i];
	}
	return NULL;
}

static unsigned method_of(const char *s)
{
	if (!strcmp(s, MHD_HTTP_METHOD_GET) || !strcmp(s, MHD_HTTP_METHOD_HEAD))
		return HTTP_GET;
	return strcmp(s, MHD_HTTP_METHOD_POST) ? 0 : HTTP_POST;
}

static const char *allowed(unsigned methods)
{
	static const char *const text[4] = {"", "GET, HEAD", "POST", "GET, HEAD, POST"};
	return text[methods & 3];
}

/* ---- answers ---- */

static enum MHD_Result send_response(struct MHD_Connection *c, unsigned status,
                                     struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	enum MHD_Result ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *allow,
                              const char *why)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
	    strlen(why), (void *)(uintptr_t)why, MHD_RESPMEM_PERSISTENT);
	if (r && allow)
		MHD_add_response_header(r, "Allow", allow);
	if (r)
		MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
	return send_response(c, status, r);
}

/* Takes body or file over. */
static struct MHD_Response *make_response(struct http_response *a)
{
	struct MHD_Response *r;
	if (a->is_file) {
		r = MHD_create_response_from_fd64(a->size, a->fd);
		if (!r)
			close(a->fd);
	} else if (a->body.data) {
		r = MHD_create_response_from_buffer(a->body.len, a->body.data, MHD_RESPMEM_MUST_FREE);
		if (!r)
			buf_done(&a->body);
	} else {
		static char none[1];
		r = MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
	}
	return r;
}

static enum MHD_Result answer(struct MHD_Connection *c, struct exchange *x)
{
	const char *type =
	    MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	struct http_request rq = {.method = x->method, .path = x->path, .type = type ? type : "",
	                          .body = x->body.data, .nbody = x->body.len};
	struct http_response a = {.status = 0};
	x->route->handle(x->s->ctx, &rq, &a);
	bool broken = a.status == 0 || a.body.oom;
	struct MHD_Response *r = make_response(&a);
	if (!r || broken) {
		if (r)
			MHD_destroy_response(r);
		return refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, "internal error\n");
	}
	if (a.type)
		MHD_add_response_header(r, "Content-Type", a.type);
	for (unsigned i = 0; i < a.nheaders && i < HTTP_HEADERS_MAX; i++)
		MHD_add_response_header(r, a.headers[i].name, a.headers[i].value);
	return send_response(c, a.status, r);
}

/* ---- requests ---- */

/* Announced length of the body, at most UINT32_MAX; what is no number was refused already. */
static uint64_t announced(struct MHD_Connection *c)
{
	const char *s =
	    MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t v = 0;
	for (; s && *s >= '0' && *s <= '9'; s++)
		v = num_min_u64(v * 10 + (uint64_t)(*s - '0'), UINT32_MAX);
	return v;
}

static size_t body_max(const struct exchange *x)
{
	return x->method == HTTP_POST ? x->route->body_max : 0;
}

static enum MHD_Result refuse_long(struct MHD_Connection *c)
{
	return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, NULL, "the body is too long\n");
}

/* The headers are there, the body is not. A refusal closes the connection if a body follows. */
static enum MHD_Result begin(struct MHD_Connection *c, struct exchange *x, const char *method)
{
	unsigned m = method_of(method);
	x->has_begun = true;
	if (x->is_bad_path)
		return refuse(c, MHD_HTTP_BAD_REQUEST, NULL,
		              "the path must be plain: no escapes, no query, no empty or dot segments\n");
	x->route = find_route(x->s, x->path);
	if (!x->route)
		return refuse(c, MHD_HTTP_NOT_FOUND, NULL, "not found\n");
	if (!(m & x->route->methods))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, allowed(x->route->methods),
		              "method not allowed\n");
	x->method = (enum http_method)m;
	return announced(c) > body_max(x) ? refuse_long(c) : MHD_YES;
}

/* Keeps what may be kept and counts the rest. */
static enum MHD_Result take_body(struct exchange *x, const char *p, size_t *n)
{
	x->received += *n;
	if (x->received <= body_max(x))
		buf_add(&x->body, p, *n);
	*n = 0;
	return x->received > body_max(x) + DISCARD_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *ndata, void **request)
{
	struct exchange *x = *request;
	(void)cls;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->has_begun)
		return begin(c, x, method);
	if (*ndata > 0)
		return take_body(x, data, ndata);
	if (x->received > body_max(x))
		return refuse_long(c);
	if (x->body.oom)
		return refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, "internal error\n");
	return answer(c, x);
}

/* The first line as it came. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct http_server *s = cls;
	struct exchange *x = calloc(1, sizeof *x);
	(void)c;
	if (!x)
		return NULL;
	x->s = s;
	x->is_bad_path = !is_good_path(uri);
	if (!x->is_bad_path)
		memcpy(x->path, uri, strlen(uri) + 1);
	atomic_fetch_add(&s->busy, 1);
	return x;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **request,
                         enum MHD_RequestTerminationCode why)
{
	struct http_server *s = cls;
	struct exchange *x = *request;
	(void)why;
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = i ? i->socket_context : NULL;
	if (c)
		atomic_store(&c->since_ms, now_ms());
	if (!x)
		return;
	buf_done(&x->body);
	free(x);
	*request = NULL;
	atomic_fetch_sub(&s->busy, 1);
}

/* Nothing is decoded. */
static size_t leave_alone(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

/* ---- beginning and end ---- */

static unsigned count_threads(const struct http_server_opts *o)
{
	long n = o->threads ? (long)o->threads : sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > HTTP_THREADS_MAX ? HTTP_THREADS_MAX : (unsigned)n;
}

/* libmicrohttpd knows seconds. */
static unsigned seconds(unsigned ms)
{
	return ms / 1000 + (ms % 1000 != 0);
}

/* A pool of one is refused by libmicrohttpd. */
static struct MHD_Daemon *start_daemon(int sock, const struct http_server_opts *o,
                                       struct http_server *s)
{
	unsigned threads = count_threads(o);
	struct MHD_OptionItem pool[] = {
		{threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned connections = o->connections ? o->connections : HTTP_CONNECTIONS;
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_access, s,
	    MHD_OPTION_ARRAY, pool, MHD_OPTION_LISTEN_SOCKET, sock,
	    MHD_OPTION_CONNECTION_LIMIT, connections < threads ? threads : connections,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_ip,
	    MHD_OPTION_CONNECTION_TIMEOUT, seconds(o->idle_ms ? o->idle_ms : HTTP_IDLE_MS),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_alone, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

static void free_server(struct http_server *s)
{
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void stop_clock(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->clock, NULL);
}

st_t http_server_start(int sock, const struct http_server_opts *o, struct http_server **ret,
                       struct err *e)
{
	struct http_server *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "HTTP server: out of memory");
	s->routes = o->routes;
	s->nroutes = o->nroutes;
	s->ctx = o->ctx;
	s->request_ms = o->request_ms ? o->request_ms : HTTP_REQUEST_MS;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (pthread_create(&s->clock, NULL, run_clock, s) != 0) {
		free_server(s);
		return fail(e, (st_t)-EAGAIN, 0, "HTTP server: no thread");
	}
	s->daemon = start_daemon(sock, o, s);
	if (!s->daemon) {
		stop_clock(s);
		free_server(s);
		return fail(e, ST_IO, 0, "HTTP server: it does not start");
	}
	*ret = s;
	return ST_OK;
}

void http_server_stop(struct http_server *s, unsigned wait_ms)
{
	if (!s)
		return;
	int sock = MHD_quiesce_daemon(s->daemon);
	for (uint64_t end = now_ms() + wait_ms; atomic_load(&s->busy) > 0 && now_ms() < end;)
		(void)poll(NULL, 0, STOP_STEP_MS);
	MHD_stop_daemon(s->daemon);
	if (sock >= 0)
		close(sock);
	stop_clock(s);
	free_server(s);
}
