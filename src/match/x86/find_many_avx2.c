/* find_many() for 32 offsets at once. */
#include "match/find_many.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define STEP 32u

struct tables {
	__m256i low[FIND_MANY_LEN], high[FIND_MANY_LEN];
};

TARGET static inline __m256i both_lanes(const uint8_t *p)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
}

TARGET static inline void load(struct tables *t, const struct find_many_state *s)
{
	for (unsigned k = 0; k < FIND_MANY_LEN; k++) {
		t->low[k] = both_lanes(s->low[k]);
		t->high[k] = both_lanes(s->high[k]);
	}
}

/* Of each of 32 offsets at p the bits on which all tables agree. */
TARGET static inline __m256i probe(const struct tables *t, const uint8_t *p)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i r = _mm256_set1_epi8(-1);
	for (unsigned k = 0; k < FIND_MANY_LEN; k++) {
		__m256i in = _mm256_loadu_si256((const __m256i *)(const void *)(p + k));
		__m256i low = _mm256_and_si256(in, half);
		__m256i high = _mm256_and_si256(_mm256_srli_epi16(in, 4), half);
		r = _mm256_and_si256(r, _mm256_and_si256(_mm256_shuffle_epi8(t->low[k], low),
		                                         _mm256_shuffle_epi8(t->high[k], high)));
	}
	return r;
}

TARGET void find_many_avx2(const uint8_t *hay, size_t size, const struct find_what *w, unsigned n,
                           size_t *ret_first)
{
	struct find_many_state s;
	struct tables t;
	uint8_t bits[STEP];
	size_t p = 0;
	find_many_start(&s, hay, size, w, n, ret_first);
	load(&t, &s);
	for (; s.wanted && p + STEP + FIND_MANY_LEN <= size; p += STEP) {
		__m256i r = probe(&t, hay + p);
		if (_mm256_testz_si256(r, r))
			continue;
		_mm256_storeu_si256((__m256i *)(void *)bits, r);
		bool changed = false;
		for (unsigned i = 0; i < STEP; i++)
			changed |= bits[i] && find_many_check(&s, p + i, bits[i]);
		if (changed)
			load(&t, &s);
	}
	find_many_rest(&s, p);
}
