/* AVX-512 kernels: 8 eight-byte or 16 four-byte grams a step. See kernels.h for the contract and
 * db/gram.h for the arithmetic, which is repeated here lane by lane. */
#include "match/kernels.h"

#include "db/gram.h"
#include "match/x86/exact.h"

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

/* Class 4_1: the sixteen triples at p + 1, p + 5, … answer for the grams at p, p + 1, p + 4, p + 5,
 * … (bits 0, 1, 2, 3, … of the result). Sixteen-bit lanes hold the byte before and that behind. */
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

/* Two ascending masks whose offsets interleave: even lanes from a, odd lanes from b. */
TARGET static inline uint64_t interleave(uint64_t a, uint64_t b)
{
	return _pdep_u64(a, UINT64_C(0x5555555555555555)) | _pdep_u64(b, UINT64_C(0xaaaaaaaaaaaaaaaa));
}

/* The same in pairs of lanes. */
TARGET static inline uint64_t interleave_pairs(uint64_t a, uint64_t b)
{
	return _pdep_u64(a, UINT64_C(0x3333333333333333)) | _pdep_u64(b, UINT64_C(0xcccccccccccccccc));
}

/* A pass fills mask[i] for the 64 bytes at d + 64 * i: bit k is the offset k * stride. It has no
 * branch that depends on the data, so that many gathers are under way at once. */
typedef void pass(const void *bloom, __m128i shift, const uint8_t *d, size_t steps, uint64_t *mask);

#define DEFINE_PASS(name, value)                                                               \
	TARGET static void name(const void *bloom, __m128i shift, const uint8_t *d, size_t steps,  \
	                        uint64_t *mask)                                                    \
	{                                                                                          \
		for (size_t i = 0; i < steps; i++, d += STEP)                                          \
			mask[i] = (value);                                                                 \
	}

DEFINE_PASS(pass_8_8, probe8(d, bloom, shift))
DEFINE_PASS(pass_8_4, interleave(probe8(d, bloom, shift), probe8(d + 4, bloom, shift)))
DEFINE_PASS(pass_4_4, probe4(d, bloom, shift))
DEFINE_PASS(pass_4_2, interleave(probe4(d, bloom, shift), probe4(d + 2, bloom, shift)))
DEFINE_PASS(pass_4_1,
            interleave_pairs(probe_pairs(d, bloom, shift), probe_pairs(d + 2, bloom, shift)))

static pass *const passes[DB_CLASSES] = {
    [DB_CLASS_8_8] = pass_8_8, [DB_CLASS_8_4] = pass_8_4, [DB_CLASS_4_4] = pass_4_4,
    [DB_CLASS_4_2] = pass_4_2, [DB_CLASS_4_1] = pass_4_1,
};

/* Offsets of the bits of mask[0 .. steps). */
static size_t extract(const uint64_t *mask, size_t steps, size_t p, size_t stride,
                      uint32_t *ret_pos)
{
	size_t n = 0;
	for (size_t i = 0; i < steps; i++, p += STEP)
		for (uint64_t m = mask[i]; m; m &= m - 1)
			ret_pos[n++] = (uint32_t)(p + (size_t)__builtin_ctzll(m) * stride);
	return n;
}

/* Steps from p whose last offset is below `to`. */
static size_t whole_steps(size_t p, size_t to, size_t stride)
{
	size_t last = p + STEP - stride;
	return last < to ? (to - last - 1) / STEP + 1 : 0;
}

#define STEPS_MAX (MATCH_BLOCK / STEP)

size_t match_avx512(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                    uint32_t *ret_pos)
{
	const size_t stride = gram_class(c->id).stride;
	const __m128i shift = _mm_cvtsi32_si128(32 - (int)c->bloom_log2);
	size_t p = (from + stride - 1) / stride * stride, n = 0, steps;
	uint64_t mask[STEPS_MAX];
	if (c->id == DB_CLASS_4_1 && p % 2 && p < to) {
		n = match_ref(c, data, p, p + 1, ret_pos);
		p++; /* pairs begin at even offsets */
	}
	while ((steps = whole_steps(p, to, stride)) > 0) {
		steps = steps < STEPS_MAX ? steps : STEPS_MAX;
		passes[c->id](c->bloom, shift, data + p, steps, mask);
		n += extract(mask, steps, p, stride, ret_pos + n);
		p += steps * STEP;
	}
	return n + match_ref(c, data, p, to, ret_pos + n);
}

