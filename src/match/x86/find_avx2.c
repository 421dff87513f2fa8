/* find_literal() for 32 offsets at once. */
#include "match/find.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

struct rare {
	__m256i a, b, fold;
	size_t at_a, at_b;
};

TARGET static inline __m256i both(const struct rare *r, const uint8_t *p)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + r->at_a));
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + r->at_b));
	a = _mm256_cmpeq_epi8(_mm256_or_si256(a, r->fold), r->a);
	b = _mm256_cmpeq_epi8(_mm256_or_si256(b, r->fold), r->b);
	return _mm256_and_si256(a, b);
}

/* Skips blocks of 128 offsets that hold nothing. */
TARGET static inline size_t skip(const struct rare *r, const uint8_t *hay, size_t p, size_t to)
{
	for (; to >= 128 && p <= to - 127; p += 128) {
		__m256i m = _mm256_or_si256(both(r, hay + p), both(r, hay + p + 32));
		m = _mm256_or_si256(m, both(r, hay + p + 64));
		m = _mm256_or_si256(m, both(r, hay + p + 96));
		if (!_mm256_testz_si256(m, m))
			break;
	}
	return p;
}

TARGET size_t find_avx2(const uint8_t *hay, size_t from, size_t to, const struct find_what *w)
{
	const uint8_t fold = w->folded ? 0x20 : 0;
	const struct rare r = {.a = _mm256_set1_epi8((char)(w->lit[w->rare[0]] | fold)),
	                       .b = _mm256_set1_epi8((char)(w->lit[w->rare[1]] | fold)),
	                       .fold = _mm256_set1_epi8((char)fold),
	                       .at_a = w->rare[0], .at_b = w->rare[1]};
	size_t p = skip(&r, hay, from, to);
	for (; to >= 32 && p <= to - 31; p = skip(&r, hay, p + 32, to)) {
		unsigned m = (unsigned)_mm256_movemask_epi8(both(&r, hay + p));
		for (; m; m &= m - 1) {
			size_t at = p + (size_t)__builtin_ctz(m);
			if (find_equal(hay + at, w))
				return at;
		}
	}
	return p <= to ? find_literal(hay, p, to, w) : FIND_NONE;
}
