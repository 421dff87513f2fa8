/* Released files: whether the repository has them, and whether somebody rebuilt them in time. */
#include "monitor/inside.h"

#include "base/num.h"
#include "crypto/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_TIMEOUT_MS 120000u

struct subjects {
	struct monitor *m;
	uint8_t log_id[POLICY_ITEMS_MAX][32];
};

static struct alert_about about(const struct subjects *s, const struct monitor_subject *x)
{
	const struct policy *p = s->m->cfg->policy;
	struct alert_about a = {.sha256 = x->sha256, .name = x->name};
	for (size_t i = 0; i < p->nlogs; i++)
		if (!memcmp(s->log_id[i], x->log, 32))
			a.log = p->logs[i].key.name;
	return a;
}

/* How long ago; a clock that was set back makes it 0. */
static uint64_t age(const struct monitor *m, const struct monitor_subject *x)
{
	return m->now > x->first_seen ? m->now - x->first_seen : 0;
}

static st_t check_rebuilt(struct subjects *s, const struct monitor_subject *x, struct err *e)
{
	struct monitor *m = s->m;
	struct alert_about a = about(s, x);
	if (x->nrebuilders >= m->cfg->rebuilds_needed)
		return monitor_clear(m, ALERT_NOT_REBUILT, &a, e);
	if (age(m, x) < m->cfg->rebuilt_within)
		return ST_OK;
	return monitor_raise(m, ALERT_NOT_REBUILT, &a, NULL, e,
	                     "released as entry %" PRIu64 ", rebuilt by %u, and %" PRIu64 " are needed",
	                     x->index, x->nrebuilders, m->cfg->rebuilds_needed);
}

static bool is_unreserved(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~' || c == '/';
}

/* RFC 3986: everything but unreserved characters and the slash as %XX. A name that would climb in
 * the path is refused: "." and ".." are taken away by clients and servers alike. */
