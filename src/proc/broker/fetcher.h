/* Starting and ending vitrine-fetcher, the process with the network. The caller needs none itself,
 * and may enter its own jail afterwards (ROLE_CHECK, ROLE_LOG_WRITE), keeping the socket. */
#ifndef VITRINE_PROC_BROKER_FETCHER_H
#define VITRINE_PROC_BROKER_FETCHER_H

#include "base/st.h"
#include "net/fetch.h"

#include <stdint.h>

struct fetcher_opts {
	const char *ca_file; /* PEM; NULL: the system's. It replaces those */
	const char *proxy;   /* "http://host:port"; NULL: none */
	uint32_t per_host;   /* connections to one host; 0: FETCH_PER_HOST */
	uint32_t connect_ms; /* 0: FETCH_CONNECT_MS */
};

struct fetcher;

/* All zeroes are good options. Opens the file with certificates, starts the process and waits until
 * it is jailed. ret_fetch lives as long as *ret. */
st_t fetcher_start(const struct fetcher_opts *o, struct fetcher **ret, struct fetch *ret_fetch,
                   struct err *e);

/* Ends it at once, what is under way included. NULL is fine. */
void fetcher_stop(struct fetcher *f);

/* The same, and adds the processor time that it used, microseconds. */
void fetcher_stop_count(struct fetcher *f, uint64_t *cpu_us);

/* The same from inside of a jail, where no process can be killed: closes the socket, which is a
 * sign for the fetcher to end. */
void fetcher_leave(struct fetcher *f);

/* The socket to it, for sandbox_enter_self(). */
int fetcher_socket(const struct fetcher *f);

/* The parts of its jail that are missing (enum sandbox_missing). */
uint32_t fetcher_missing(const struct fetcher *f);

#endif
