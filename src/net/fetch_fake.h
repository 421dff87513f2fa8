/* fetch.h for tests: answers come from a table, nothing leaves the process. */
#ifndef VITRINE_NET_FETCH_FAKE_H
#define VITRINE_NET_FETCH_FAKE_H

#include "net/fetch.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_answer {
	unsigned status;   /* 0: nothing came, `error` says why */
	const char *type;  /* NULL: application/octet-stream */
	const void *body;
	size_t nbody;
	const char *error;
	enum fetch_failure failure; /* status 0 */
	bool no_ranges;    /* 200 and all of it, also where a part was asked for */
	size_t cut;        /* not 0: a stream ends, as a failure, when so many bytes have come */
};

struct fetch_fake;

st_t fetch_fake_new(struct fetch_fake **ret, struct err *e);
void fetch_fake_free(struct fetch_fake *f);

/* What an URL answers from now on; copied. Other URLs answer 404. */
st_t fetch_fake_set(struct fetch_fake *f, const char *url, const struct fake_answer *a,
                    struct err *e);

/* Asked first, where there is one, for what depends on the request or on time; false: look into the
 * table. What ret_answer points to must last until the next call. */
void fetch_fake_on_request(struct fetch_fake *f,
                           bool (*answer)(void *ctx, const struct fetch_request *r,
                                          struct fake_answer *ret_answer),
                           void *ctx);

/* Answers come in the opposite order of the requests, as they may. */
void fetch_fake_reverse(struct fetch_fake *f, bool on);

/* From now on the fetcher is gone. */
void fetch_fake_break(struct fetch_fake *f);

/* Requests so far. */
size_t fetch_fake_count(const struct fetch_fake *f);

struct fetch fetch_fake_as_fetch(struct fetch_fake *f);

#endif
