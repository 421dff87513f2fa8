/* The two rarest bytes of the literal are compared for 16 offsets at once, all of it only where
 * both agree. */
#include "match/find.h"

#include <string.h>

bool find_equal(const uint8_t *p, const struct find_what *w)
{
	if (!w->folded)
		return memcmp(p, w->lit, w->n) == 0;
	for (size_t i = 0; i < w->n; i++)
		if ((p[i] | 0x20) != (w->lit[i] | 0x20))
			return false;
	return true;
}

static size_t find_plain(const uint8_t *hay, size_t from, size_t to, const struct find_what *w)
{
	const uint8_t fold = w->folded ? 0x20 : 0, first = w->lit[w->rare[0]] | fold;
	for (size_t p = from; p <= to; p++)
		if ((hay[p + w->rare[0]] | fold) == first && find_equal(hay + p, w))
			return p;
	return FIND_NONE;
}

#if defined(__SSE2__)
#include <emmintrin.h>

struct rare {
	__m128i a, b, fold;
	size_t at_a, at_b;
};

/* All ones at each of the 16 offsets at p whose rare bytes are right. */
static inline __m128i both(const struct rare *r, const uint8_t *p)
{
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(p + r->at_a));
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + r->at_b));
	a = _mm_cmpeq_epi8(_mm_or_si128(a, r->fold), r->a);
	b = _mm_cmpeq_epi8(_mm_or_si128(b, r->fold), r->b);
	return _mm_and_si128(a, b);
}

/* Skips blocks of 64 offsets that hold nothing; the loop that uses every bit is slower. */
static inline size_t skip(const struct rare *r, const uint8_t *hay, size_t p, size_t to)
{
	for (; to >= 64 && p <= to - 63; p += 64) {
		__m128i m = _mm_or_si128(both(r, hay + p), both(r, hay + p + 16));
		m = _mm_or_si128(m, both(r, hay + p + 32));
		m = _mm_or_si128(m, both(r, hay + p + 48));
		if (_mm_movemask_epi8(m))
			break;
	}
	return p;
}

size_t find_literal(const uint8_t *hay, size_t from, size_t to, const struct find_what *w)
{
	const uint8_t fold = w->folded ? 0x20 : 0;
	const struct rare r = {.a = _mm_set1_epi8((char)(w->lit[w->rare[0]] | fold)),
	                       .b = _mm_set1_epi8((char)(w->lit[w->rare[1]] | fold)),
	                       .fold = _mm_set1_epi8((char)fold),
	                       .at_a = w->rare[0], .at_b = w->rare[1]};
	size_t p = skip(&r, hay, from, to);
	for (; to >= 16 && p <= to - 15; p = skip(&r, hay, p + 16, to)) {
		unsigned m = (unsigned)_mm_movemask_epi8(both(&r, hay + p));
		for (; m; m &= m - 1) {
			size_t at = p + (size_t)__builtin_ctz(m);
			if (find_equal(hay + at, w))
				return at;
		}
	}
	return find_plain(hay, p, to, w);
}

#else

size_t find_literal(const uint8_t *hay, size_t from, size_t to, const struct find_what *w)
{
	return find_plain(hay, from, to, w);
}

#endif
