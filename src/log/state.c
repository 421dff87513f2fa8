/* The record of the private state. No I/O. */
#include "log/state.h"

#include "base/num.h"
#include "tlog/merkle.h"

#include <string.h>

static const uint8_t magic[16] = "vitrine-logstat1";

#define SUMMED (LOG_STATE_RECORD - TLOG_HASH)

static void store_u64le(uint8_t *p, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void log_state_write(const struct log_state *s, const struct tlog_hash *origin,
                     struct tlog_hasher *h, uint8_t ret[LOG_STATE_RECORD])
{
	struct tlog_hash sum;
	memcpy(ret, magic, sizeof magic);
	store_u64le(ret + 16, s->sequence);
	store_u64le(ret + 24, s->size);
	memcpy(ret + 32, s->root.b, TLOG_HASH);
	memcpy(ret + 64, origin->b, TLOG_HASH);
	tlog_hash_leaf(h, ret, SUMMED, &sum);
	memcpy(ret + SUMMED, sum.b, TLOG_HASH);
}

/* False: no record, or a torn one. */
static bool slot_read(struct rd slot, struct tlog_hasher *h, struct log_state *ret,
                      struct tlog_hash *ret_origin)
{
	struct tlog_hash want, have;
	const uint8_t *all = slot.base;
	if (rd_left(&slot) < LOG_STATE_RECORD || !rd_peek(&slot, magic, sizeof magic))
		return false;
	rd_skip(&slot, sizeof magic);
	ret->sequence = rd_u64le(&slot);
	ret->size = rd_u64le(&slot);
	rd_copy(&slot, ret->root.b, TLOG_HASH);
	rd_copy(&slot, ret_origin->b, TLOG_HASH);
	rd_copy(&slot, have.b, TLOG_HASH);
	tlog_hash_leaf(h, all, SUMMED, &want);
	return !slot.bad && !h->bad && tlog_hash_equal(&want, &have);
}

static st_t record_check(const struct log_state *s, size_t slot, const struct tlog_hash *whose,
                         const struct tlog_hash *origin, struct err *e)
{
	if (!tlog_hash_equal(whose, origin))
		return fail(e, ST_CONFLICT, 0, "log state: it is another log's");
	if (s->sequence % 2 != slot)
		return fail(e, ST_MALFORMED, 0, "log state: record %llu is in the other's slot",
		            (unsigned long long)s->sequence);
	if (s->size > TLOG_SIZE_MAX)
		return fail(e, ST_MALFORMED, 0, "log state: a tree larger than 2^63 - 1");
	return ST_OK;
}

/* Two records are of one growing tree. */
static st_t pair_check(const struct log_state *older, const struct log_state *newer,
                       struct err *e)
{
	bool same = older->size == newer->size && tlog_hash_equal(&older->root, &newer->root);
	if (newer->sequence - older->sequence != 1 || (older->size >= newer->size && !same))
		return fail(e, ST_MALFORMED, 0, "log state: the two records contradict each other");
	return ST_OK;
}

st_t log_state_read(struct rd in, const struct tlog_hash *origin, struct tlog_hasher *h,
                    struct log_state *ret, struct err *e)
{
	struct log_state s[2];
	struct tlog_hash whose[2];
	bool valid[2];
	if (rd_left(&in) != LOG_STATE_FILE)
		return fail(e, ST_TRUNCATED, 0, "log state: not %u bytes long", LOG_STATE_FILE);
	for (size_t i = 0; i < 2; i++) {
		valid[i] = slot_read(rd_sub(&in, LOG_STATE_SLOT), h, &s[i], &whose[i]);
		TRY(tlog_hasher_check(h, e));
		if (valid[i])
			TRY(record_check(&s[i], i, &whose[i], origin, e));
	}
	if (!valid[0] && !valid[1])
		return fail(e, ST_BAD_SUM, 0, "log state: neither record has the checksum it says");
	size_t newer = !valid[0] || (valid[1] && s[1].sequence > s[0].sequence);
	if (valid[0] && valid[1])
		TRY(pair_check(&s[!newer], &s[newer], e));
	*ret = s[newer];
	return ST_OK;
}