/* Class 2_1: the nibble tables of one byte of a gram. See match/nibbles.h. */
struct tables {
	__m512i lo, hi;
};

TARGET static inline __m512i table(const uint8_t t[16])
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)t));
}

TARGET static inline struct tables tables_of(const struct nibbles *t, unsigned place)
{
	return (struct tables){.lo = table(t->lo[place]), .hi = table(t->hi[place])};
}

/* The buckets that have both halves of the byte, for each byte at p. */
TARGET static inline __m512i buckets(const uint8_t *p, struct tables t)
{
	const __m512i low4 = _mm512_set1_epi8(15);
	__m512i v = _mm512_loadu_si512(p);
	__m512i lo = _mm512_shuffle_epi8(t.lo, _mm512_and_si512(v, low4));
	__m512i hi = _mm512_shuffle_epi8(t.hi, _mm512_and_si512(_mm512_srli_epi16(v, 4), low4));
	return _mm512_and_si512(lo, hi);
}

TARGET static size_t probe_nibbles(const struct match_class *c, const uint8_t *data, size_t *p,
                                   size_t to, uint32_t *ret_pos)
{
	struct tables first = tables_of(c->nibbles, 0), second = tables_of(c->nibbles, 1);
	size_t n = 0;
	for (; *p + STEP - 1 < to; *p += STEP) {
		uint64_t mask = _mm512_test_epi8_mask(buckets(data + *p, first),
		                                      buckets(data + *p + 1, second));
		n = emit_exact(mask, c->bloom, data, *p, ret_pos, n);
	}
	return n;
}

/* The filter's answers for sixteen grams, in the low halves of g. */
TARGET static inline __mmask16 probe2(__m512i g, const void *bloom)
{
	const __m512i low16 = _mm512_set1_epi32(0xffff);
	__m512i y = _mm512_and_si512(_mm512_or_si512(g, _mm512_set1_epi8(0x20)), low16);
	__m512i word = _mm512_i32gather_epi32(_mm512_srli_epi32(y, 5), bloom, 4);
	__m512i low5 = _mm512_and_si512(y, _mm512_set1_epi32(31));
	__m512i bit = _mm512_sllv_epi32(_mm512_set1_epi32(1), low5);
	return _mm512_test_epi32_mask(word, bit);
}

TARGET static size_t probe_bitmap(const struct match_class *c, const uint8_t *data, size_t *p,
                                  size_t to, uint32_t *ret_pos)
{
	size_t n = 0;
	for (; *p + STEP - 1 < to; *p += STEP) {
		__m512i v = _mm512_loadu_si512(data + *p), w = _mm512_loadu_si512(data + *p + 1);
		__m512i v16 = _mm512_srli_epi32(v, 16), w16 = _mm512_srli_epi32(w, 16);
		uint64_t even = interleave(probe2(v, c->bloom), probe2(v16, c->bloom));
		uint64_t odd = interleave(probe2(w, c->bloom), probe2(w16, c->bloom));
		uint64_t mask = interleave(even, odd);
		n += extract(&mask, 1, *p, 1, ret_pos + n);
	}
	return n;
}

size_t match_avx512_2(const struct match_class *c, const uint8_t *data, size_t from, size_t to,
                      uint32_t *ret_pos)
{
	size_t p = from, n;
	if (c->nibbles->few)
		n = probe_nibbles(c, data, &p, to, ret_pos);
	else
		n = probe_bitmap(c, data, &p, to, ret_pos);
	return n + match_ref(c, data, p, to, ret_pos + n);
}
