/* Searches a literal: for the few signatures whose anchor was found. */
#ifndef VITRINE_MATCH_FIND_H
#define VITRINE_MATCH_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIND_NONE SIZE_MAX

struct find_what {
	const uint8_t *lit;
	size_t n;        /* >= 1 */
	uint8_t rare[2]; /* < n: which two of its bytes are compared first; may be the same */
	bool folded;     /* bytes are compared with bit 0x20 set on both sides: a superset of equality
	                  * without case */
};

/* The first p in [from, to] at which the literal stands; the caller sees to it that
 * hay[from .. to + n) may be read. FIND_NONE if there is none. */
typedef size_t find_fn(const uint8_t *hay, size_t from, size_t to, const struct find_what *w);

find_fn find_literal; /* any processor */
#if defined(__x86_64__)
find_fn find_avx2, find_avx512;
#endif

/* For them: is the literal at p? */
bool find_equal(const uint8_t *p, const struct find_what *w);

#endif
