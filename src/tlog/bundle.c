/* C2SP tlog-tiles: "Entry bundles are sequences of big-endian uint16 length-prefixed log entries.
 * Each entry in a bundle hashes to the corresponding entry in the corresponding level 0 Merkle Tree
 * tile." */
#include "tlog/tile.h"

struct bundle bundle_open(struct rd in, unsigned width)
{
	return (struct bundle){in, width};
}

st_t bundle_next(struct bundle *b, struct rd *ret_entry, struct err *e)
{
	if (b->left == 0 && rd_left(&b->in))
		return fail(e, ST_MALFORMED, b->in.pos,
		            "tlog-tiles: %zu bytes follow the last entry of a bundle", rd_left(&b->in));
	if (b->left == 0)
		return ST_NOT_FOUND;
	size_t n = rd_u16be(&b->in);
	struct rd entry = rd_sub(&b->in, n);
	if (b->in.bad)
		return fail(e, ST_MALFORMED, b->in.pos,
		            "tlog-tiles: the bundle ends %u entries before its last", b->left);
	b->left--;
	*ret_entry = entry;
	return ST_OK;
}

st_t bundle_add(struct buf *out, const void *entry, size_t n, struct err *e)
{
	if (n > ENTRY_MAX)
		return fail(e, ST_LIMIT, 0, "tlog-tiles: an entry of %zu bytes, at most %u are allowed", n,
		            ENTRY_MAX);
	buf_u8(out, (uint8_t)(n >> 8));
	buf_u8(out, (uint8_t)n);
	buf_add(out, entry, n);
	return buf_check(out, e, "entry bundle");
}
