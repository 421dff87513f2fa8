/* What witnesses show of a log, compared with what the log shows to us. "(A monitor) ... compares
 * cosigned checkpoints": a log that shows us one tree and somebody else another needs a witness to
 * cosign the other one, and an honest witness shows what it cosigned. */
#include "monitor/inside.h"

#include "base/num.h"

#include <inttypes.h>

struct witness_view {
	struct watch *w;
	const struct policy_witness *who;
	struct monitor_view *seen;
	struct alert_about about;
};

/* Largest tree that a witness showed in this step, where it is larger than the log's. */
struct ahead {
	const char *who;
	struct rd bytes;
	uint64_t size;
	struct tlog_hash root;
};

static st_t split(struct witness_view *x, const struct view *v, struct err *e)
{
	struct watch *w = x->w;
	struct monitor_evidence ev = {{rd_make(w->l->note.data, w->l->note.len), v->bytes}, 2};
	return monitor_raise(w->m, ALERT_SPLIT_VIEW, &x->about, &ev, e,
	                     "cosigned a tree of %" PRIu64 " entries that is not the one that the log "
	                     "shows to us",
	                     v->cp.size);
}

/* A tree that is at most as large as the log's. *ret_decided false: it has to be compared again. */
static st_t compare(struct witness_view *x, const struct view *v, bool *ret_decided, struct err *e)
{
	struct watch *w = x->w;
	enum prefix is;
	*ret_decided = false;
	if (!w->l->known)
		return ST_OK;
	if (monitor_is_late(w->m, w->start_ms))
		return monitor_unchecked(w->m, &x->about, "not compared: the log answers too slowly", e);
	TRY(watch_check_prefix(w, v->cp.size, &v->cp.root, w->l->size, &w->l->root, &is, e));
	*ret_decided = is != PREFIX_UNKNOWN;
	return is == PREFIX_DIFFERENT ? split(x, v, e) : ST_OK;
}

/* Cosigned but not shown to us yet: the log may be about to. The oldest one is kept until it can be
 * compared. */
static st_t keep_ahead(struct witness_view *x, const struct view *v, struct err *e)
{
	if (x->seen->ahead.len)
		return ST_OK;
	struct rd bytes = v->bytes;
	size_t n = rd_left(&bytes);
	buf_add(&x->seen->ahead, rd_take(&bytes, n), n);
	x->seen->ahead_since = x->w->m->now;
	return buf_check(&x->seen->ahead, e, "monitor");
}

/* Verifies what was read or stored. *ret_good false: it was said what is wrong. */
static st_t verify(struct witness_view *x, struct rd bytes, struct view *v, bool *ret_good,
                   struct err *e)
{
	struct monitor *m = x->w->m;
	struct err why = {0};
	size_t index = (size_t)(x->who - m->cfg->policy->witnesses);
	*ret_good = false;
	st_t st = view_read(x->w, bytes, v, &why);
	if (st < ST_OK)
		return fail(e, st, 0, "%s", why.text);
	if (st == ST_OK && !v->cosigned[index])
		st = fail(&why, ST_BAD_SIG, 0, "the checkpoint has no valid signature of the witness");
	m->sum.unchecked += st != ST_OK;
	if (st == ST_BAD_SIG)
		return monitor_raise(m, ALERT_BAD_SIGNATURE, &x->about, NULL, e, "%s", why.text);
	if (st != ST_OK)
		return monitor_raise(m, ALERT_BAD_CHECKPOINT, &x->about, NULL, e, "%s", why.text);
	*ret_good = true;
	TRY(monitor_clear(m, ALERT_BAD_SIGNATURE, &x->about, e));
	return monitor_clear(m, ALERT_BAD_CHECKPOINT, &x->about, e);
}

/* What was ahead of the log: compared once it is not any more, an alert if that takes too long. */
static st_t settle_ahead(struct witness_view *x, struct view *v, struct err *e)
{
	struct monitor *m = x->w->m;
	bool good, decided = true;
	if (!x->seen->ahead.len)
		return ST_OK;
	struct rd bytes = rd_make(x->seen->ahead.data, x->seen->ahead.len);
	TRY(verify(x, bytes, v, &good, e));
	if (good && v->cp.size > x->w->l->size) {
		if (m->now - num_min_u64(x->seen->ahead_since, m->now) < m->cfg->ahead_after)
			return ST_OK;
		struct monitor_evidence ev = {{bytes, rd_make(x->w->l->note.data, x->w->l->note.len)},
		                              x->w->l->known ? 2 : 1};
		return monitor_raise(m, ALERT_WITNESS_AHEAD, &x->about, &ev, e,
		                     "cosigned %" PRIu64 " entries, and the log shows us only %" PRIu64,
		                     v->cp.size, x->w->l->size);
	}
	if (good)
		TRY(compare(x, v, &decided, e));
	/* As long as tiles are withheld it stays: the witness may show something else by then. */
	if (!decided)
		return ST_OK;
	buf_done(&x->seen->ahead);
	x->seen->ahead = (struct buf){0};
	return monitor_clear(m, ALERT_WITNESS_AHEAD, &x->about, e);
}

