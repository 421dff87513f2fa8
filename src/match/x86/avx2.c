/* AVX2 kernels: 4 eight-byte or 8 four-byte grams a step. See kernels.h for the contract and
 * db/gram.h for the arithmetic, which is repeated here lane by lane. */
#include "match/kernels.h"

#include "db/gram.h"
#include "match/x86/exact.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define STEP 32u

/* Mask of the four grams at p, p + 8, … that pass. */
TARGET static inline uint32_t probe8(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m256i one = _mm256_set1_epi64x(1), low6 = _mm256_set1_epi64x(63);
	__m256i in = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i g = _mm256_or_si256(in, _mm256_set1_epi8(0x20));
	__m256i lo = _mm256_mul_epu32(g, _mm256_set1_epi64x(GRAM_K1));
	__m256i hi = _mm256_mul_epu32(_mm256_srli_epi64(g, 32), _mm256_set1_epi64x(GRAM_K2));
	__m256i c = _mm256_xor_si256(lo, hi);
	__m256i y = _mm256_xor_si256(c, _mm256_srli_epi64(c, 32));
	__m256i y32 = _mm256_and_si256(y, _mm256_set1_epi64x(UINT32_MAX));
	__m256i word = _mm256_i64gather_epi64(bloom, _mm256_srl_epi64(y32, shift), 8);
	__m256i b1 = _mm256_sllv_epi64(one, _mm256_and_si256(y, low6));
	__m256i b2 = _mm256_sllv_epi64(one, _mm256_and_si256(_mm256_srli_epi64(y, 6), low6));
	__m256i m = _mm256_or_si256(b1, b2);
	__m256i hit = _mm256_cmpeq_epi64(_mm256_and_si256(word, m), m);
	return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(hit));
}

/* Mask of the eight grams at p, p + 4, … that pass. */
TARGET static inline uint32_t probe4(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m256i one = _mm256_set1_epi32(1), low5 = _mm256_set1_epi32(31);
	__m256i in = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i g = _mm256_or_si256(in, _mm256_set1_epi8(0x20));
	__m256i x = _mm256_xor_si256(g, _mm256_srli_epi32(g, 15));
	__m256i h = _mm256_mullo_epi32(x, _mm256_set1_epi32((int)GRAM_K1));
	__m256i y = _mm256_xor_si256(h, _mm256_srli_epi32(h, 15));
	__m256i word = _mm256_i32gather_epi32(bloom, _mm256_srl_epi32(y, shift), 4);
	__m256i b1 = _mm256_sllv_epi32(one, _mm256_and_si256(y, low5));
	__m256i b2 = _mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(y, 5), low5));
	__m256i m = _mm256_or_si256(b1, b2);
	__m256i hit = _mm256_cmpeq_epi32(_mm256_and_si256(word, m), m);
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(hit));
}

/* Appends the offsets p + k for the bits k of mask. */
static inline size_t emit(uint32_t mask, size_t p, uint32_t *ret_pos, size_t n)
{
	for (; mask; mask &= mask - 1)
		ret_pos[n++] = (uint32_t)(p + (size_t)__builtin_ctz(mask));
	return n;
}

/* Bit k of an m-bit mask moves to bit k * 8 (or k * 4): the offset of its gram. */
static inline uint32_t spread8(uint32_t m)
{
	return (m & 1) | (m & 2) << 7 | (m & 4) << 14 | (m & 8) << 21;
}

static inline uint32_t spread4(uint32_t m)
{
	m = (m | m << 12) & 0x000f000fu;
	m = (m | m << 6) & 0x03030303u;
	return (m | m << 3) & 0x11111111u;
}

static size_t align_up(size_t v, size_t a)
{
	return (v + a - 1) / a * a;
}

TARGET size_t match_avx2_8(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                           uint32_t *ret_pos)
{
	const size_t stride = gram_class(c->id).stride;
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0, p = align_up(from, stride);
	for (; p + STEP - stride < to; p += STEP) {
		uint32_t mask = spread8(probe8(data + p, c->bloom, shift));
		if (stride == 4)
			mask |= spread8(probe8(data + p + 4, c->bloom, shift)) << 4;
		n = emit(mask, p, ret_pos, n);
	}
	return n + match_ref(c, data, p, to, ret_pos + n);
}

/* Class 4_1: the eight triples at p + 1, p + 5, … answer for the grams at p, p + 1, p + 4, …
 * (bits 0, 1, 4, 5, … of the result). There is no 16-bit variable shift: two of 32 bits do. */
TARGET static inline uint32_t probe_pairs(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m256i low4 = _mm256_set1_epi32(0x000f000f), zero = _mm256_setzero_si256();
	const __m256i one = _mm256_set1_epi32(1), low16 = _mm256_set1_epi32(0xffff);
	__m256i before = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i at = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
	__m256i triple = _mm256_and_si256(_mm256_or_si256(at, _mm256_set1_epi32(0x202020)),
	                                  _mm256_set1_epi32(0xffffff));
	__m256i y = _mm256_mullo_epi32(triple, _mm256_set1_epi32((int)GRAM_K1));
	__m256i word = _mm256_i32gather_epi32(bloom, _mm256_srl_epi32(y, shift), 4);
	__m256i v = _mm256_blend_epi16(before, _mm256_srli_epi32(at, 8), 0xaa);
	v = _mm256_or_si256(v, _mm256_set1_epi16(0x20));
	__m256i i1 = _mm256_and_si256(v, low4);
	__m256i i2 = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16(v, 4), v), low4);
	__m256i lo = _mm256_or_si256(_mm256_sllv_epi32(one, _mm256_and_si256(i1, low16)),
	                             _mm256_sllv_epi32(one, _mm256_and_si256(i2, low16)));
	__m256i hi = _mm256_or_si256(_mm256_sllv_epi32(one, _mm256_srli_epi32(i1, 16)),
	                             _mm256_sllv_epi32(one, _mm256_srli_epi32(i2, 16)));
	__m256i m = _mm256_or_si256(lo, _mm256_slli_epi32(hi, 16));
	__m256i hit = _mm256_cmpeq_epi16(_mm256_andnot_si256(word, m), zero);
	uint32_t bytes = (uint32_t)_mm256_movemask_epi8(hit);
	return (bytes & 0x11111111u) | (bytes >> 1 & 0x22222222u);
}

