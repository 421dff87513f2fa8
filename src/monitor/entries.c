/* New entries of a log: fetched window by window, each proven to be the log's before it is judged.
 */
#include "monitor/inside.h"

#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Consecutive bundles, and the tiles of level 0 that hold the hashes of their entries. */
struct window {
	struct watch *w;
	uint64_t first;  /* bundle */
	unsigned n;      /* bundles */
	uint64_t end;    /* entries up to here are looked at */
	struct buf bundle[MONITOR_WINDOW], tile[MONITOR_WINDOW];
	struct tlog_frontier f; /* of all entries up to `end` */
};

static void window_done(struct window *x)
{
	for (unsigned i = 0; i < MONITOR_WINDOW; i++) {
		buf_done(&x->bundle[i]);
		buf_done(&x->tile[i]);
	}
}

static struct tile tile_of(const struct window *x, enum tile_kind kind, unsigned i)
{
	uint64_t n = x->first + i;
	return (struct tile){kind, 0, n, tile_width(x->w->l->size, 0, n)};
}

static st_t ask(struct window *x, struct err *e)
{
	for (unsigned i = 0; i < x->n; i++) {
		struct tile b = tile_of(x, TILE_ENTRIES, i), t = tile_of(x, TILE_HASHES, i);
		TRY(log_source_ask(x->w->src, &b, 2 * i, e));
		TRY(log_source_ask(x->w->src, &t, 2 * i + 1, e));
	}
	return ST_OK;
}

/* Takes all answers, also when some are bad; the first bad one is returned in ret_st. */
static st_t take(struct window *x, st_t *ret_st, struct err *ret_why, struct err *e)
{
	*ret_st = ST_OK;
	for (unsigned i = 0; i < 2 * x->n; i++) {
		uint64_t tag;
		struct buf body = {0};
		struct err why = {0};
		st_t st;
		TRY(log_source_take(x->w->src, &tag, &body, &st, &why, e));
		struct buf *to = tag & 1 ? &x->tile[tag / 2 % MONITOR_WINDOW]
		                         : &x->bundle[tag / 2 % MONITOR_WINDOW];
		buf_done(to);
		*to = body;
		if (st != ST_OK && *ret_st == ST_OK) {
			*ret_st = st;
			*ret_why = why;
		}
	}
	return ST_OK;
}

/* Hashes the entries of one bundle onto the frontier; each must be the tile's. */
static st_t hash_bundle(struct window *x, unsigned i, struct err *e)
{
	struct tlog_hash want[TILE_WIDTH], leaf;
	struct tile t = tile_of(x, TILE_HASHES, i);
	struct rd entry;
	TRY(tile_read(&t, rd_make(x->tile[i].data, x->tile[i].len), want, e));
	struct bundle b = bundle_open(rd_make(x->bundle[i].data, x->bundle[i].len), t.width);
	for (unsigned k = 0; k < t.width; k++) {
		uint64_t index = t.n * TILE_WIDTH + k;
		TRY(bundle_next(&b, &entry, e));
		size_t n = rd_left(&entry);
		tlog_hash_leaf(&x->w->m->hasher, rd_take(&entry, n), n, &leaf);
		if (!tlog_hash_equal(&leaf, &want[k]))
			return fail(e, ST_BAD_PROOF, index,
			            "entry %" PRIu64 " of the bundle is not the one of the hash tile", index);
		if (index == x->f.size && index < x->end)
			tlog_frontier_add(&x->f, &x->w->m->hasher, &leaf);
	}
	return bundle_next(&b, &entry, e) == ST_NOT_FOUND ? ST_OK : ST_MALFORMED;
}

static st_t hash_window(struct window *x, struct err *e)
{
	for (unsigned i = 0; i < x->n; i++)
		TRY(hash_bundle(x, i, e));
	return tlog_hasher_check(&x->w->m->hasher, e);
}

/* The entries so far are the beginning of the tree that was cosigned. */
static st_t prove(struct window *x, bool *ret, struct err *e)
{
	struct watch *w = x->w;
	struct tlog_hash root;
	enum prefix is;
	tlog_frontier_root(&x->f, &w->m->hasher, &root);
	TRY(watch_check_prefix(w, x->f.size, &root, w->l->size, &w->l->root, &is, e));
	*ret = is == PREFIX_PROVEN;
	if (is != PREFIX_DIFFERENT)
		return ST_OK;
	struct err why = {0};
	st_t st = fail(&why, ST_BAD_PROOF, 0,
	               "the entries up to %" PRIu64 " do not lead to the root of the checkpoint",
	               x->f.size);
	return watch_tile_trouble(w, st, &why, e);
}

static st_t judge_bundle(struct window *x, unsigned i, struct err *e)
{
	struct tile t = tile_of(x, TILE_ENTRIES, i);
	struct bundle b = bundle_open(rd_make(x->bundle[i].data, x->bundle[i].len), t.width);
	struct rd entry;
	for (unsigned k = 0; k < t.width; k++) {
		uint64_t index = t.n * TILE_WIDTH + k;
		TRY(bundle_next(&b, &entry, e));
		if (index >= x->w->l->entries.size)
			TRY(watch_entry(x->w, index, entry, e));
	}
	return ST_OK;
}

/* *ret_go false: no further window in this step. */
static st_t look(struct window *x, bool *ret_go, struct err *e)
{
	struct watch *w = x->w;
	struct err why = {0};
	st_t st;
	*ret_go = false;
	TRY(ask(x, e));
	TRY(take(x, &st, &why, e));
	if (st == ST_OK)
		st = hash_window(x, &why);
	if (st != ST_OK)
		return watch_tile_trouble(w, st, &why, e);
	TRY(prove(x, ret_go, e));
	if (!*ret_go)
		return ST_OK;
	for (unsigned i = 0; i < x->n; i++)
		TRY(judge_bundle(x, i, e));
	w->m->sum.entries += x->f.size - w->l->entries.size;
	w->l->entries = x->f;
	TRY(monitor_clear(w->m, ALERT_GAP, &w->about, e));
	return monitor_clear(w->m, ALERT_BAD_TILE, &w->about, e);
}

static st_t look_at_next(struct watch *w, bool *ret_go, struct err *e)
{
	uint64_t size = w->l->size;
	struct window x = {.w = w, .f = w->l->entries};
	x.first = x.f.size / TILE_WIDTH;
	uint64_t last = (size - 1) / TILE_WIDTH;
	x.n = last - x.first >= MONITOR_WINDOW ? MONITOR_WINDOW : (unsigned)(last - x.first + 1);
	x.end = num_min_u64(size, (x.first + x.n) * TILE_WIDTH);
	st_t st = look(&x, ret_go, e);
	window_done(&x);
	return st;
}

st_t watch_entries(struct watch *w, struct err *e)
{
	bool go = true;
	for (unsigned i = 0; go && w->l->entries.size < w->l->size; i++) {
		if (w->trouble)
			return ST_OK;
		if (i == MONITOR_WINDOWS_MAX || w->m->sum.raised >= MONITOR_ALERTS_MAX ||
		    (i > 0 && monitor_is_late(w->m, w->start_ms))) {
			w->m->sum.more = true;
			return ST_OK;
		}
		TRY(look_at_next(w, &go, e));
	}
	return ST_OK;
}
