/* The monitor: follows logs and their witnesses, step by step. It does no I/O of its own: the
 * network is a struct fetch, the clock a number, what it remembers a structure that the caller
 * stores, what it has to say goes to functions of the caller. So tests replay years in a moment,
 * and in production it runs in a jail (proc/broker/watch.h).
 *
 * Invariants
 * 1. What is remembered of a log is a checkpoint with its quorum, proven to extend the one before,
 *    and the frontier of entries that were all looked at and hash to it.
 * 2. Nothing is judged before it is proven: entries only once their window leads to the root.
 * 3. No failure ends in silence: what could not be checked is counted in the summary, and after a
 *    while it is an alert. */
#ifndef VITRINE_MONITOR_MONITOR_H
#define VITRINE_MONITOR_MONITOR_H

#include "monitor/alert.h"
#include "monitor/config.h"
#include "monitor/state.h"
#include "net/fetch.h"

struct monitor_message {
	enum alert_kind kind;
	enum alert_state state;
	const char *json; /* one line, without LF */
	const char *text; /* for people; any bytes */
};

/* Longest name of evidence, bytes with NUL: 64 hex digits of the SHA-256 of its bytes, ".note". */
#define MONITOR_EVIDENCE_MAX 72

/* Statuses of these end the step. */
struct monitor_out {
	st_t (*alert)(void *ctx, const struct monitor_message *msg, struct err *e);
	/* Always before the alert that names it. The same one may come again. */
	st_t (*evidence)(void *ctx, const char *name, struct rd bytes, struct err *e);
	/* What could not be checked in this step, for people; any bytes. No alert yet. */
	st_t (*unchecked)(void *ctx, const char *text, struct err *e);
	void *ctx;
};

struct monitor_summary {
	uint64_t entries;   /* looked at in this step */
	uint32_t raised;    /* in this step */
	uint32_t open;      /* at its end */
	uint32_t critical;  /* of these */
	uint32_t unchecked; /* what could not be checked: not reached, refused */
	bool more;          /* entries are left: the next step need not wait */
};

struct monitor {
	const struct monitor_config *cfg;
	const struct fetch *fetch;
	struct monitor_out out;
	bool acknowledge; /* open events are closed first */
	/* Milliseconds of a clock that only goes forward, so that one slow server does not keep a step
	 * from the other logs. NULL: no limit. */
	uint64_t (*clock_ms)(void);
	struct monitor_state state;
	/* Of the step. */
	struct tlog_hasher hasher;
	uint64_t now;
	struct monitor_summary sum;
};

/* Seconds since 1970. ST_OK also with alerts. Below 0: our fault or the fetcher's; the state is
 * then half-way and must not be stored. */
st_t monitor_step(struct monitor *m, uint64_t now, struct monitor_summary *ret, struct err *e);

#endif