static bool add_name(struct buf *url, const char *name)
{
	char hex[8];
	size_t n = strlen(name), start = 0;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && name[i] != '/')
			continue;
		size_t len = i - start;
		if (len == 0 || (len == 1 && name[start] == '.') ||
		    (len == 2 && name[start] == '.' && name[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(hex, sizeof hex, "%%%02X", (unsigned)(uint8_t)name[i]);
		bool plain = is_unreserved((uint8_t)name[i]);
		buf_add(url, plain ? &name[i] : hex, plain ? 1 : 3);
	}
	return true;
}

/* The URL of a file, NUL-terminated. False: the name cannot be in one, or it gets too long. */
static bool fill_url(const struct monitor_config *c, const struct monitor_subject *x,
                     struct buf *url)
{
	char hex[65];
	bool fine = true;
	hex_encode(x->sha256, 32, hex);
	for (const char *t = c->repository; *t && fine;) {
		if (!strncmp(t, "{sha256}", 8)) {
			buf_add(url, hex, 64);
			t += 8;
		} else if (!strncmp(t, "{name}", 6)) {
			fine = add_name(url, x->name);
			t += 6;
		} else {
			buf_u8(url, (uint8_t)*t++);
		}
	}
	buf_u8(url, '\0');
	return fine && !url->oom && url->len <= FETCH_URL_MAX;
}

static st_t missing(struct subjects *s, struct monitor_subject *x, const char *why, struct err *e)
{
	struct alert_about a = about(s, x);
	if (age(s->m, x) < s->m->cfg->subject_within)
		return ST_OK;
	return monitor_raise(s->m, ALERT_SUBJECT_MISSING, &a, NULL, e,
	                     "released as entry %" PRIu64 ", and the repository does not have it: %s",
	                     x->index, why);
}

static st_t present(struct subjects *s, struct monitor_subject *x, const struct buf *body,
                    struct err *e)
{
	struct alert_about a = about(s, x);
	uint8_t sum[32];
	TRY(monitor_clear(s->m, ALERT_SUBJECT_MISSING, &a, e));
	if (s->m->cfg->fetch_subjects) {
		TRY(digest_bytes(DIGEST_SHA256, body->len ? (const void *)body->data : "", body->len, sum,
		                 e));
		if (memcmp(sum, x->sha256, 32))
			return monitor_raise(s->m, ALERT_SUBJECT_DIFFERS, &a, NULL, e,
			                     "the repository has something else under its name");
		TRY(monitor_clear(s->m, ALERT_SUBJECT_DIFFERS, &a, e));
	}
	x->present = true;
	return ST_OK;
}

static st_t take_answer(struct subjects *s, struct monitor_subject *x,
                        const struct fetch_response *r, struct err *e)
{
	char status[32];
	if (r->status == 200)
		return present(s, x, &r->body, e);
	if (r->status == 404 || r->status == 410) {
		snprintf(status, sizeof status, "HTTP status %u", r->status);
		return missing(s, x, status, e);
	}
	/* Whatever keeps it from us: within the same time it has to be there. */
	struct alert_about a = about(s, x);
	snprintf(status, sizeof status, "HTTP status %u", r->status);
	TRY(monitor_unchecked(s->m, &a, r->status ? status : r->error, e));
	return missing(s, x, r->status ? status : r->error, e);
}

/* *ret_asked false: there is nothing to ask for. */
static st_t ask(struct subjects *s, uint32_t i, bool *ret_asked, struct err *e)
{
	const struct monitor_config *c = s->m->cfg;
	struct monitor_subject *x = &s->m->state.subjects[i];
	struct buf url = {0};
	*ret_asked = fill_url(c, x, &url);
	st_t st = buf_check(&url, e, "monitor");
	if (st == ST_OK && !*ret_asked)
		st = missing(s, x, "its name cannot stand in a URL", e);
	struct fetch_request r = {.url = (const char *)url.data,
	                          .head = !c->fetch_subjects,
	                          .max = (size_t)c->subject_max,
	                          .timeout_ms = SUBJECT_TIMEOUT_MS,
	                          .tag = i};
	if (st == ST_OK && *ret_asked)
		st = s->m->fetch->ops->submit(s->m->fetch->ctx, &r, e);
	buf_done(&url);
	return st;
}

static st_t take_answers(struct subjects *s, uint32_t n, struct err *e)
{
	for (uint32_t i = 0; i < n; i++) {
		struct fetch_response r;
		TRY(s->m->fetch->ops->next(s->m->fetch->ctx, -1, &r, e));
		st_t st = fail(NULL, ST_MALFORMED, 0, "tag");
		if (r.tag < s->m->state.nsubjects)
			st = take_answer(s, &s->m->state.subjects[r.tag], &r, e);
		buf_done(&r.body);
		TRY(st);
	}
	return ST_OK;
}

/* A few at a time where whole files come, so that memory stays bounded. */
static st_t ask_some(struct subjects *s, const uint32_t *which, uint32_t n, struct err *e)
{
	uint32_t at_once = s->m->cfg->fetch_subjects ? 2 : n;
	uint64_t start_ms = monitor_clock(s->m);
	for (uint32_t i = 0; i < n;) {
		uint32_t asked = 0;
		struct alert_about nothing = {0};
		if (monitor_is_late(s->m, start_ms))
			return monitor_unchecked(s->m, &nothing, "the repository answers too slowly", e);
		for (; i < n && asked < at_once; i++) {
			bool was;
			TRY(ask(s, which[i], &was, e));
			asked += was;
		}
		TRY(take_answers(s, asked, e));
	}
	return ST_OK;
}

/* Those that were not found yet, in turn: where there are many, each step asks for others. */
static st_t check_presence(struct subjects *s, struct err *e)
{
	struct monitor *m = s->m;
	uint32_t which[MONITOR_SUBJECTS_STEP], n = 0, pending = 0, total = m->state.nsubjects;
	for (uint32_t i = 0; i < total; i++)
		pending += m->state.subjects[i].released && !m->state.subjects[i].present;
	uint32_t turns = pending / MONITOR_SUBJECTS_STEP + 1;
	uint32_t skip = (uint32_t)(m->now / num_max_u64(m->cfg->interval, 1) % turns) *
	                MONITOR_SUBJECTS_STEP;
	for (uint32_t i = 0; i < total && n < MONITOR_SUBJECTS_STEP; i++) {
		if (!m->state.subjects[i].released || m->state.subjects[i].present)
			continue;
		if (skip > 0)
			skip--;
		else
			which[n++] = i;
	}
	struct alert_about nothing = {0};
	if (pending > n)
		TRY(monitor_unchecked(m, &nothing, "more files than are asked for in one step", e));
	return ask_some(s, which, n, e);
}

st_t watch_subjects(struct monitor *m, struct err *e)
{
	struct subjects s = {.m = m};
	for (size_t i = 0; i < m->cfg->policy->nlogs; i++)
		TRY(monitor_key_id(&m->cfg->policy->logs[i].key, s.log_id[i], e));
	if (m->cfg->repository)
		TRY(check_presence(&s, e));
	for (uint32_t i = 0; m->cfg->rebuilders.n && i < m->state.nsubjects; i++)
		if (m->state.subjects[i].released)
			TRY(check_rebuilt(&s, &m->state.subjects[i], e));
	return ST_OK;
}
