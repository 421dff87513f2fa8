/* An HTTP server for the log and the witness, over libmicrohttpd: paths that are registered, bodies
 * that are whole and bounded, answers from memory or from a file. Everything else is refused here,
 * so that a handler sees good requests only.
 *
 * Invariants
 * 1. A path that a handler sees begins with a slash and consists of segments of printable ASCII
 *    without '%', '\', '?', '#' or blanks; no segment is empty, "." or "..". Nothing is decoded:
 *    there is one spelling of a path, and whatever has another is a 400. (A NUL ends the path as
 *    libmicrohttpd reads the line; what stands behind it is not looked at by anybody.)
 * 2. The body is complete and not longer than its route allows; no handler runs for others (413).
 * 3. No connection holds a place for ever, whatever trickles in or is not read: from its begin, or
 *    the end of the last answer, to the end of the next answer there is request_ms.
 * 4. Nothing that a client says makes the server end or log.
 *
 * Threads: handlers run in a pool, several at a time. The process is jailed (ROLE_LOG_SERVE,
 * ROLE_WITNESS) between http_listen() and http_server_start(). */
#ifndef VITRINE_NET_HTTP_SERVER_H
#define VITRINE_NET_HTTP_SERVER_H

#include "base/buf.h"
#include "base/st.h"
#include "net/http_listen.h"

#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET = 1, /* and HEAD: the same answer without its body */
	HTTP_POST = 2,
};

struct http_request {
	enum http_method method;
	const char *path;
	const char *type; /* Content-Type, "" if there is none */
	const void *body;
	size_t nbody;
};

#define HTTP_HEADERS_MAX 6

/* What a handler answers. All zeroes is 500. */
struct http_response {
	unsigned status;
	const char *type;  /* must last until the answer is sent: a literal */
	struct buf body;   /* the server takes it over */
	int fd;            /* with is_file: the body is this file, closed by the server */
	uint64_t size;     /* of it */
	int is_file;
	unsigned nheaders; /* copied when the handler returns */
	struct {
		const char *name, *value;
	} headers[HTTP_HEADERS_MAX];
};

struct http_route {
	const char *path;  /* whole; or, ending in a slash, what paths begin with; "/" is all */
	unsigned methods;  /* enum http_method; others get 405 and an Allow header */
	size_t body_max;   /* of POST */
	void (*handle)(void *ctx, const struct http_request *r, struct http_response *ret);
};

struct http_server_opts {
	const struct http_route *routes; /* the first that fits; none fits: 404. Must last */
	size_t nroutes;
	void *ctx;            /* of the handlers */
	unsigned threads;     /* 0: one per processor, at most HTTP_THREADS_MAX */
	unsigned connections; /* altogether; 0: HTTP_CONNECTIONS. More wait to be accepted */
	unsigned per_ip;      /* of one address; 0: any number, as behind a reverse proxy */
	unsigned idle_ms;     /* a connection without a request; 0: HTTP_IDLE_MS */
	unsigned request_ms;  /* invariant 3; 0: HTTP_REQUEST_MS */
};

#define HTTP_THREADS_MAX 64
#define HTTP_CONNECTIONS 1000
#define HTTP_IDLE_MS 30000
#define HTTP_REQUEST_MS 60000

/* Bytes of the request line and all headers; what is longer gets 414 or 431. */
#define HTTP_HEAD_MAX 16384
#define HTTP_PATH_MAX 1024

struct http_server;

/* Starts threads that serve on the socket, which the server takes over if it succeeds. */
st_t http_server_start(int sock, const struct http_server_opts *o, struct http_server **ret,
                       struct err *e);

/* Accepts nothing more, lets what is being answered end (at most wait_ms), and frees all. */
void http_server_stop(struct http_server *s, unsigned wait_ms);

#endif
