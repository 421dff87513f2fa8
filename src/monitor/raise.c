/* Alerts of a step: said once, remembered as long as they are open. */
#include "monitor/inside.h"

#include "crypto/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static st_t say(struct monitor *m, const struct alert_line *l, struct err *e)
{
	char *json;
	TRY(alert_json(l, &json, e));
	struct monitor_message msg = {l->kind, l->state, json, l->text};
	st_t st = m->out.alert(m->out.ctx, &msg, e);
	free(json);
	return st;
}

static st_t keep_evidence(struct monitor *m, struct rd bytes, char ret_name[MONITOR_EVIDENCE_MAX],
                          struct err *e)
{
	uint8_t sum[32];
	char hex[65];
	struct rd copy = bytes;
	size_t n = rd_left(&copy);
	TRY(digest_bytes(DIGEST_SHA256, rd_take(&copy, n), n, sum, e));
	hex_encode(sum, sizeof sum, hex);
	snprintf(ret_name, MONITOR_EVIDENCE_MAX, "%s.note", hex);
	return m->out.evidence(m->out.ctx, ret_name, bytes, e);
}

/* "log NAME, witness NAME: text" for people. */
static void describe(const struct alert_about *a, const char *text, char *ret, size_t cap)
{
	size_t n = 0;
	ret[0] = '\0';
	if (a->log)
		n += (size_t)snprintf(ret + n, cap - n, "log %.255s: ", a->log);
	if (a->witness)
		n += (size_t)snprintf(ret + n, cap - n, "witness %.255s: ", a->witness);
	if (a->has_index)
		n += (size_t)snprintf(ret + n, cap - n, "entry %llu: ", (unsigned long long)a->index);
	if (a->name)
		n += (size_t)snprintf(ret + n, cap - n, "%.255s: ", a->name);
	snprintf(ret + n, cap - n, "%s", text);
}

st_t monitor_raise(struct monitor *m, enum alert_kind k, const struct alert_about *a,
                   const struct monitor_evidence *ev, struct err *e, const char *fmt, ...)
{
	char about[MONITOR_ABOUT_MAX], text[ERR_TEXT_MAX], full[2048];
	char names[2][MONITOR_EVIDENCE_MAX];
	alert_about_text(a, about, sizeof about);
	if (monitor_state_find_open(&m->state, k, about))
		return ST_OK;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	describe(a, text, full, sizeof full);
	struct alert_line l = {.kind = k, .state = ALERT_RAISED, .time = m->now, .about = a,
	                       .text = full};
	for (size_t i = 0; ev && i < ev->n; i++) {
		TRY(keep_evidence(m, ev->v[i], names[i], e));
		l.evidence[i] = names[i];
	}
	if (!monitor_state_open(&m->state, k, about, m->now))
		return fail(e, ST_NOMEM, 0, "monitor: too many open alerts");
	m->sum.raised++;
	return say(m, &l, e);
}

static st_t close_alert(struct monitor *m, struct monitor_open *o, const struct alert_about *a,
                        enum alert_state state, struct err *e)
{
	char full[2048], when[ALERT_TIME_MAX], text[128], about[MONITOR_ABOUT_MAX + 1];
	alert_time(o->since, when);
	snprintf(text, sizeof text, "%s, raised %s",
	         state == ALERT_CLEARED ? "is over" : "acknowledged", when);
	snprintf(about, sizeof about, "%s", o->about);
	if (a)
		describe(a, text, full, sizeof full);
	else
		snprintf(full, sizeof full, "%s: %s", about, text);
	struct alert_line l = {.kind = (enum alert_kind)o->kind, .state = state, .time = m->now,
	                       .about = a, .about_text = about, .text = full};
	monitor_state_close(&m->state, o);
	return say(m, &l, e);
}

st_t monitor_clear(struct monitor *m, enum alert_kind k, const struct alert_about *a,
                   struct err *e)
{
	char about[MONITOR_ABOUT_MAX];
	if (m->state.nopen == 0)
		return ST_OK;
	alert_about_text(a, about, sizeof about);
	struct monitor_open *o = monitor_state_find_open(&m->state, k, about);
	return o ? close_alert(m, o, a, ALERT_CLEARED, e) : ST_OK;
}

st_t monitor_acknowledge(struct monitor *m, struct err *e)
{
	uint32_t i = 0;
	while (i < m->state.nopen) {
		struct monitor_open *o = &m->state.open[i];
		if (alert_is_event((enum alert_kind)o->kind))
			TRY(close_alert(m, o, NULL, ALERT_ACKNOWLEDGED, e));
		else
			i++;
	}
	return ST_OK;
}

st_t monitor_unchecked(struct monitor *m, const struct alert_about *a, const char *what,
                       struct err *e)
{
	char full[2048];
	m->sum.unchecked++;
	describe(a, what, full, sizeof full);
	return m->out.unchecked(m->out.ctx, full, e);
}

st_t monitor_is_down(struct monitor *m, const struct alert_about *a, uint64_t *since,
                     const char *what, struct err *e)
{
	TRY(monitor_unchecked(m, a, what, e));
	if (*since == 0 || *since > m->now)
		*since = m->now;
	if (m->now - *since < m->cfg->unreachable_after)
		return ST_OK;
	return monitor_raise(m, ALERT_UNREACHABLE, a, NULL, e, "does not answer: %s", what);
}

st_t monitor_not_answered(struct monitor *m, const struct alert_about *a, uint64_t *since,
                          const struct fetch_response *r, struct err *e)
{
	char what[sizeof r->error];
	snprintf(what, sizeof what, "HTTP status %u", r->status);
	return monitor_is_down(m, a, since, r->status ? what : r->error, e);
}

st_t monitor_is_up(struct monitor *m, const struct alert_about *a, uint64_t *since, struct err *e)
{
	*since = 0;
	return monitor_clear(m, ALERT_UNREACHABLE, a, e);
}
