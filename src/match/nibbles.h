/* Nibble tables: a small necessary condition for the 2-byte grams of a filter.
 *
 * The grams are dealt into eight buckets. A byte's low and high half each look up a table of 16
 * bytes, in which bit b says that bucket b has a gram with such a half at that place; one shuffle
 * instruction looks up a whole vector. A gram for which the AND of the four is zero is in no
 * bucket, so it is not in the filter; any other is looked up in the filter itself. */
#ifndef VITRINE_MATCH_NIBBLES_H
#define VITRINE_MATCH_NIBBLES_H

#include <stdbool.h>
#include <stdint.h>

#define NIBBLE_BUCKETS 8u

struct nibbles {
	uint8_t lo[2][16], hi[2][16]; /* of the first and the second byte, as read: not folded */
	bool few; /* the tables keep most data out; where not, probing the filter itself is faster */
};

/* The tables for the filter of class 2_1 at `bloom` (2^BLOOM2_LOG2 words). */
void nibbles_make(const uint32_t *bloom, struct nibbles *ret);

#endif
