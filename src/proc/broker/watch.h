/* One step of the monitor in a process of its own, seen from its parent.
 *
 * The watcher is forked, starts a fetcher (its only way out), closes its jail (ROLE_CHECK: no
 * files, no network, no children) and only then reads the state, and what the fetcher brings. What
 * it says comes through a pipe, frame by frame, and is hostile input to the parent, who keeps it
 * without looking inside: alerts are said, evidence and state stored. It lives for one step. */
#ifndef VITRINE_PROC_BROKER_WATCH_H
#define VITRINE_PROC_BROKER_WATCH_H

#include "monitor/monitor.h"
#include "proc/broker/fetcher.h"

struct watch_request {
	const struct monitor_config *cfg;
	struct rd state; /* as stored */
	uint64_t now;
	bool acknowledge;
	struct fetcher_opts fetcher; /* its scope is not looked at: that of cfg holds */
	int stop_fd; /* readable: end at once (ST_TIMEOUT); -1: none */
};

/* Hands alerts and evidence to `out` as they come: lines of JSON are printable ASCII, texts may be
 * anything. ret_state: to be stored, once all of them were handed on. Whatever the status, alerts
 * that were said stay said: they come again with the next step. ST_MALFORMED: the state or what the
 * watcher said cannot be read. Below 0: it could not be started, or the fetcher ended. */
st_t broker_watch(const struct watch_request *rq, const struct monitor_out *out,
                  struct buf *ret_state, struct monitor_summary *ret, struct err *e);

#endif
