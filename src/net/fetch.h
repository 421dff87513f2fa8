/* Asking for public files and posting to witnesses. The bytes come from a process of their own,
 * vitrine-fetcher, which has the network and nothing else and interprets nothing but HTTP; what
 * reads them has no network. Requests carry no identifier: no cookie, no version, no name of the
 * program, only what HTTP needs.
 *
 * An interface, so that tests bring answers of their own (net/fetch_fake.h). */
#ifndef VITRINE_NET_FETCH_H
#define VITRINE_NET_FETCH_H

#include "base/buf.h"
#include "base/st.h"

#include <stdbool.h>
#include <stdint.h>

#define FETCH_URL_MAX 2048
#define FETCH_TYPE_MAX 64 /* bytes of a content type kept, with NUL */

/* Takes bytes of a file as they come, in order, each once. Must not ask for anything itself.
 * Another status than ST_OK ends the transfer. */
typedef st_t fetch_sink(void *ctx, const void *p, size_t n, struct err *e);

struct fetch_request {
	const char *url;      /* http or https */
	const void *body;     /* NULL: GET, else POST */
	bool head;            /* HEAD instead: does it exist? The answer's body is empty */
	size_t nbody;
	const char *type;     /* content type of the body */
	size_t max;           /* bytes of the answer; more is an error. An answer with a status of 300
	                       * or above keeps its status, and loses a body that is too long */
	uint32_t timeout_ms;  /* for the whole transfer, from its start; 0: a minute */
	uint64_t tag;         /* handed back with the answer */
	/* Large files (GET only): with a sink the file goes there, from within next(), instead of into
	 * the answer's body, and may be of any length up to max. Only bytes of the file do: the body of
	 * an answer with another status than 200 and 206 is dropped. */
	fetch_sink *sink;
	void *sink_ctx;
	uint64_t from;        /* the file from this byte on (a Range request), which `max` counts from.
	                       * A server that sends the whole file is heard until there */
	uint64_t bandwidth;   /* bytes a second at most, of this transfer; 0: no limit */
};

enum fetch_failure {
	FETCH_FAILED,   /* any other */
	FETCH_TOO_LONG, /* more than max bytes */
	FETCH_TOO_SLOW, /* no connection in time, slower than the lowest rate, or the time is over */
	FETCH_FAILURES,
};

struct fetch_response {
	uint64_t tag;
	unsigned status; /* HTTP status; 0: nothing came, or not all; `failure`, `error` say why */
	char type[FETCH_TYPE_MAX];
	struct buf body; /* the receiver's: buf_done() */
	uint64_t size;   /* bytes in the body, or given to the sink, also where it failed later */
	enum fetch_failure failure;
	st_t sink;       /* what the sink said, where it ended the transfer (status 0) */
	char error[256];
};

struct fetch_ops {
	/* Queues a request; copies all it needs. Any number may be under way, answers come in any
	 * order. ST_LIMIT: a URL or a body that is too long. ST_MALFORMED: not an http or https URL.
	 * Below 0: the fetcher is gone. */
	st_t (*submit)(void *ctx, const struct fetch_request *r, struct err *e);
	/* The next answer. wait_ms < 0: as long as it takes. ST_NOT_FOUND: nothing is under way.
	 * ST_TIMEOUT: none came. Below 0: the fetcher is gone, and with it all answers. */
	st_t (*next)(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e);
};

struct fetch {
	const struct fetch_ops *ops;
	void *ctx;
};

/* One request and its answer, where nothing else is under way. */
st_t fetch_one(const struct fetch *f, const struct fetch_request *r, struct fetch_response *ret,
               struct err *e);

#endif
