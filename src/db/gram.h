/* Grams: the few bytes of an anchor that are looked for first. The compiler indexes them, the
 * kernels probe for them; both use these functions, and only these, so that they cannot disagree.
 * They are part of the database format (doc/format/database.md, "Grams").
 *
 * Every byte of a gram is ORed with 0x20 first: upper and lower case letters fall together, so that
 * one index serves case-sensitive and case-insensitive signatures; confirmation is exact.
 *
 * From a gram come two 32-bit values: `y` places it (bloom word and bits, bucket) and `check` tells
 * grams in one bucket apart. */
#ifndef VITRINE_DB_GRAM_H
#define VITRINE_DB_GRAM_H

#include "base/num.h"
#include "db/layout.h"

#define GRAM_FOLD8 UINT64_C(0x2020202020202020)
#define GRAM_FOLD4 UINT32_C(0x20202020)
#define GRAM_FOLD2 UINT32_C(0x2020)
#define GRAM_FOLD1 0x20u
#define GRAM_K1 UINT32_C(0x9e3779b1)
#define GRAM_K2 UINT32_C(0xc2b2ae3d)

struct gram {
	uint32_t y, check;
};

static inline struct gram gram8(const uint8_t *p)
{
	uint64_t g = load_u64le(p) | GRAM_FOLD8;
	uint64_t c = (uint64_t)(uint32_t)g * GRAM_K1 ^ (g >> 32) * GRAM_K2;
	return (struct gram){.y = (uint32_t)(c ^ c >> 32), .check = (uint32_t)(c >> 32)};
}

static inline struct gram gram4(const uint8_t *p)
{
	uint32_t g = load_u32le(p) | GRAM_FOLD4;
	uint32_t y = (g ^ g >> 15) * GRAM_K1;
	return (struct gram){.y = y ^ y >> 15, .check = g};
}

/* Two-byte grams are their own place: 16 bits, at the top of y. */
static inline struct gram gram2(const uint8_t *p)
{
	uint32_t g = load_u16le(p) | GRAM_FOLD2;
	return (struct gram){.y = g << 16, .check = g};
}

/* Length and stride of each class, and the fewest fixed bytes that an anchor of it needs
 * (length + stride - 1: then one aligned gram lies inside wherever the anchor starts). */
struct gram_class {
	uint8_t len, stride, need;
};

static inline struct gram_class gram_class(enum db_class_id c)
{
	static const struct gram_class t[DB_CLASSES] = {
	    [DB_CLASS_8_8] = {8, 8, 15}, [DB_CLASS_8_4] = {8, 4, 11}, [DB_CLASS_4_4] = {4, 4, 7},
	    [DB_CLASS_4_2] = {4, 2, 5},  [DB_CLASS_4_1] = {4, 1, 4},  [DB_CLASS_2_1] = {2, 1, 2},
	};
	return t[c];
}

static inline struct gram gram_of(enum db_class_id c, const uint8_t *p)
{
	unsigned len = gram_class(c).len;
	return len == 8 ? gram8(p) : len == 4 ? gram4(p) : gram2(p);
}

/* Bloom filter: one word per gram, two bits in it. Words of 64 bits for 8-byte grams, of 32 bits
 * for the others. log2 is that of the number of words; it is at most BLOOM_LOG2_MAX so that the
 * word (top bits of y) and the bits (low bits of y) do not overlap. */
#define BLOOM_LOG2_MAX 20

static inline uint32_t bloom_word(uint32_t y, uint32_t log2)
{
	return log2 ? y >> (32 - log2) : 0;
}

static inline uint64_t bloom_mask64(uint32_t y)
{
	return UINT64_C(1) << (y & 63) | UINT64_C(1) << (y >> 6 & 63);
}

/* 4-byte grams: bits 0-4 and 5-9 of y. 2-byte grams have zero there; they use 16-bit y at the top,
 * 11 bits choose the word and the next 5 the bit. */
static inline uint32_t bloom_mask32(uint32_t y)
{
	return UINT32_C(1) << (y & 31) | UINT32_C(1) << (y >> 5 & 31);
}

#define BLOOM2_LOG2 11 /* 2,048 words of 32 bits: one bit for each of 65,536 grams */

static inline uint32_t bloom_mask2(uint32_t y)
{
	return UINT32_C(1) << (y >> 16 & 31);
}

/* Class 4_1 probes every offset; there one word answers for two neighbouring grams, because they
 * share three bytes. The gram at an even offset is looked for by its last three bytes, its first
 * byte chooses two of the low 16 bits; the gram at an odd offset by its first three bytes, its last
 * byte chooses two of the high 16 bits. `gram` is folded, first byte lowest. */
struct pair {
	uint32_t y, mask;
};

static inline uint32_t pair_bits(uint32_t b)
{
	return UINT32_C(1) << (b & 15) | UINT32_C(1) << ((b >> 4 ^ b) & 15);
}

static inline struct pair pair_even(uint32_t gram)
{
	return (struct pair){.y = (gram >> 8) * GRAM_K1, .mask = pair_bits(gram & 255)};
}

static inline struct pair pair_odd(uint32_t gram)
{
	return (struct pair){.y = (gram & 0xffffff) * GRAM_K1, .mask = pair_bits(gram >> 24) << 16};
}

/* Bucket of a gram among 2^log2. */
static inline uint32_t gram_bucket(uint32_t y, uint32_t log2)
{
	return log2 ? y >> (32 - log2) : 0;
}

#endif