/* p is even. */
TARGET static size_t stride1(const struct match_class *c, const uint8_t *data, size_t *p, size_t to,
                             uint32_t *ret_pos)
{
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0;
	for (; *p + STEP - 1 < to; *p += STEP) {
		uint32_t mask = probe_pairs(data + *p, c->bloom, shift);
		mask |= probe_pairs(data + *p + 2, c->bloom, shift) << 2;
		n = emit(mask, *p, ret_pos, n);
	}
	return n;
}

static size_t match_pairs(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                          uint32_t *ret_pos)
{
	size_t p = from, n = 0;
	if (p % 2 && p < to)
		n = match_ref(c, data, p, p + 1, ret_pos), p++;
	n += stride1(c, data, &p, to, ret_pos + n);
	return n + match_ref(c, data, p, to, ret_pos + n);
}

TARGET size_t match_avx2_4(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                           uint32_t *ret_pos)
{
	const size_t stride = gram_class(c->id).stride;
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0, p = align_up(from, stride);
	if (stride == 1)
		return match_pairs(c, data, from, to, ret_pos);
	for (; p + STEP - stride < to; p += STEP) {
		uint32_t mask = 0;
		for (size_t i = 0; i < 4; i += stride)
			mask |= spread4(probe4(data + p + i, c->bloom, shift)) << i;
		n = emit(mask, p, ret_pos, n);
	}
	return n + match_ref(c, data, p, to, ret_pos + n);
}

/* Class 2_1: the nibble tables of one byte of a gram. See match/nibbles.h. */
struct tables {
	__m256i lo, hi;
};

TARGET static inline __m256i table(const uint8_t t[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)t));
}

TARGET static inline struct tables tables_of(const struct nibbles *t, unsigned place)
{
	return (struct tables){.lo = table(t->lo[place]), .hi = table(t->hi[place])};
}

/* The buckets that have both halves of the byte, for each byte at p. */
TARGET static inline __m256i buckets(const uint8_t *p, struct tables t)
{
	const __m256i low4 = _mm256_set1_epi8(15);
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i lo = _mm256_shuffle_epi8(t.lo, _mm256_and_si256(v, low4));
	__m256i hi = _mm256_shuffle_epi8(t.hi, _mm256_and_si256(_mm256_srli_epi16(v, 4), low4));
	return _mm256_and_si256(lo, hi);
}

/* Which of the grams at p, p + 1, … are in a bucket? */
TARGET static inline uint32_t in_buckets(const uint8_t *p, struct tables first,
                                         struct tables second)
{
	__m256i both = _mm256_and_si256(buckets(p, first), buckets(p + 1, second));
	__m256i none = _mm256_cmpeq_epi8(both, _mm256_setzero_si256());
	return ~(uint32_t)_mm256_movemask_epi8(none);
}

/* Two vectors a step: the number of places to look at is foretold better, and half as often. */
TARGET static size_t probe_nibbles(const struct match_class *c, const uint8_t *data, size_t *p,
                                   size_t to, uint32_t *ret_pos)
{
	struct tables first = tables_of(c->nibbles, 0), second = tables_of(c->nibbles, 1);
	size_t n = 0;
	for (; *p + 2 * STEP - 1 < to; *p += 2 * STEP) {
		uint64_t mask = in_buckets(data + *p, first, second);
		mask |= (uint64_t)in_buckets(data + *p + STEP, first, second) << 32;
		n = emit_exact(mask, c->bloom, data, *p, ret_pos, n);
	}
	return n;
}

/* The filter's answers for eight grams, in the low halves of g: bit k for lane k. */
TARGET static inline uint32_t probe2(__m256i g, const void *bloom)
{
	const __m256i low16 = _mm256_set1_epi32(0xffff), low5 = _mm256_set1_epi32(31);
	__m256i y = _mm256_and_si256(_mm256_or_si256(g, _mm256_set1_epi8(0x20)), low16);
	__m256i word = _mm256_i32gather_epi32(bloom, _mm256_srli_epi32(y, 5), 4);
	__m256i top = _mm256_sllv_epi32(word, _mm256_andnot_si256(y, low5));
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(top));
}

TARGET static size_t probe_bitmap(const struct match_class *c, const uint8_t *data, size_t *p,
                                  size_t to, uint32_t *ret_pos)
{
	size_t n = 0;
	for (; *p + STEP - 1 < to; *p += STEP) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(data + *p));
		__m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(data + *p + 1));
		uint32_t mask = spread4(probe2(v, c->bloom));
		mask |= spread4(probe2(w, c->bloom)) << 1;
		mask |= spread4(probe2(_mm256_srli_epi32(v, 16), c->bloom)) << 2;
		mask |= spread4(probe2(_mm256_srli_epi32(w, 16), c->bloom)) << 3;
		n = emit(mask, *p, ret_pos, n);
	}
	return n;
}

TARGET size_t match_avx2_2(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                           uint32_t *ret_pos)
{
	size_t p = from, n;
	if (c->nibbles->few)
		n = probe_nibbles(c, data, &p, to, ret_pos);
	else
		n = probe_bitmap(c, data, &p, to, ret_pos);
	return n + match_ref(c, data, p, to, ret_pos + n);
}
