/* Checked arithmetic and unaligned loads of our own (already checked) data. */
#ifndef VITRINE_BASE_NUM_H
#define VITRINE_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Each returns true on success and leaves *ret alone on overflow. */
static inline bool num_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;
	if (__builtin_add_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

static inline bool num_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;
	if (__builtin_mul_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

static inline uint64_t num_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t num_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline size_t num_min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline uint16_t load_u16le(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load_u32le(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load_u64le(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* Byte order: the database file is little-endian and mapped as it is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian machines only so far");

#endif
