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

/* Class 4_1: see "pair" in db/gram.h. */
static bool pair_has(const struct match_class *c, size_t at, const uint8_t *p)
{
	uint32_t gram = load_u32le(p) | GRAM_FOLD4;
	struct pair x = at % 2 == 0 ? pair_even(gram) : pair_odd(gram);
	return (((const uint32_t *)c->bloom)[bloom_word(x.y, c->bloom_log2)] & x.mask) == x.mask;
}

static bool passes(const struct match_class *c, unsigned len, const uint8_t *data, size_t at)
{
	if (c->id == DB_CLASS_4_1)
		return pair_has(c, at, data + at);
	return bloom_has(c, len, gram_of(c->id, data + at).y);
}

size_t match_ref(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                 uint32_t *ret_pos)
{
	struct gram_class g = gram_class(c->id);
	size_t n = 0;
	size_t first = (from + g.stride - 1) / g.stride * g.stride;
	for (size_t p = first; p < to; p += g.stride)
		if (passes(c, g.len, data, p))
			ret_pos[n++] = (uint32_t)p;
	return n;
}
