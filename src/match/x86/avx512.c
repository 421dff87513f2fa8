/* AVX-512 kernels: 8 eight-byte or 16 four-byte grams a step. See kernels.h for the contract and
 * db/gram.h for the arithmetic, which is repeated here lane by lane. */
#include "match/kernels.h"

#include "db/gram.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,bmi,bmi2")))
#define STEP 64u

/* Mask of the eight grams at p, p + 8, … that pass. */
TARGET static inline __mmask8 probe8(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m512i one = _mm512_set1_epi64(1);
	__m512i g = _mm512_or_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(0x20));
	__m512i lo = _mm512_mul_epu32(g, _mm512_set1_epi64(GRAM_K1));
	__m512i hi = _mm512_mul_epu32(_mm512_srli_epi64(g, 32), _mm512_set1_epi64(GRAM_K2));
	__m512i c = _mm512_xor_si512(lo, hi);
	__m512i y = _mm512_xor_si512(c, _mm512_srli_epi64(c, 32));
	__m512i y32 = _mm512_and_si512(y, _mm512_set1_epi64(UINT32_MAX));
	__m512i word = _mm512_i64gather_epi64(_mm512_srl_epi64(y32, shift), bloom, 8);
	__m512i b1 = _mm512_sllv_epi64(one, _mm512_and_si512(y, _mm512_set1_epi64(63)));
	__m512i b2 = _mm512_and_si512(_mm512_srli_epi64(y, 6), _mm512_set1_epi64(63));
	__m512i m = _mm512_or_si512(b1, _mm512_sllv_epi64(one, b2));
	return _mm512_testn_epi64_mask(_mm512_andnot_si512(word, m), m);
}

/* Mask of the sixteen grams at p, p + 4, … that pass. */
TARGET static inline __mmask16 probe4(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m512i one = _mm512_set1_epi32(1), low5 = _mm512_set1_epi32(31);
	__m512i g = _mm512_or_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(0x20));
	__m512i x = _mm512_xor_si512(g, _mm512_srli_epi32(g, 15));
	__m512i h = _mm512_mullo_epi32(x, _mm512_set1_epi32((int)GRAM_K1));
	__m512i y = _mm512_xor_si512(h, _mm512_srli_epi32(h, 15));
	__m512i word = _mm512_i32gather_epi32(_mm512_srl_epi32(y, shift), bloom, 4);
	__m512i b1 = _mm512_sllv_epi32(one, _mm512_and_si512(y, low5));
	__m512i b2 = _mm512_sllv_epi32(one, _mm512_and_si512(_mm512_srli_epi32(y, 5), low5));
	__m512i m = _mm512_or_si512(b1, b2);
	return _mm512_testn_epi32_mask(_mm512_andnot_si512(word, m), m);
}

/* Appends the offsets p + k * step of the bits k of mask. */
static inline size_t emit(uint32_t mask, size_t p, size_t step, uint32_t *ret_pos, size_t n)
{
	for (; mask; mask &= mask - 1)
		ret_pos[n++] = (uint32_t)(p + (size_t)__builtin_ctz(mask) * step);
	return n;
}

/* Merges two ascending masks of offsets that interleave: even lanes from a, odd lanes from b. */
TARGET static inline uint64_t interleave2(uint32_t a, uint32_t b)
{
	return _pdep_u64(a, UINT64_C(0x5555555555555555)) | _pdep_u64(b, UINT64_C(0xaaaaaaaaaaaaaaaa));
}

static inline size_t emit64(uint64_t mask, size_t p, size_t step, uint32_t *ret_pos, size_t n)
{
	for (; mask; mask &= mask - 1)
		ret_pos[n++] = (uint32_t)(p + (size_t)__builtin_ctzll(mask) * step);
	return n;
}

static size_t align_up(size_t v, size_t a)
{
	return (v + a - 1) / a * a;
}

