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

/* Bits of the 16 offsets at p whose byte equals b. */
static inline unsigned same(const uint8_t *p, __m128i b, __m128i fold)
{
	__m128i v = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p), fold);
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, b));
}

size_t find_literal(const uint8_t *hay, size_t from, size_t to, const uint8_t *lit, size_t n,
                    bool folded)
{
	const uint8_t bit = folded ? 0x20 : 0;
	const __m128i fold = _mm_set1_epi8((char)bit);
	const __m128i first = _mm_set1_epi8((char)(lit[0] | bit));
	const __m128i last = _mm_set1_epi8((char)(lit[n - 1] | bit));
	size_t p = from;
	for (; to >= 16 && p <= to - 15; p += 16) {
		unsigned m = same(hay + p, first, fold) & same(hay + p + n - 1, last, fold);
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
