/* Inside of vitrine-fetcher. main.c talks with the client, queue.c decides what runs when,
 * transfer.c is one request in libcurl. */
#ifndef VITRINE_PROC_FETCHER_INSIDE_H
#define VITRINE_PROC_FETCHER_INSIDE_H

#include "base/buf.h"
#include "net/fetch_wire.h"

#include <curl/curl.h>
#include <stdbool.h>

/* Transfers at a time, over all hosts. */
#define ACTIVE_MAX 64

/* Bytes that wait for the client to read them. Above, nothing is received. */
#define OUT_MAX ((size_t)8 << 20)

struct host;
struct fetcher;

struct transfer {
	struct transfer *next; /* in the queue of its host, then among the active ones */
	struct fetcher *f;
	struct host *host;
	/* the request */
	uint64_t id, max;
	uint32_t timeout_ms;
	bool post, head;
	uint64_t from, bandwidth;
	char url[FETCH_URL_MAX];
	char content_type[FETCH_TYPE_MAX];
	struct buf body;
	uint32_t nbody; /* what it will have */
	const char *forbidden; /* NULL, or why it is refused when it is whole */
	/* the answer */
	long status;
	struct buf part; /* not yet sent to the client */
	uint64_t size;
	uint64_t skip;       /* bytes before `from` that the server sends all the same */
	enum { RANGE_NONE, RANGE_GOOD, RANGE_BAD } range; /* Content-Range */
	bool encoded, placed;
	size_t header_bytes;
	bool cut;            /* the body of an answer that is an error was too long */
	const char *refused; /* why we ended it */
	enum fetch_failure failure;
	CURL *easy;
	struct curl_slist *headers;
	char curl_error[CURL_ERROR_SIZE];
};

/* Requests of one scheme, host and port: each has a queue of its own, so that one that is slow does
 * not hold up the others. */
struct host {
	struct host *next;
	unsigned active;
	struct transfer *first, **last;
	char key[FETCH_URL_MAX];
};

struct out_packet {
	struct out_packet *next;
	struct buf bytes;
};

struct fetcher {
	int sock;
	CURLM *multi;
	struct curl_blob trusted; /* certificates, PEM */
	bool is_set_up, closed;
	struct fetch_scope scope;
	uint64_t sent; /* weight of what was taken (fetch_scope_weight()) */
	uint32_t missing, landlock_abi; /* of the jail */
	uint32_t per_host, connect_ms;
	char proxy[FETCH_PROXY_MAX];
	struct host *hosts;
	unsigned active;
	struct transfer *running;  /* those */
	size_t waiting;            /* requests in queues */
	struct transfer *incoming; /* its body is still being received */
	struct out_packet *first, **last;
	size_t out_bytes;
	bool oom; /* the end: an answer could not be kept */
};

/* main.c: queues a frame for the client. */
void fetcher_say(struct fetcher *f, const struct frame *frame);

/* transfer.c: begins; the end comes through curl_multi_info_read() and transfer_finish(), which
 * tells the client and frees it. If it cannot begin, the client is told and it is gone. */
bool transfer_start(struct transfer *t);
void transfer_finish(struct transfer *t, CURLcode result);
void transfer_fail(struct transfer *t, enum fetch_failure failure, const char *why);
/* The client wants no more of it: it is answered as failed. */
void transfer_cancel(struct transfer *t);

/* queue.c: takes a complete request over. False: out of memory. */
bool queue_add(struct fetcher *f, struct transfer *t);
/* Starts what may be started. */
void queue_start(struct fetcher *f);
/* It has ended, and is still there. */
void queue_ended(struct transfer *t);
/* NULL: none of that id is active. */
struct transfer *queue_find_active(struct fetcher *f, uint64_t id);

#endif
