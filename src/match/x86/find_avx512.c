/* find_literal() for 64 offsets at once. */
#include "match/find.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))

struct rare {
	__m512i a, b, fold;
	size_t at_a, at_b;
};

TARGET static inline uint64_t both(const struct rare *r, const uint8_t *p)
{
	__m512i a = _mm512_or_si512(_mm512_loadu_si512(p + r->at_a), r->fold);
	__m512i b = _mm512_or_si512(_mm512_loadu_si512(p + r->at_b), r->fold);
	return _mm512_mask_cmpeq_epi8_mask(_mm512_cmpeq_epi8_mask(a, r->a), b, r->b);
}

/* Skips blocks of 256 offsets that hold nothing. */
TARGET static inline size_t skip(const struct rare *r, const uint8_t *hay, size_t p, size_t to)
{
	for (; to >= 256 && p <= to - 255; p += 256)
		if (both(r, hay + p) | both(r, hay + p + 64) | both(r, hay + p + 128) |
		    both(r, hay + p + 192))
			break;
	return p;
}

TARGET size_t find_avx512(const uint8_t *hay, size_t from, size_t to, const struct find_what *w)
{
	const uint8_t fold = w->folded ? 0x20 : 0;
	const struct rare r = {.a = _mm512_set1_epi8((char)(w->lit[w->rare[0]] | fold)),
	                       .b = _mm512_set1_epi8((char)(w->lit[w->rare[1]] | fold)),
	                       .fold = _mm512_set1_epi8((char)fold),
	                       .at_a = w->rare[0], .at_b = w->rare[1]};
	size_t p = skip(&r, hay, from, to);
	for (; to >= 64 && p <= to - 63; p = skip(&r, hay, p + 64, to)) {
		uint64_t m = both(&r, hay + p);
		for (; m; m &= m - 1) {
			size_t at = p + (size_t)__builtin_ctzll(m);
			if (find_equal(hay + at, w))
				return at;
		}
	}
	return p <= to ? find_literal(hay, p, to, w) : FIND_NONE;
}
