/* A step: all checkpoints are asked for at once, then each log is looked at, then what was
 * released. */
#include "monitor/inside.h"

#include "crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers, by log: the log's own, then one for each witness. */
struct answers {
	struct fetch_response *v;
	size_t n, row;
};

static void answers_done(struct answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		buf_done(&a->v[i].body);
	free(a->v);
}

/* prefix/path, however many slashes the prefix ends with; NUL-terminated. */
static void join(const char *prefix, const char *path, struct buf *out)
{
	size_t n = strlen(prefix);
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	buf_add(out, prefix, n);
	buf_add(out, path, strlen(path) + 1);
}

/* "GET <monitoring prefix>/<hex SHA-256 of the origin>/checkpoint" (C2SP tlog-witness). */
static st_t witness_path(const char *origin, char *ret, size_t cap, struct err *e)
{
	uint8_t sum[32];
	char hex[65];
	TRY(digest_bytes(DIGEST_SHA256, origin, strlen(origin), sum, e));
	hex_encode(sum, sizeof sum, hex);
	snprintf(ret, cap, "/%s/checkpoint", hex);
	return ST_OK;
}

/* What cannot even be asked for is an answer as well. */
static st_t ask(struct monitor *m, struct answers *a, size_t tag, const char *prefix,
                const char *path, size_t *ret_asked, struct err *e)
{
	struct buf url = {0};
	struct err why = {0};
	join(prefix, path, &url);
	st_t st = buf_check(&url, e, "monitor");
	struct fetch_request r = {.url = (const char *)url.data, .max = NOTE_SIZE_MAX,
	                          .timeout_ms = MONITOR_TIMEOUT_MS, .tag = tag};
	if (st == ST_OK)
		st = m->fetch->ops->submit(m->fetch->ctx, &r, &why);
	buf_done(&url);
	if (st > ST_OK)
		snprintf(a->v[tag].error, sizeof a->v[tag].error, "%.250s", why.text);
	*ret_asked += st == ST_OK;
	return st < ST_OK ? fail(e, st, 0, "%s", why.text) : ST_OK;
}

static st_t ask_all(struct monitor *m, struct answers *a, size_t *ret_asked, struct err *e)
{
	const struct policy *p = m->cfg->policy;
	char path[96];
	*ret_asked = 0;
	for (size_t i = 0; i < p->nlogs; i++) {
		TRY(ask(m, a, i * a->row, p->logs[i].url, "/checkpoint", ret_asked, e));
		TRY(witness_path(p->logs[i].key.name, path, sizeof path, e));
		for (size_t w = 0; w < p->nwitnesses; w++)
			if (m->cfg->monitoring[w])
				TRY(ask(m, a, i * a->row + 1 + w, m->cfg->monitoring[w], path, ret_asked, e));
	}
	return ST_OK;
}

static st_t take_all(struct monitor *m, struct answers *a, size_t asked, struct err *e)
{
	for (size_t i = 0; i < asked; i++) {
		struct fetch_response r;
		TRY(m->fetch->ops->next(m->fetch->ctx, -1, &r, e));
		if (r.tag >= a->n) {
			buf_done(&r.body);
			return fail(e, ST_IO, 0, "fetcher: an answer to no question");
		}
		buf_done(&a->v[r.tag].body);
		a->v[r.tag] = r;
	}
	return ST_OK;
}

static st_t look_with(struct watch *w, const struct fetch_response *answers, struct err *e)
{
	w->tiles = log_source_tiles(w->src);
	TRY(watch_log(w, &answers[0], e));
	TRY(watch_witnesses(w, answers + 1, e));
	TRY(watch_entries(w, e));
	struct alert_about a = w->about;
	a.other = "tiles";
	return w->trouble ? ST_OK : monitor_is_up(w->m, &a, &w->l->tiles_since, e);
}

static st_t look_at_log(struct monitor *m, size_t i, const struct fetch_response *answers,
                        struct err *e)
{
	struct watch *w = calloc(1, sizeof *w);
	uint8_t id[32];
	if (!w)
		return fail(e, ST_NOMEM, 0, "monitor: out of memory");
	*w = (struct watch){.m = m, .index = i, .log = &m->cfg->policy->logs[i],
	                    .start_ms = monitor_clock(m)};
	w->about.log = w->log->key.name;
	st_t st = monitor_key_id(&w->log->key, id, e);
	if (st == ST_OK)
		st = log_source_new_url(w->log->url, m->fetch, &w->src, e);
	if (st == ST_OK) {
		w->l = monitor_state_log(&m->state, id);
		st = w->l ? look_with(w, answers, e) : fail(e, ST_NOMEM, 0, "monitor: out of memory");
	}
	log_source_free(w->src);
	free(w);
	return st;
}

static st_t look_at_all(struct monitor *m, struct answers *a, struct err *e)
{
	size_t asked;
	TRY(ask_all(m, a, &asked, e));
	TRY(take_all(m, a, asked, e));
	for (size_t i = 0; i < m->cfg->policy->nlogs; i++)
		TRY(look_at_log(m, i, a->v + i * a->row, e));
	return watch_subjects(m, e);
}

static void sum_up(struct monitor *m)
{
	m->sum.open = m->state.nopen;
	for (uint32_t i = 0; i < m->state.nopen; i++) {
		enum alert_kind k = (enum alert_kind)m->state.open[i].kind;
		m->sum.critical += alert_severity(k) == ALERT_CRITICAL;
	}
}

static st_t step(struct monitor *m, struct err *e)
{
	const struct policy *p = m->cfg->policy;
	struct answers a = {.row = p->nwitnesses + 1};
	if (m->acknowledge)
		TRY(monitor_acknowledge(m, e));
	a.n = p->nlogs * a.row;
	a.v = calloc(a.n, sizeof *a.v);
	if (!a.v)
		return fail(e, ST_NOMEM, 0, "monitor: out of memory");
	st_t st = look_at_all(m, &a, e);
	answers_done(&a);
	return st;
}

st_t monitor_step(struct monitor *m, uint64_t now, struct monitor_summary *ret, struct err *e)
{
	m->now = now;
	m->sum = (struct monitor_summary){0};
	TRY(tlog_hasher_init(&m->hasher, e));
	st_t st = step(m, e);
	tlog_hasher_done(&m->hasher);
	TRY(st);
	sum_up(m);
	*ret = m->sum;
	return ST_OK;
}
