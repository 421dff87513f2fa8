/* Checkpoints as they come: read, verified, and proven against each other by tiles. */
#include "monitor/inside.h"

#include "crypto/digest.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <string.h>

st_t monitor_key_id(const struct note_key *k, uint8_t ret[32], struct err *e)
{
	struct buf b = {0};
	note_key_format(k, &b);
	st_t st = buf_check(&b, e, "key");
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, ret, e);
	buf_done(&b);
	return st;
}

/* Who of the witnesses cosigned; one whose signature is wrong is remembered. */
static st_t read_cosignatures(const struct policy *p, struct view *v, struct err *e)
{
	v->bad_witness = SIZE_MAX;
	for (size_t i = 0; i < p->nwitnesses; i++) {
		st_t st = note_verify_key(&v->note, &p->witnesses[i].key, &v->time[i], NULL);
		if (st < ST_OK)
			return fail(e, st, 0, "a cosignature could not be checked");
		v->cosigned[i] = st == ST_OK;
		if (st == ST_BAD_SIG || st == ST_MALFORMED)
			v->bad_witness = i;
	}
	return ST_OK;
}

st_t view_read(const struct watch *w, struct rd bytes, struct view *ret, struct err *e)
{
	uint64_t time;
	memset(ret, 0, sizeof *ret);
	ret->bytes = bytes;
	TRY(note_parse(bytes, &ret->note, e));
	TRY(checkpoint_parse(ret->note.text, &ret->cp, e));
	if (!text_is(ret->cp.origin, w->log->key.name))
		return fail(e, ST_MALFORMED, 0, "the origin is not the log's");
	st_t st = note_verify_key(&ret->note, &w->log->key, &time, e);
	if (st < ST_OK)
		return st;
	if (st != ST_OK)
		return ST_BAD_SIG;
	return read_cosignatures(w->m->cfg->policy, ret, e);
}

st_t watch_check_time(struct watch *w, const struct alert_about *a, uint64_t time, uint64_t *last,
                      struct err *e)
{
	struct monitor *m = w->m;
	if (time > m->now && time - m->now > m->cfg->clock_tolerance)
		return monitor_raise(m, ALERT_FUTURE_TIME, a, NULL, e,
		                     "the cosignature is of %" PRIu64 " seconds ahead of our clock",
		                     time - m->now);
	TRY(monitor_clear(m, ALERT_FUTURE_TIME, a, e));
	if (time < *last)
		return monitor_raise(m, ALERT_TIME_BACKWARDS, a, NULL, e,
		                     "the cosignature is %" PRIu64 " seconds older than one seen before",
		                     *last - time);
	*last = time;
	return monitor_clear(m, ALERT_TIME_BACKWARDS, a, e);
}

static bool is_wrong(st_t st)
{
	return st == ST_MALFORMED || st == ST_LIMIT || st == ST_BAD_PROOF || st == ST_TRUNCATED;
}

st_t watch_tile_trouble(struct watch *w, st_t st, const struct err *why, struct err *e)
{
	if (st == ST_NOMEM)
		return fail(e, st, 0, "%s", why->text);
	if (st == ST_NOT_FOUND || is_wrong(st))
		w->m->sum.unchecked++;
	if (st == ST_NOT_FOUND)
		return monitor_raise(w->m, ALERT_GAP, &w->about, NULL, e, "%s", why->text);
	if (is_wrong(st))
		return monitor_raise(w->m, ALERT_BAD_TILE, &w->about, NULL, e, "%s", why->text);
	struct alert_about a = w->about;
	a.other = "tiles";
	w->trouble = true;
	return monitor_is_down(w->m, &a, &w->l->tiles_since, why->text, e);
}

uint64_t monitor_clock(const struct monitor *m)
{
	return m->clock_ms ? m->clock_ms() : 0;
}

bool monitor_is_late(const struct monitor *m, uint64_t start_ms)
{
	return monitor_clock(m) - start_ms > MONITOR_TURN_MS;
}

/* Proves from the tiles what root the big tree has at the small size. ST_BAD_PROOF: the tiles are
 * not those of the big tree. */
static st_t root_at(struct watch *w, const struct tlog_nodes *nodes, uint64_t small, uint64_t big,
                    const struct tlog_hash *big_root, struct tlog_hash *ret, struct err *e)
{
	struct tlog_proof proof;
	struct tlog_hasher *h = &w->m->hasher;
	TRY(tlog_prove_consistency(h, nodes, small, big, &proof, e));
	TRY(tlog_tree_root(h, nodes, small, ret, e));
	TRY(tlog_check_consistency(h, small, big, ret, big_root, &proof, e));
	return tlog_hasher_check(h, e);
}

st_t watch_check_prefix(struct watch *w, uint64_t small, const struct tlog_hash *small_root,
                        uint64_t big, const struct tlog_hash *big_root, enum prefix *ret,
                        struct err *e)
{
	struct err why = {0};
	struct tlog_hash root;
	*ret = PREFIX_PROVEN;
	if (small == 0)
		return ST_OK; /* checkpoint_parse() knows the root of the empty tree */
	if (small == big) {
		*ret = tlog_hash_equal(small_root, big_root) ? PREFIX_PROVEN : PREFIX_DIFFERENT;
		return ST_OK;
	}
	*ret = PREFIX_UNKNOWN;
	if (w->trouble)
		return ST_OK;
	tile_nodes_init(&w->nodes, &w->tiles, &w->m->hasher, big);
	struct tlog_nodes nodes = tile_nodes_as_nodes(&w->nodes);
	st_t st = root_at(w, &nodes, small, big, big_root, &root, &why);
	if (st == ST_OK) {
		*ret = tlog_hash_equal(small_root, &root) ? PREFIX_PROVEN : PREFIX_DIFFERENT;
		return ST_OK;
	}
	if (st == ST_BAD_PROOF) {
		err_clear(&why);
		(void)!fail(&why, st, 0, "the tiles are not of the tree of %" PRIu64 " entries", big);
	}
	return watch_tile_trouble(w, st, &why, e);
}
