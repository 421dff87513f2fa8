/* The record of a client's releases. The digest is put behind it here, for no fuzzer finds one.
 * What is accepted is written again as the same bytes, and whatever it says, what is due is neither
 * held nor failed. */
#include "crypto/digest.h"
#include "update/state.h"

#include <string.h>

static void check_due(const struct update_state *s)
{
	static const enum update_hold holds[] = {UPDATE_HOLD_NONE, UPDATE_HOLD_TIME,
	                                         UPDATE_HOLD_MANUAL};
	for (size_t i = 0; i < 3; i++) {
		const struct update_policy p = {.hold = holds[i], .hold_time = 3600};
		int64_t until;
		int due = update_state_due(s, &p, 1790000000, &until);
		if (due >= (int)s->n || until < 0 ||
		    (due >= 0 && s->v[due].flags & (UPDATE_HELD | UPDATE_FAILED)) ||
		    (due >= 0 && !(s->v[due].flags & UPDATE_APPROVED) &&
		     (s->hold_all || p.hold == UPDATE_HOLD_MANUAL)))
			__builtin_trap();
	}
	if (update_state_previous(s) >= (int)s->n)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct update_state s;
	struct buf in = {0}, out = {0};
	uint8_t sum[32];
	char hex[65];
	if (update_state_parse(rd_make(data, size), &s, NULL) == ST_OK)
		check_due(&s);
	if (digest_bytes(DIGEST_SHA256, data, size, sum, NULL) != ST_OK)
		__builtin_trap();
	hex_encode(sum, 32, hex);
	buf_add(&in, data, size);
	buf_text(&in, "sum ");
	buf_text(&in, hex);
	buf_u8(&in, '\n');
	if (update_state_parse(rd_make(in.data, in.len), &s, NULL) == ST_OK) {
		check_due(&s);
		if (update_state_format(&s, &out, NULL) != ST_OK || out.len != in.len ||
		    memcmp(out.data, in.data, in.len))
			__builtin_trap();
	}
	buf_done(&in);
	buf_done(&out);
	return 0;
}
