/* Tables of find_many() and the plain search. After "Teddy", the multi-literal search of
 * Hyperscan (X. Wang et al., NSDI 2019): one bit for each literal. */
#include "match/find_many.h"

#include <string.h>

static void put_byte(struct find_many_state *s, unsigned k, uint8_t byte, uint8_t bit)
{
	s->low[k][byte & 15] |= bit;
	s->high[k][byte >> 4] |= bit;
}

static void make_tables(struct find_many_state *s)
{
	memset(s->low, 0, sizeof s->low);
	memset(s->high, 0, sizeof s->high);
	for (unsigned i = 0; i < s->n; i++) {
		uint8_t bit = (uint8_t)(1u << i);
		for (unsigned k = 0; (s->wanted & bit) && k < FIND_MANY_LEN; k++) {
			uint8_t byte = s->w[i].lit[s->at[i] + k];
			put_byte(s, k, byte, bit);
			if (s->w[i].folded)
				put_byte(s, k, byte ^ 0x20, bit);
		}
	}
}

void find_many_start(struct find_many_state *s, const uint8_t *hay, size_t size,
                     const struct find_what *w, unsigned n, size_t *ret_first)
{
	*s = (struct find_many_state){.hay = hay, .size = size, .w = w, .n = n, .first = ret_first};
	for (unsigned i = 0; i < n; i++) {
		size_t last = w[i].n - FIND_MANY_LEN, rare = w[i].rare[0] ? w[i].rare[0] - 1u : 0;
		s->at[i] = (uint8_t)(rare < last ? rare : last < UINT8_MAX ? last : UINT8_MAX);
		s->wanted |= (uint8_t)(1u << i);
		ret_first[i] = FIND_NONE;
	}
	make_tables(s);
}

bool find_many_check(struct find_many_state *s, size_t p, uint8_t bits)
{
	bool changed = false;
	for (bits &= s->wanted; bits; bits &= (uint8_t)(bits - 1)) {
		unsigned i = (unsigned)__builtin_ctz(bits);
		const struct find_what *w = &s->w[i];
		if (p < s->at[i] || s->size - (p - s->at[i]) < w->n ||
		    !find_equal(s->hay + p - s->at[i], w))
			continue;
		s->first[i] = p - s->at[i];
		s->wanted &= (uint8_t)~(1u << i);
		changed = true;
	}
	if (changed)
		make_tables(s);
	return changed;
}

uint8_t find_many_bits(const struct find_many_state *s, size_t p)
{
	uint8_t bits = 0xff;
	for (unsigned k = 0; k < FIND_MANY_LEN; k++) {
		uint8_t c = s->hay[p + k];
		bits &= s->low[k][c & 15] & s->high[k][c >> 4];
	}
	return bits;
}

void find_many_rest(struct find_many_state *s, size_t p)
{
	for (; s->wanted && p + FIND_MANY_LEN <= s->size; p++) {
		uint8_t bits = find_many_bits(s, p);
		if (bits)
			(void)find_many_check(s, p, bits);
	}
}

void find_many(const uint8_t *hay, size_t size, const struct find_what *w, unsigned n,
               size_t *ret_first)
{
	for (unsigned i = 0; i < n; i++)
		ret_first[i] =
		    size < w[i].n ? FIND_NONE : find_literal(hay, 0, size - w[i].n, &w[i]);
}
