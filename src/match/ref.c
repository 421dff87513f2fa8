/* The reference kernel: what every other one must equal. */
#include "match/kernels.h"

#include "db/gram.h"

static bool bloom_has(const struct match_class *c, unsigned len, uint32_t y)
{
	uint32_t w = bloom_word(y, c->bloom_log2);
	if (len == 8) {
		uint64_t m = bloom_mask64(y);
		return (((const uint64_t *)c->bloom)[w] & m) == m;
	}
	uint32_t m = len == 4 ? bloom_mask32(y) : bloom_mask2(y);
	return (((const uint32_t *)c->bloom)[w] & m) == m;
}

size_t match_ref(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                 uint32_t *ret_pos)
{
	struct gram_class g = gram_class(c->id);
	size_t n = 0;
	size_t first = (from + g.stride - 1) / g.stride * g.stride;
	for (size_t p = first; p < to; p += g.stride)
		if (bloom_has(c, g.len, gram_of(c->id, data + p).y))
			ret_pos[n++] = (uint32_t)p;
	return n;
}
