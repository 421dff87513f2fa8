/* First and last byte are compared for 16 offsets at once, the bytes between only where both
 * agree. */
#include "match/find.h"

#include <string.h>

static bool equal(const uint8_t *a, const uint8_t *b, size_t n, uint8_t fold)
{
	if (!fold)
		return memcmp(a, b, n) == 0;
	for (size_t i = 0; i < n; i++)
		if ((a[i] | fold) != (b[i] | fold))
			return false;
	return true;
}

static size_t find_plain(const uint8_t *hay, size_t from, size_t to, const uint8_t *lit, size_t n,
                         uint8_t fold)
{
	for (size_t p = from; p <= to; p++)
		if ((hay[p] | fold) == (lit[0] | fold) && equal(hay + p, lit, n, fold))
			return p;
	return FIND_NONE;
}

#if defined(__SSE2__)
#include <emmintrin.h>

struct ends {
	__m128i first, last, fold;
	size_t n;
};

/* All ones at each of the 16 offsets at p whose first and last byte are right. */
static inline __m128i both(const struct ends *e, const uint8_t *p)
{
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + e->n - 1));
	a = _mm_cmpeq_epi8(_mm_or_si128(a, e->fold), e->first);
	b = _mm_cmpeq_epi8(_mm_or_si128(b, e->fold), e->last);
	return _mm_and_si128(a, b);
}

/* Skips blocks of 64 offsets that hold nothing; the loop that uses every bit is slower. */
static inline size_t skip(const struct ends *e, const uint8_t *hay, size_t p, size_t to)
{
	for (; to >= 64 && p <= to - 63; p += 64) {
		__m128i m = _mm_or_si128(both(e, hay + p), both(e, hay + p + 16));
		m = _mm_or_si128(m, both(e, hay + p + 32));
		m = _mm_or_si128(m, both(e, hay + p + 48));
		if (_mm_movemask_epi8(m))
			break;
	}
	return p;
}

size_t find_literal(const uint8_t *hay, size_t from, size_t to, const uint8_t *lit, size_t n,
                    bool folded)
{
	const uint8_t bit = folded ? 0x20 : 0;
	const struct ends e = {.first = _mm_set1_epi8((char)(lit[0] | bit)),
	                       .last = _mm_set1_epi8((char)(lit[n - 1] | bit)),
	                       .fold = _mm_set1_epi8((char)bit), .n = n};
	size_t p = skip(&e, hay, from, to);
	for (; to >= 16 && p <= to - 15; p = skip(&e, hay, p + 16, to)) {
		unsigned m = (unsigned)_mm_movemask_epi8(both(&e, hay + p));
		for (; m; m &= m - 1) {
			size_t at = p + (size_t)__builtin_ctz(m);
			if (equal(hay + at, lit, n, bit))
				return at;
		}
	}
	return find_plain(hay, p, to, lit, n, bit);
}

#else

size_t find_literal(const uint8_t *hay, size_t from, size_t to, const uint8_t *lit, size_t n,
                    bool folded)
{
	return find_plain(hay, from, to, lit, n, folded ? 0x20 : 0);
}

#endif
