/* What the kernels for class 2_1 share. */
#ifndef VITRINE_MATCH_X86_EXACT_H
#define VITRINE_MATCH_X86_EXACT_H

#include "db/gram.h"

#include <stddef.h>
#include <stdint.h>

/* Appends those of the offsets p + k, for the bits k of mask, whose gram is in the filter. There is
 * no branch on the answer: it could not be foretold. One entry behind the last may be written. */
static inline size_t emit_exact(uint64_t mask, const uint32_t *bloom, const uint8_t *data, size_t p,
                                uint32_t *ret_pos, size_t n)
{
	for (; mask; mask &= mask - 1) {
		size_t at = p + (size_t)__builtin_ctzll(mask);
		uint32_t y = gram2(data + at).y;
		ret_pos[n] = (uint32_t)at;
		n += (bloom[bloom_word(y, BLOOM2_LOG2)] & bloom_mask2(y)) != 0;
	}
	return n;
}

#endif
