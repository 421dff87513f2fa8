/* Gzip streams (RFC 1952) whose bytes are all in memory, without libarchive. Runs in the worker.
 *
 * Invariants
 * 1. WHOLE_DONE only if every member unfolded and its sum and length are right. All else is left to
 *    libarchive, so that what a damaged stream gives, and what is said of it, has one author.
 * 2. Deflate that zlib refuses and libdeflate does not (codes that no program makes) gives more
 *    than libarchive would, never less: its first bytes are the same.
 * 3. What stands behind the last member is ignored exactly when libarchive ignores it: it does not
 *    begin like a member. */
#include "parse/gzip.h"

#include "base/num.h"

#include <libdeflate.h>

/* Deflate cannot unfold to more: 258 bytes from two bits, and a little. */
#define UNFOLDED_MAX 1032u

/* Bits of FLG that must be zero (2.3.1.2); libarchive then sees no member. */
#define FLAGS_RESERVED 0xe0
#define FLAGS_OFF 3

/* The shortest member: header, one empty block, trailer. */
#define MEMBER_MIN 20
#define ISIZE_LEN 4

uint64_t gzip_guess(const struct rd *in)
{
	if (in->len < MEMBER_MIN)
		return 0;
	struct rd tail = rd_at(in, in->len - ISIZE_LEN, ISIZE_LEN);
	return num_min_u64(rd_u32le(&tail), (uint64_t)in->len * UNFOLDED_MAX);
}

static bool member_follows(const struct rd *in)
{
	return rd_peek(in, "\x1f\x8b\x08", 3) && !(rd_byte(in, in->pos + FLAGS_OFF) & FLAGS_RESERVED);
}

enum whole gzip_whole(struct libdeflate_decompressor *d, struct rd in, void *buf, size_t cap,
                      size_t *ret_n)
{
	uint8_t *out = buf;
	size_t total = 0;
	if (!member_follows(&in))
		return WHOLE_NO;
	/* Ends: a member has at least its header. */
	while (member_follows(&in)) {
		struct rd rest = in;
		size_t left = rd_left(&in), used = 0, n = 0;
		const uint8_t *p = rd_take(&rest, left);
		enum libdeflate_result r =
		    libdeflate_gzip_decompress_ex(d, p, left, &out[total], cap - total, &used, &n);
		if (r == LIBDEFLATE_INSUFFICIENT_SPACE)
			return WHOLE_LARGER;
		if (r != LIBDEFLATE_SUCCESS || used == 0)
			return WHOLE_NO;
		total += n;
		rd_skip(&in, used);
	}
	*ret_n = total;
	return WHOLE_DONE;
}
