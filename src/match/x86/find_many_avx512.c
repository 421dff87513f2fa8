/* find_many() for 64 offsets at once. */
#include "match/find_many.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define STEP 64u

struct tables {
	__m512i low[FIND_MANY_LEN], high[FIND_MANY_LEN];
};

TARGET static inline __m512i all_lanes(const uint8_t *p)
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)p));
}

TARGET static inline void load(struct tables *t, const struct find_many_state *s)
{
	for (unsigned k = 0; k < FIND_MANY_LEN; k++) {
		t->low[k] = all_lanes(s->low[k]);
		t->high[k] = all_lanes(s->high[k]);
	}
}

/* Of each of 64 offsets at p the bits on which all tables agree. */
TARGET static inline __m512i probe(const struct tables *t, const uint8_t *p)
{
	const __m512i half = _mm512_set1_epi8(15);
	__m512i r = _mm512_set1_epi8(-1);
	for (unsigned k = 0; k < FIND_MANY_LEN; k++) {
		__m512i in = _mm512_loadu_si512(p + k);
		__m512i low = _mm512_shuffle_epi8(t->low[k], _mm512_and_si512(in, half));
		__m512i high = _mm512_shuffle_epi8(
		    t->high[k], _mm512_and_si512(_mm512_srli_epi16(in, 4), half));
		r = _mm512_ternarylogic_epi64(r, low, high, 0x80);
	}
	return r;
}

TARGET void find_many_avx512(const uint8_t *hay, size_t size, const struct find_what *w,
                             unsigned n, size_t *ret_first)
{
	struct find_many_state s;
	struct tables t;
	uint8_t bits[STEP];
	size_t p = 0;
	find_many_start(&s, hay, size, w, n, ret_first);
	load(&t, &s);
	for (; s.wanted && p + STEP + FIND_MANY_LEN <= size; p += STEP) {
		__m512i r = probe(&t, hay + p);
		uint64_t m = _mm512_test_epi8_mask(r, r);
		if (!m)
			continue;
		_mm512_storeu_si512(bits, r);
		bool changed = false;
		for (; m; m &= m - 1) {
			unsigned i = (unsigned)__builtin_ctzll(m);
			changed |= find_many_check(&s, p + i, bits[i]);
		}
		if (changed)
			load(&t, &s);
	}
	find_many_rest(&s, p);
}
