#include "monitor/alert.h"

#include "crypto/digest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	enum alert_severity severity;
	bool event;
} kinds[ALERT_KINDS] = {
    [ALERT_SPLIT_VIEW] = {"split-view", ALERT_CRITICAL, true},
    [ALERT_INCONSISTENT] = {"inconsistent", ALERT_CRITICAL, true},
    [ALERT_SHRUNK] = {"shrunk", ALERT_ERROR, false},
    [ALERT_BAD_CHECKPOINT] = {"bad-checkpoint", ALERT_ERROR, false},
    [ALERT_BAD_SIGNATURE] = {"bad-signature", ALERT_ERROR, false},
    [ALERT_NO_QUORUM] = {"no-quorum", ALERT_ERROR, false},
    [ALERT_STALE] = {"stale", ALERT_WARNING, false},
    [ALERT_TIME_BACKWARDS] = {"time-backwards", ALERT_ERROR, false},
    [ALERT_FUTURE_TIME] = {"future-time", ALERT_WARNING, false},
    [ALERT_WITNESS_AHEAD] = {"witness-ahead", ALERT_ERROR, false},
    [ALERT_GAP] = {"gap", ALERT_ERROR, false},
    [ALERT_BAD_TILE] = {"bad-tile", ALERT_ERROR, false},
    [ALERT_UNREACHABLE] = {"unreachable", ALERT_WARNING, false},
    [ALERT_UNKNOWN_ENTRY] = {"unknown-entry", ALERT_ERROR, true},
    [ALERT_MALFORMED_ENTRY] = {"malformed-entry", ALERT_ERROR, true},
    [ALERT_BAD_ENTRY_SIGNATURE] = {"bad-entry-signature", ALERT_ERROR, true},
    [ALERT_SUBJECT_MISSING] = {"subject-missing", ALERT_ERROR, false},
    [ALERT_SUBJECT_DIFFERS] = {"subject-differs", ALERT_ERROR, false},
    [ALERT_NOT_REBUILT] = {"not-rebuilt", ALERT_ERROR, false},
    [ALERT_REBUILD_DIFFERS] = {"rebuild-differs", ALERT_ERROR, true},
    [ALERT_MONITOR_FAILED] = {"monitor-failed", ALERT_ERROR, false},
};

const char *alert_name(enum alert_kind k)
{
	return kinds[k].name;
}

enum alert_severity alert_severity(enum alert_kind k)
{
	return kinds[k].severity;
}

bool alert_is_event(enum alert_kind k)
{
	return kinds[k].event;
}

const char *alert_severity_name(enum alert_severity s)
{
	static const char *const names[] = {"warning", "error", "critical"};
	return names[s];
}

static const char *state_name(enum alert_state s)
{
	static const char *const names[] = {"raised", "cleared", "acknowledged"};
	return names[s];
}

void alert_about_text(const struct alert_about *a, char *ret, size_t cap)
{
	char hex[65] = "", index[24] = "";
	if (a->sha256)
		hex_encode(a->sha256, 32, hex);
	if (a->has_index)
		snprintf(index, sizeof index, "%" PRIu64, a->index);
	snprintf(ret, cap, "log=%.255s witness=%.255s other=%.255s entry=%s subject=%s",
	         a->log ? a->log : "", a->witness ? a->witness : "", a->other ? a->other : "", index,
	         hex);
}

void alert_time(uint64_t t, char ret[ALERT_TIME_MAX])
{
	struct tm tm;
	time_t v = (time_t)t;
	if (t > (uint64_t)253402300799 || !gmtime_r(&v, &tm) || /* behind the year 9999 */
	    strftime(ret, ALERT_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(ret, ALERT_TIME_MAX, "%" PRIu64, t);
}

/* A text of any bytes: what is no UTF-8 becomes question marks. */
static json_t *any_text(const char *s)
{
	char copy[1024];
	json_t *j = json_string(s);
	if (j)
		return j;
	snprintf(copy, sizeof copy, "%s", s);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

static void set_text(json_t *o, const char *key, const char *s)
{
	if (s)
		(void)json_object_set_new(o, key, any_text(s));
}

static void set_about(json_t *o, const struct alert_about *a)
{
	char hex[65];
	set_text(o, "log", a->log);
	set_text(o, "witness", a->witness);
	set_text(o, "other", a->other);
	if (a->has_index)
		(void)json_object_set_new(o, "entry", json_integer((json_int_t)a->index));
	if (a->sha256) {
		hex_encode(a->sha256, 32, hex);
		set_text(o, "subject", hex);
	}
	set_text(o, "name", a->name);
}

st_t alert_json(const struct alert_line *l, char **ret, struct err *e)
{
	char when[ALERT_TIME_MAX];
	json_t *o = json_object();
	json_t *files = json_array();
	alert_time(l->time, when);
	set_text(o, "time", when);
	set_text(o, "alert", alert_name(l->kind));
	set_text(o, "state", state_name(l->state));
	set_text(o, "severity", alert_severity_name(alert_severity(l->kind)));
	if (l->about)
		set_about(o, l->about);
	else
		set_text(o, "about", l->about_text);
	set_text(o, "text", l->text);
	for (int i = 0; i < 2 && l->evidence[i]; i++)
		(void)json_array_append_new(files, json_string(l->evidence[i]));
	if (json_array_size(files))
		(void)json_object_set(o, "evidence", files);
	json_decref(files);
	char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	if (!text)
		return fail(e, ST_NOMEM, 0, "alert: out of memory");
	*ret = text;
	return ST_OK;
}
