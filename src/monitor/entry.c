/* One entry: whose word it is, and what it says. doc/format/entry.md. */
#include "monitor/inside.h"

#include "attest/dsse.h"
#include "attest/statement.h"

#include <stdlib.h>
#include <string.h>

struct judged {
	struct watch *w;
	struct alert_about about;
	struct dsse env;
	struct statement say;
	bool publisher[ATTEST_PARTIES_MAX], rebuilder[ATTEST_PARTIES_MAX];
	size_t npublishers, nrebuilders;
};

static st_t verify(const struct dsse *env, const struct attest_parties *all, bool *ret_by,
                   size_t *ret_n, struct err *e)
{
	struct attest_key keys[ATTEST_PARTIES_MAX];
	for (size_t i = 0; i < all->n; i++)
		keys[i] = all->v[i].key;
	return dsse_verify(env, keys, all->n, ret_by, ret_n, e);
}

static st_t out_of_memory(struct err *e)
{
	return fail(e, ST_NOMEM, 0, "monitor: out of memory, or more than %u subjects",
	            MONITOR_SUBJECTS_MAX);
}

/* Keeps the first label under which a digest was seen. */
static st_t find_subject(struct judged *j, const struct statement_subject *s,
                         struct monitor_subject **ret, struct err *e)
{
	struct monitor_subject *x = monitor_state_subject(&j->w->m->state, s->sha256);
	if (!x)
		return out_of_memory(e);
	if (!x->name)
		x->name = strdup(s->name);
	if (!x->name)
		return out_of_memory(e);
	*ret = x;
	return ST_OK;
}

static st_t take_release(struct judged *j, struct err *e)
{
	struct monitor *m = j->w->m;
	if (j->npublishers < m->cfg->release_signatures)
		return monitor_raise(m, ALERT_BAD_ENTRY_SIGNATURE, &j->about, NULL, e,
		                     "a release with %zu signatures of publishers, %zu are needed",
		                     j->npublishers, (size_t)m->cfg->release_signatures);
	for (size_t i = 0; i < j->say.nsubjects; i++) {
		struct monitor_subject *x = NULL;
		TRY(find_subject(j, &j->say.subject[i], &x, e));
		if (x->released)
			continue;
		memcpy(x->log, j->w->l->id, sizeof x->log);
		x->index = j->about.index;
		x->first_seen = m->now;
		x->released = true;
	}
	return ST_OK;
}

static bool has_rebuilt(const struct monitor_subject *x, uint64_t id)
{
	for (uint32_t i = 0; i < x->nrebuilders; i++)
		if (x->rebuilder[i] == id)
			return true;
	return false;
}

static st_t take_verdict(struct judged *j, const struct statement_subject *s,
                         const struct attest_party *who, struct err *e)
{
	struct monitor_subject *x = NULL;
	struct alert_about a = j->about;
	TRY(find_subject(j, s, &x, e));
	a.other = who->name;
	a.sha256 = s->sha256;
	a.name = s->name;
	if (!j->say.passed)
		return monitor_raise(j->w->m, ALERT_REBUILD_DIFFERS, &a, NULL, e,
		                     "%s built something else from the same source", who->name);
	if (!has_rebuilt(x, who->id) && x->nrebuilders < MONITOR_REBUILDERS_MAX)
		x->rebuilder[x->nrebuilders++] = who->id;
	return ST_OK;
}

static st_t take_rebuild(struct judged *j, struct err *e)
{
	const struct attest_parties *all = &j->w->m->cfg->rebuilders;
	if (j->nrebuilders == 0)
		return monitor_raise(j->w->m, ALERT_BAD_ENTRY_SIGNATURE, &j->about, NULL, e,
		                     "a rebuilder's verdict that no known rebuilder signed");
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; j->rebuilder[i] && k < j->say.nsubjects; k++)
			TRY(take_verdict(j, &j->say.subject[k], &all->v[i], e));
	return ST_OK;
}

static st_t refuse(struct judged *j, st_t st, const struct err *why, struct err *e)
{
	if (st < ST_OK)
		return fail(e, st, 0, "%s", why->text);
	return monitor_raise(j->w->m, ALERT_MALFORMED_ENTRY, &j->about, NULL, e, "%s", why->text);
}

/* Known keys signed: now the payload may be read. */
static st_t read_payload(struct judged *j, struct err *e)
{
	struct monitor *m = j->w->m;
	struct err why = {0};
	if (strcmp((const char *)j->env.type.data, STATEMENT_PAYLOAD_TYPE))
		return monitor_raise(m, ALERT_UNKNOWN_ENTRY, &j->about, NULL, e, "payload type %.150s",
		                     (const char *)j->env.type.data);
	st_t st = statement_parse(rd_make(j->env.payload.data, j->env.payload.len), &j->say, &why);
	if (st != ST_OK)
		return refuse(j, st, &why, e);
	if (j->say.kind == STATEMENT_RELEASE)
		return take_release(j, e);
	if (j->say.kind == STATEMENT_REBUILD)
		return take_rebuild(j, e);
	return monitor_raise(m, ALERT_UNKNOWN_ENTRY, &j->about, NULL, e, "predicate type %.150s",
	                     j->say.predicate_type);
}

static st_t judge(struct judged *j, struct rd entry, struct err *e)
{
	const struct monitor_config *cfg = j->w->m->cfg;
	struct err why = {0};
	st_t st = dsse_parse(entry, &j->env, &why);
	if (st != ST_OK)
		return refuse(j, st, &why, e);
	TRY(verify(&j->env, &cfg->publishers, j->publisher, &j->npublishers, e));
	TRY(verify(&j->env, &cfg->rebuilders, j->rebuilder, &j->nrebuilders, e));
	if (j->npublishers + j->nrebuilders == 0)
		return monitor_raise(j->w->m, ALERT_BAD_ENTRY_SIGNATURE, &j->about, NULL, e,
		                     "signed by no known publisher or rebuilder");
	return read_payload(j, e);
}

st_t watch_entry(struct watch *w, uint64_t index, struct rd entry, struct err *e)
{
	/* A policy that knows no publisher says nothing about what entries are. */
	if (w->m->cfg->publishers.n + w->m->cfg->rebuilders.n == 0)
		return ST_OK;
	struct judged *j = calloc(1, sizeof *j);
	if (!j)
		return out_of_memory(e);
	j->w = w;
	j->about = w->about;
	j->about.has_index = true;
	j->about.index = index;
	st_t st = judge(j, entry, e);
	dsse_done(&j->env);
	statement_done(&j->say);
	free(j);
	return st;
}