TARGET size_t match_avx512_8(const struct match_class *c, const uint8_t *data, size_t from,
                             size_t to, uint32_t *ret_pos)
{
	const size_t stride = gram_class(c->id).stride;
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0, p = align_up(from, stride);
	if (stride == 8)
		for (; p + STEP - 8 < to; p += STEP)
			n = emit(probe8(data + p, c->bloom, shift), p, 8, ret_pos, n);
	else
		for (; p + STEP - 4 < to; p += STEP) {
			uint32_t a = probe8(data + p, c->bloom, shift);
			uint32_t b = probe8(data + p + 4, c->bloom, shift);
			if (a | b)
				n = emit64(interleave2(a, b), p, 4, ret_pos, n);
		}
	return n + match_ref(c, data, p, to, ret_pos + n);
}

/* Class 4_1: the sixteen triples at p + 1, p + 5, … answer for the grams at p, p + 1, p + 4, p + 5, …
 * (bits 0, 1, 2, 3, … of the result). Sixteen-bit lanes hold the byte before and the byte behind. */
TARGET static inline __mmask32 probe_pairs(const uint8_t *p, const void *bloom, __m128i shift)
{
	const __m512i one = _mm512_set1_epi16(1), low4 = _mm512_set1_epi16(15);
	__m512i before = _mm512_loadu_si512(p), at = _mm512_loadu_si512(p + 1);
	__m512i triple = _mm512_and_si512(_mm512_or_si512(at, _mm512_set1_epi32(0x202020)),
	                                  _mm512_set1_epi32(0xffffff));
	__m512i y = _mm512_mullo_epi32(triple, _mm512_set1_epi32((int)GRAM_K1));
	__m512i word = _mm512_i32gather_epi32(_mm512_srl_epi32(y, shift), bloom, 4);
	__m512i v = _mm512_mask_blend_epi16(0xaaaaaaaa, before, _mm512_srli_epi32(at, 8));
	v = _mm512_or_si512(v, _mm512_set1_epi16(0x20));
	__m512i i1 = _mm512_and_si512(v, low4);
	__m512i i2 = _mm512_and_si512(_mm512_xor_si512(_mm512_srli_epi16(v, 4), v), low4);
	__m512i m = _mm512_or_si512(_mm512_sllv_epi16(one, i1), _mm512_sllv_epi16(one, i2));
	return _mm512_testn_epi16_mask(_mm512_andnot_si512(word, m), m);
}

/* *p is even. */
TARGET static size_t stride1(const struct match_class *c, const uint8_t *data, size_t *p, size_t to,
                             uint32_t *ret_pos)
{
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0;
	for (; *p + STEP - 1 < to; *p += STEP) {
		uint64_t a = probe_pairs(data + *p, c->bloom, shift);
		uint64_t b = probe_pairs(data + *p + 2, c->bloom, shift);
		uint64_t mask = _pdep_u64(a, UINT64_C(0x3333333333333333)) |
		                _pdep_u64(b, UINT64_C(0xcccccccccccccccc));
		n = emit64(mask, *p, 1, ret_pos, n);
	}
	return n;
}

TARGET static size_t stride2(const struct match_class *c, const uint8_t *data, size_t *p, size_t to,
                             uint32_t *ret_pos)
{
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0;
	for (; *p + STEP - 2 < to; *p += STEP) {
		uint32_t a = probe4(data + *p, c->bloom, shift);
		uint32_t b = probe4(data + *p + 2, c->bloom, shift);
		n = emit64(interleave2(a, b), *p, 2, ret_pos, n);
	}
	return n;
}

TARGET static size_t stride4(const struct match_class *c, const uint8_t *data, size_t *p, size_t to,
                             uint32_t *ret_pos)
{
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t n = 0;
	for (; *p + STEP - 4 < to; *p += STEP)
		n = emit(probe4(data + *p, c->bloom, shift), *p, 4, ret_pos, n);
	return n;
}

size_t match_avx512_4(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                      uint32_t *ret_pos)
{
	const size_t stride = gram_class(c->id).stride;
	size_t p = align_up(from, stride), n = 0;
	if (stride == 1 && p % 2 && p < to)
		n = match_ref(c, data, p, p + 1, ret_pos), p++;
	if (stride == 4)
		n = stride4(c, data, &p, to, ret_pos);
	else if (stride == 2)
		n = stride2(c, data, &p, to, ret_pos);
	else
		n += stride1(c, data, &p, to, ret_pos + n);
	return n + match_ref(c, data, p, to, ret_pos + n);
}
