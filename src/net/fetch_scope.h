/* What one vitrine-fetcher may be asked for: which methods below which URLs. Who starts it says so
 * (SETUP of net/fetch_wire.h); who asks, a process that reads foreign bytes and may be taken over,
 * cannot change it. An empty scope allows nothing.
 *
 * Invariants
 * 1. What is allowed goes to a scheme, host and port that the scope names, byte for byte, and stays
 *    below its path however often the server decodes the path and takes dots away. */
#ifndef VITRINE_NET_FETCH_SCOPE_H
#define VITRINE_NET_FETCH_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Logs, witnesses and where they show what they cosigned (POLICY_ITEMS_MAX each), mirrors. */
#define FETCH_SCOPE_MAX 256u

/* Those of methods are 1 << enum frame_method. */
enum fetch_may {
	FETCH_MAY_GET = 1,
	FETCH_MAY_POST = 2,
	FETCH_MAY_HEAD = 4,
	FETCH_MAY_QUERY = 8, /* with those: "?" and what follows */
};
#define FETCH_MAY_ALL 15u

struct fetch_below {
	const char *url; /* its first n bytes, without the slashes at the end */
	size_t n;
	uint32_t may;
};

struct fetch_scope {
	struct fetch_below v[FETCH_SCOPE_MAX];
	size_t n;
	uint64_t send_max; /* bytes of all requests together, as fetch_scope_weight(); 0: no limit */
};

/* Allows what is below the URL: "http://a/x" and "http://a/x/" are the same and allow
 * "http://a/x/y", not "http://a/xy" and not "http://a/x". The text must stay. The n bytes of url
 * need no NUL. False: it is no URL, has a query or dots, or there is no room; nothing is added, and
 * so what is asked for there will be refused. */
bool fetch_scope_add(struct fetch_scope *s, const char *url, size_t n, uint32_t may);

/* Whether a request by that method (one bit of enum fetch_may) may be made. */
bool fetch_scope_allows(const struct fetch_scope *s, const char *url, uint32_t method);

/* Bytes of a request that are the asker's choice. */
uint64_t fetch_scope_weight(const char *url, const char *type, uint64_t nbody, uint64_t from);

#endif
