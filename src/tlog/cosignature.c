#include "tlog/message.h"
#include "tlog/text.h"

#include <string.h>

/* "It MUST NOT exceed 2^63 - 1" */
#define TIME_MAX (UINT64_MAX / 2)

static void add_text(struct buf *out, struct rd r)
{
	size_t n = rd_left(&r);
	const uint8_t *p = rd_take(&r, n);
	if (p)
		buf_add(out, p, n);
}

static void add_u64be(struct buf *out, uint64_t v)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_u8(out, (uint8_t)(v >> shift));
}

static st_t check_time(uint64_t time, struct err *e)
{
	if (time > TIME_MAX)
		return fail(e, ST_MALFORMED, 0, "tlog-cosignature: the time is greater than 2^63 - 1");
	return ST_OK;
}

/* "The header line MUST be the fixed string `cosignature/v1`", "The timestamp line MUST consist of
 * the string `time`, a single space (0x20), and `timestamped_signature.timestamp` encoded as an
 * ASCII decimal with no leading zeroes", "followed by the whole note body of the cosigned
 * checkpoint (including the final newline, but not including any signature lines)". */
st_t cosignature_message(struct rd text, uint64_t time, struct buf *out, struct err *e)
{
	static const char head[] = "cosignature/v1\ntime ";
	TRY(check_time(time, e));
	buf_add(out, head, strlen(head));
	text_decimal_add(out, time);
	buf_u8(out, '\n');
	add_text(out, text);
	return buf_check(out, e, "tlog-cosignature");
}

/* "opaque cosigner_name<1..2^8-1>", "opaque log_origin<1..2^8-1>" */
static st_t check_short(struct rd r, const char *what, struct err *e)
{
	size_t n = rd_left(&r);
	if (n < 1 || n > UINT8_MAX)
		return fail(e, ST_MALFORMED, 0, "tlog-cosignature: the %s has %zu bytes, not 1 to 255",
		            what, n);
	return ST_OK;
}

static void add_short(struct buf *out, struct rd r)
{
	buf_u8(out, (uint8_t)rd_left(&r));
	add_text(out, r);
}

static st_t check_range(uint64_t start, uint64_t end, uint64_t time, struct err *e)
{
	/* "If `start` is not zero, `timestamp` MUST be zero." */
	if (start && time)
		return fail(e, ST_MALFORMED, 0, "tlog-cosignature: a subtree's cosignature has a time");
	/* "`end` is the exclusive upper bound"; only the empty tree has no leaves. */
	if (end < start || (start && start == end))
		return fail(e, ST_MALFORMED, 0, "tlog-cosignature: the subtree ends before it starts");
	return check_time(time, e);
}

/* struct {
 *     uint8 label[12] = "subtree/v1\n\0";
 *     opaque cosigner_name<1..2^8-1>;
 *     uint64 timestamp;
 *     opaque log_origin<1..2^8-1>;
 *     uint64 start;
 *     uint64 end;
 *     uint8 hash[32];
 * } cosigned_message; */
st_t subtree_message(struct rd cosigner, uint64_t time, struct rd origin, uint64_t start,
                     uint64_t end, const struct tlog_hash *hash, struct buf *out, struct err *e)
{
	static const char label[12] = "subtree/v1\n";
	TRY(check_range(start, end, time, e));
	TRY(check_short(cosigner, "cosigner's name", e));
	TRY(check_short(origin, "origin", e));
	buf_add(out, label, sizeof label);
	add_short(out, cosigner);
	add_u64be(out, time);
	add_short(out, origin);
	add_u64be(out, start);
	add_u64be(out, end);
	buf_add(out, hash->b, sizeof hash->b);
	return buf_check(out, e, "tlog-cosignature");
}

st_t message_of_cosignature(struct rd text, enum note_type type, struct rd cosigner, uint64_t time,
                            struct buf *out, struct err *e)
{
	struct checkpoint c;
	TRY(checkpoint_parse(text, &c, e));
	/* The format allows 0 for "no statement as to the tree being the largest observed"; a witness
	 * must make that statement, and nobody here trusts a cosignature without it. */
	if (time == 0)
		return fail(e, ST_MALFORMED, 0, "tlog-cosignature: the time is 0");
	if (type == NOTE_COSIGNATURE_ED25519)
		return cosignature_message(text, time, out, e);
	/* "If signing a checkpoint, it [start] MUST be zero", end "is the size of the tree". */
	return subtree_message(cosigner, time, c.origin, 0, c.size, &c.root, out, e);
}

/* RFC 6962 section 3.5: digitally-signed struct { Version version; SignatureType signature_type =
 * tree_hash; uint64 timestamp; uint64 tree_size; opaque sha256_root_hash[32]; }, where v1 is 0 and
 * tree_hash is 1. */
st_t message_of_tree_head(const struct checkpoint *c, uint64_t time_ms, struct buf *out,
                          struct err *e)
{
	buf_u8(out, 0);
	buf_u8(out, 1);
	add_u64be(out, time_ms);
	add_u64be(out, c->size);
	buf_add(out, c->root.b, sizeof c->root.b);
	return buf_check(out, e, "static-ct-api");
}
