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
};

struct fetch_response {
	uint64_t tag;
	unsigned status; /* HTTP status; 0: nothing came, `error` says why */
	char type[FETCH_TYPE_MAX];
	struct buf body; /* the receiver's: buf_done() */
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
