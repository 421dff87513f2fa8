/* Starting and ending vitrine-fetcher, the process with the network. The caller needs none itself,
 * and may enter its own jail afterwards (ROLE_CHECK, ROLE_LOG_WRITE), keeping the socket. */
#ifndef VITRINE_PROC_BROKER_FETCHER_H
#define VITRINE_PROC_BROKER_FETCHER_H

#include "base/st.h"
#include "net/fetch.h"
#include "net/fetch_scope.h"

#include <stdint.h>

struct fetcher_opts {
	const char *ca_file; /* PEM; NULL: the system's. It replaces those */
	const char *proxy;   /* "http://host:port"; NULL: none */
	uint32_t per_host;   /* connections to one host; 0: FETCH_PER_HOST */
	uint32_t connect_ms; /* 0: FETCH_CONNECT_MS */
	const struct fetch_scope *scope; /* what it may be asked for; NULL: nothing */
};

/* The fetcher did not say how much. */
#define FETCHER_SENT_UNKNOWN UINT64_MAX

struct fetcher;

/* All zeroes are good options, for a fetcher that refuses everything. Opens the file with
 * certificates, starts the process and waits until it is jailed and has taken what it may be asked
 * for: whoever gets fetcher_socket() afterwards cannot change that. ret_fetch lives as long as
 * *ret. */
st_t fetcher_start(const struct fetcher_opts *o, struct fetcher **ret, struct fetch *ret_fetch,
                   struct err *e);

/* Ends it at once, what is under way included. NULL is fine. */
void fetcher_stop(struct fetcher *f);

/* The same, when nobody else has its socket any more; adds the processor time that it used,
 * microseconds. ret_sent: bytes of the requests that it took (fetch_scope_weight()), by its own
 * word, or FETCHER_SENT_UNKNOWN. */
void fetcher_stop_count(struct fetcher *f, uint64_t *cpu_us, uint64_t *ret_sent);

/* The same from inside of a jail, where no process can be killed: closes the socket, which is a
 * sign for the fetcher to end. */
void fetcher_leave(struct fetcher *f);

/* The socket to it, for sandbox_enter_self(). */
int fetcher_socket(const struct fetcher *f);

/* The parts of its jail that are missing (enum sandbox_missing). */
uint32_t fetcher_missing(const struct fetcher *f);

#endif