static st_t check_growth(struct witness_view *x, const struct view *v, struct err *e)
{
	struct monitor *m = x->w->m;
	size_t index = (size_t)(x->who - m->cfg->policy->witnesses);
	struct alert_about a = x->about;
	a.other = "monitoring"; /* not what the log shows of the same witness */
	TRY(watch_check_time(x->w, &a, v->time[index], &x->seen->own_time, e));
	if (v->cp.size < x->seen->own_size)
		return monitor_raise(m, ALERT_SHRUNK, &x->about, NULL, e,
		                     "shows %" PRIu64 " entries, and showed %" PRIu64 " before",
		                     v->cp.size, x->seen->own_size);
	x->seen->own_size = v->cp.size;
	return monitor_clear(m, ALERT_SHRUNK, &x->about, e);
}

static st_t take_answer(struct witness_view *x, const struct fetch_response *r, struct view *v,
                        struct ahead *ret, struct err *e)
{
	struct monitor *m = x->w->m;
	bool good, decided;
	/* "404 if never cosigned"; some witnesses have no such address at all. Who showed something
	 * before cannot have never cosigned. */
	bool never = r->status == 404 && x->seen->own_time == 0;
	if (r->status != 200 && !never)
		return monitor_not_answered(m, &x->about, &x->seen->down_since, r, e);
	TRY(monitor_is_up(m, &x->about, &x->seen->down_since, e));
	if (never)
		return ST_OK;
	TRY(verify(x, rd_make(r->body.data, r->body.len), v, &good, e));
	if (!good)
		return ST_OK;
	TRY(check_growth(x, v, e));
	if (v->cp.size <= x->w->l->size)
		return compare(x, v, &decided, e);
	*ret = (struct ahead){x->who->name, v->bytes, v->cp.size, v->cp.root};
	return keep_ahead(x, v, e);
}

/* Two witnesses that cosigned different trees of one size: nobody needs to see tiles for that. */
static st_t compare_each_other(struct watch *w, const struct ahead *a, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			if (!a[i].size || a[i].size != a[k].size || tlog_hash_equal(&a[i].root, &a[k].root))
				continue;
			struct alert_about about = w->about;
			about.witness = a[k].who;
			about.other = a[i].who;
			struct monitor_evidence ev = {{a[k].bytes, a[i].bytes}, 2};
			TRY(monitor_raise(w->m, ALERT_SPLIT_VIEW, &about, &ev, e,
			                  "cosigned another tree of %" PRIu64 " entries than witness %s",
			                  a[i].size, a[i].who));
		}
	return ST_OK;
}

static st_t watch_witness(struct watch *w, size_t i, const struct fetch_response *r,
                          struct view *v, struct ahead *ret, struct err *e)
{
	struct witness_view x = {.w = w, .who = &w->m->cfg->policy->witnesses[i], .about = w->about};
	uint8_t id[32];
	x.about.witness = x.who->name;
	TRY(monitor_key_id(&x.who->key, id, e));
	x.seen = monitor_state_view(&w->m->state, w->l->id, id);
	if (!x.seen)
		return fail(e, ST_NOMEM, 0, "monitor: out of memory");
	TRY(settle_ahead(&x, v, e));
	return w->m->cfg->monitoring[i] ? take_answer(&x, r, v, ret, e) : ST_OK;
}

st_t watch_witnesses(struct watch *w, const struct fetch_response *answers, struct err *e)
{
	struct ahead ahead[POLICY_ITEMS_MAX] = {0};
	size_t n = w->m->cfg->policy->nwitnesses;
	struct view v;
	for (size_t i = 0; i < n; i++)
		TRY(watch_witness(w, i, &answers[i], &v, &ahead[i], e));
	return compare_each_other(w, ahead, n, e);
}
