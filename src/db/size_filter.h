/* Which bit of a size filter stands for an object size; shared by the compiler and the look-up. */
#ifndef VITRINE_DB_SIZE_FILTER_H
#define VITRINE_DB_SIZE_FILTER_H

#include <stdint.h>

static inline uint64_t size_filter_bit(uint64_t size, uint32_t log2)
{
	return size * UINT64_C(0x9e3779b97f4a7c15) >> (64 - log2);
}

#endif
