/* What a monitor alerts about. Names are an interface: programs match them. They never change their
 * meaning; man/vitrine-monitor.1 explains each. */
#ifndef VITRINE_MONITOR_ALERT_H
#define VITRINE_MONITOR_ALERT_H

#include "base/buf.h"
#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order is stored (monitor/state.h): new ones go to the end. */
enum alert_kind {
	ALERT_SPLIT_VIEW,
	ALERT_INCONSISTENT,
	ALERT_SHRUNK,
	ALERT_BAD_CHECKPOINT,
	ALERT_BAD_SIGNATURE,
	ALERT_NO_QUORUM,
	ALERT_STALE,
	ALERT_TIME_BACKWARDS,
	ALERT_FUTURE_TIME,
	ALERT_WITNESS_AHEAD,
	ALERT_GAP,
	ALERT_BAD_TILE,
	ALERT_UNREACHABLE,
	ALERT_UNKNOWN_ENTRY,
	ALERT_MALFORMED_ENTRY,
	ALERT_BAD_ENTRY_SIGNATURE,
	ALERT_SUBJECT_MISSING,
	ALERT_SUBJECT_DIFFERS,
	ALERT_NOT_REBUILT,
	ALERT_REBUILD_DIFFERS,
	ALERT_MONITOR_FAILED, /* said by the watcher's parent */
	ALERT_KINDS
};

enum alert_severity { ALERT_WARNING, ALERT_ERROR, ALERT_CRITICAL };

/* A condition clears by itself; what happened once (an event) stays open until it is acknowledged.
 */
enum alert_state { ALERT_RAISED, ALERT_CLEARED, ALERT_ACKNOWLEDGED };

const char *alert_name(enum alert_kind k);
enum alert_severity alert_severity(enum alert_kind k);
const char *alert_severity_name(enum alert_severity s);
bool alert_is_event(enum alert_kind k);

/* What it is about; each is NULL where it does not apply. Together with the kind this tells alerts
 * apart. Texts may hold any bytes. */
struct alert_about {
	const char *log;     /* origin */
	const char *witness; /* its name in the policy */
	const char *other;   /* a second witness, a rebuilder; "monitoring", "tiles" */
	const uint8_t *sha256;
	const char *name; /* of the subject; a label, does not tell apart */
	bool has_index;
	uint64_t index; /* of an entry */
};

/* The about as one text, for the state. */
void alert_about_text(const struct alert_about *a, char *ret, size_t cap);

/* One line of JSON without its LF: printable ASCII only, keys in a fixed order. evidence: names of
 * files. `about` is the text above. The caller frees *ret. ST_NOMEM. */
struct alert_line {
	enum alert_kind kind;
	enum alert_state state;
	uint64_t time;
	const struct alert_about *about; /* NULL: only the text is known */
	const char *about_text;
	const char *text;
	const char *evidence[2];
};
st_t alert_json(const struct alert_line *l, char **ret, struct err *e);

/* "2026-11-24T12:00:00Z" */
#define ALERT_TIME_MAX 32
void alert_time(uint64_t t, char ret[ALERT_TIME_MAX]);

#endif
