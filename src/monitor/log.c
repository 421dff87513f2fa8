/* One log in one step: its checkpoint against what was seen before. */
#include "monitor/inside.h"

#include <inttypes.h>

/* Newest cosignature; 0: none. */
static uint64_t newest(const struct view *v, size_t n)
{
	uint64_t t = 0;
	for (size_t i = 0; i < n; i++)
		if (v->cosigned[i] && v->time[i] > t)
			t = v->time[i];
	return t;
}

static st_t check_stale(struct watch *w, const struct view *v, struct err *e)
{
	struct monitor *m = w->m;
	uint64_t t = newest(v, m->cfg->policy->nwitnesses);
	/* Without any witness nobody says when. */
	if (t == 0)
		return ST_OK;
	if (m->now > t && m->now - t > m->cfg->stale_after)
		return monitor_raise(m, ALERT_STALE, &w->about, NULL, e,
		                     "the newest cosignature is %" PRIu64 " seconds old", m->now - t);
	return monitor_clear(m, ALERT_STALE, &w->about, e);
}

static st_t check_times(struct watch *w, const struct view *v, struct err *e)
{
	const struct policy *p = w->m->cfg->policy;
	uint8_t id[32];
	for (size_t i = 0; i < p->nwitnesses; i++) {
		if (!v->cosigned[i])
			continue;
		TRY(monitor_key_id(&p->witnesses[i].key, id, e));
		struct monitor_view *seen = monitor_state_view(&w->m->state, w->l->id, id);
		if (!seen)
			return fail(e, ST_NOMEM, 0, "monitor: out of memory");
		struct alert_about a = w->about;
		a.witness = p->witnesses[i].name;
		TRY(watch_check_time(w, &a, v->time[i], &seen->time, e));
	}
	return check_stale(w, v, e);
}

/* Whether enough witnesses signed, and none wrongly. */
static st_t check_quorum(struct watch *w, const struct view *v, bool *ret, struct err *e)
{
	const struct policy *p = w->m->cfg->policy;
	*ret = false;
	if (v->bad_witness != SIZE_MAX)
		return monitor_raise(w->m, ALERT_BAD_SIGNATURE, &w->about, NULL, e,
		                     "the cosignature of witness %s is wrong",
		                     p->witnesses[v->bad_witness].name);
	TRY(monitor_clear(w->m, ALERT_BAD_SIGNATURE, &w->about, e));
	*ret = policy_quorum_met(p, v->cosigned);
	if (*ret)
		return monitor_clear(w->m, ALERT_NO_QUORUM, &w->about, e);
	struct buf b = {0};
	policy_describe_quorum(p, &b);
	buf_u8(&b, '\0');
	st_t st = buf_check(&b, e, "monitor");
	if (st == ST_OK)
		st = monitor_raise(w->m, ALERT_NO_QUORUM, &w->about, NULL, e,
		                   "too few witnesses cosigned; the policy wants %s", (char *)b.data);
	buf_done(&b);
	return st;
}

static st_t raise_both(struct watch *w, enum alert_kind k, const struct view *v, struct err *e)
{
	struct monitor_evidence ev = {{rd_make(w->l->note.data, w->l->note.len), v->bytes}, 2};
	return monitor_raise(w->m, k, &w->about, &ev, e,
	                     "the log signed a tree of %" PRIu64 " entries that contradicts the one of "
	                     "%" PRIu64 " it signed before",
	                     v->cp.size, w->l->size);
}

/* An older checkpoint than before. It may still be a lie about the past. */
static st_t compare_smaller(struct watch *w, const struct view *v, struct err *e)
{
	enum prefix is;
	TRY(monitor_raise(w->m, ALERT_SHRUNK, &w->about, NULL, e,
	                  "shows %" PRIu64 " entries, and showed %" PRIu64 " before", v->cp.size,
	                  w->l->size));
	TRY(watch_check_prefix(w, v->cp.size, &v->cp.root, w->l->size, &w->l->root, &is, e));
	return is == PREFIX_DIFFERENT ? raise_both(w, ALERT_SPLIT_VIEW, v, e) : ST_OK;
}

/* Takes the checkpoint over. */
static st_t remember(struct watch *w, const struct view *v, struct err *e)
{
	struct buf note = {0};
	struct rd bytes = v->bytes;
	size_t n = rd_left(&bytes);
	buf_add(&note, rd_take(&bytes, n), n);
	TRY(buf_check(&note, e, "monitor"));
	buf_done(&w->l->note);
	w->l->note = note;
	w->l->size = v->cp.size;
	w->l->root = v->cp.root;
	w->l->known = true;
	return ST_OK;
}

/* `complete`: with its quorum. Contradictions count also without. */
static st_t compare(struct watch *w, const struct view *v, bool complete, struct err *e)
{
	enum prefix is = PREFIX_PROVEN;
	if (w->l->known && v->cp.size < w->l->size)
		return compare_smaller(w, v, e);
	TRY(monitor_clear(w->m, ALERT_SHRUNK, &w->about, e));
	TRY(check_times(w, v, e));
	if (w->l->known)
		TRY(watch_check_prefix(w, w->l->size, &w->l->root, v->cp.size, &v->cp.root, &is, e));
	if (is == PREFIX_DIFFERENT)
		return raise_both(w, v->cp.size == w->l->size ? ALERT_SPLIT_VIEW : ALERT_INCONSISTENT, v,
		                  e);
	return is == PREFIX_PROVEN && complete ? remember(w, v, e) : ST_OK;
}

static st_t refuse(struct watch *w, st_t st, const struct err *why, struct err *e)
{
	if (st < ST_OK)
		return fail(e, st, 0, "%s", why->text);
	w->m->sum.unchecked++;
	return monitor_raise(w->m, st == ST_BAD_SIG ? ALERT_BAD_SIGNATURE : ALERT_BAD_CHECKPOINT,
	                     &w->about, NULL, e, "%s", why->text);
}

static st_t judge(struct watch *w, struct view *v, struct rd bytes, struct err *e)
{
	struct err why = {0};
	bool complete;
	st_t st = view_read(w, bytes, v, &why);
	if (st != ST_OK)
		return refuse(w, st, &why, e);
	TRY(monitor_clear(w->m, ALERT_BAD_CHECKPOINT, &w->about, e));
	TRY(check_quorum(w, v, &complete, e));
	w->m->sum.unchecked += !complete;
	return compare(w, v, complete, e);
}

st_t watch_log(struct watch *w, const struct fetch_response *r, struct err *e)
{
	if (r->status != 200)
		return monitor_not_answered(w->m, &w->about, &w->l->down_since, r, e);
	TRY(monitor_is_up(w->m, &w->about, &w->l->down_since, e));
	struct view v;
	return judge(w, &v, rd_make(r->body.data, r->body.len), e);
}
