/* Inside of src/monitor: the parts of a step. */
#ifndef VITRINE_MONITOR_INSIDE_H
#define VITRINE_MONITOR_INSIDE_H

#include "log/source.h"
#include "monitor/monitor.h"

/* Each request but those for subjects. */
#define MONITOR_TIMEOUT_MS 30000u

/* Bundles that are fetched, proven and judged together: the largest have 16 MB each. */
#define MONITOR_WINDOW 8u

/* Windows of a log in one step: 131,072 entries. Then the state is stored. */
#define MONITOR_WINDOWS_MAX 64u

/* Behind so many alerts a step takes no further entries, so that none is lost in a crowd. */
#define MONITOR_ALERTS_MAX 200u

/* A log has this long in one step, and so have all subjects together. What is left is for the
 * next. */
#define MONITOR_TURN_MS (UINT64_C(5) * 60 * 1000)

/* Subjects that are asked for in one step. */
#define MONITOR_SUBJECTS_STEP 64u

/* Raises an alert that is not open yet. `evidence`: one or two notes, or none. */
struct monitor_evidence {
	struct rd v[2];
	size_t n;
};
st_t monitor_raise(struct monitor *m, enum alert_kind k, const struct alert_about *a,
                   const struct monitor_evidence *ev, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Says that it is over, if it is open. */
st_t monitor_clear(struct monitor *m, enum alert_kind k, const struct alert_about *a,
                   struct err *e);

/* Closes all open events. */
st_t monitor_acknowledge(struct monitor *m, struct err *e);

/* One log in one step. */
struct watch {
	struct monitor *m;
	size_t index; /* in the policy */
	const struct policy_log *log;
	struct monitor_log *l;
	struct alert_about about;
	uint64_t start_ms;
	bool trouble; /* a tile did not come: no others are asked for in this step */
	struct log_source *src;
	struct tile_source tiles;
	struct tile_nodes nodes;
};

/* A checkpoint of this log, signed by it. */
struct view {
	struct rd bytes;
	struct note note;
	struct checkpoint cp;
	bool cosigned[POLICY_ITEMS_MAX];
	uint64_t time[POLICY_ITEMS_MAX];
	size_t bad_witness; /* whose signature is wrong; SIZE_MAX: none */
};

/* Reads and verifies. ST_MALFORMED, ST_LIMIT: no checkpoint of this log. ST_BAD_SIG: not signed by
 * it. Else ST_OK: who cosigned is in `ret`. ST_NOMEM. */
st_t view_read(const struct watch *w, struct rd bytes, struct view *ret, struct err *e);

/* Whether a smaller tree is the beginning of a larger one, by the log's tiles of the latter. */
enum prefix {
	PREFIX_PROVEN,
	PREFIX_DIFFERENT, /* proven that it is not: the larger tree has another root at that size */
	PREFIX_UNKNOWN,   /* tiles are missing or wrong; that was said */
};
st_t watch_check_prefix(struct watch *w, uint64_t small, const struct tlog_hash *small_root,
                        uint64_t big, const struct tlog_hash *big_root, enum prefix *ret,
                        struct err *e);

uint64_t monitor_clock(const struct monitor *m);
bool monitor_is_late(const struct monitor *m, uint64_t start_ms);

/* What follows from tiles that could not be read: an alert, or something unchecked. */
st_t watch_tile_trouble(struct watch *w, st_t st, const struct err *why, struct err *e);

/* Times of a cosignature: future, backwards. *last is what was seen before, and updated. */
st_t watch_check_time(struct watch *w, const struct alert_about *a, uint64_t time, uint64_t *last,
                      struct err *e);

/* Counts what could not be checked, and says what. */
st_t monitor_unchecked(struct monitor *m, const struct alert_about *a, const char *what,
                       struct err *e);

/* Something did not answer, or did again. `what` names it. */
st_t monitor_is_down(struct monitor *m, const struct alert_about *a, uint64_t *since,
                     const char *what, struct err *e);
st_t monitor_not_answered(struct monitor *m, const struct alert_about *a, uint64_t *since,
                          const struct fetch_response *r, struct err *e);
st_t monitor_is_up(struct monitor *m, const struct alert_about *a, uint64_t *since, struct err *e);

/* The parts, in their order. `r`: the answer to the question for the checkpoint. */
st_t watch_log(struct watch *w, const struct fetch_response *r, struct err *e);
st_t watch_entries(struct watch *w, struct err *e);

st_t watch_witnesses(struct watch *w, const struct fetch_response *answers, struct err *e);
st_t watch_entry(struct watch *w, uint64_t index, struct rd entry, struct err *e);
st_t watch_subjects(struct monitor *m, struct err *e);

/* SHA-256 of a verifier key: what the state knows logs and witnesses by. */
st_t monitor_key_id(const struct note_key *k, uint8_t ret[32], struct err *e);

#endif
