/* fetch.h over a socket to vitrine-fetcher: the side that asks. Starts no process;
 * proc/broker/fetcher.h does.
 *
 * Invariants
 * 1. Every request that was taken is answered once, or next() fails for good.
 * 2. The fetcher is not believed: what it says about requests it was not given, out of turn or over
 *    a limit ends it.
 * 3. Nothing waits for ever: a fetcher that says nothing for longer than its requests may take is
 *    gone. */
#ifndef VITRINE_NET_FETCH_CLIENT_H
#define VITRINE_NET_FETCH_CLIENT_H

#include "base/st.h"
#include "net/fetch.h"

#include <stdint.h>

struct fetch_client;

struct fetch_settings {
	uint32_t per_host;   /* connections to one host at a time; 0: FETCH_PER_HOST */
	uint32_t connect_ms; /* for name, connection and TLS together; 0: FETCH_CONNECT_MS */
	const char *proxy;   /* "http://host:port"; NULL: none, whatever the environment says */
};

#define FETCH_PER_HOST 8
#define FETCH_CONNECT_MS 10000

/* Says SETUP and waits for HELLO, at most some seconds. Takes the socket over, if it succeeds.
 * ret_missing and ret_abi: struct sandbox_report of the fetcher. */
st_t fetch_client_new(int sock, const struct fetch_settings *s, struct fetch_client **ret,
                      uint32_t *ret_missing, uint32_t *ret_abi, struct err *e);

/* The same for a socket over which somebody else said SETUP, heard HELLO and nothing more: a
 * process that was handed the way to a fetcher. */
st_t fetch_client_adopt(int sock, struct fetch_client **ret, struct err *e);
void fetch_client_free(struct fetch_client *c);

/* Valid as long as the client. */
struct fetch fetch_client_as_fetch(struct fetch_client *c);

#endif
