/* Searches several literals in one pass: to refute what signatures need that an object has not. */
#ifndef VITRINE_MATCH_FIND_MANY_H
#define VITRINE_MATCH_FIND_MANY_H

#include "match/find.h"

#define FIND_MANY_MAX 8u
#define FIND_MANY_LEN 3u /* shortest literal */

/* For each of n literals (at most FIND_MANY_MAX, none shorter than FIND_MANY_LEN) the first
 * offset in hay[0..size) at which it stands whole, FIND_NONE if there is none. */
typedef void find_many_fn(const uint8_t *hay, size_t size, const struct find_what *w, unsigned n,
                          size_t *ret_first);

find_many_fn find_many; /* any processor */
#if defined(__x86_64__)
find_many_fn find_many_avx2, find_many_avx512;
#endif

/* For them. Three neighbouring bytes of each literal, the rarest among them, as tables by half a
 * byte: a place at which the tables of all three bytes agree on bit i may hold literal i.
 * Literals that were found are taken out. */
struct find_many_state {
	const uint8_t *hay;
	size_t size;
	const struct find_what *w;
	unsigned n;
	size_t *first;
	uint8_t wanted; /* bits of literals not found yet */
	uint8_t at[FIND_MANY_MAX]; /* where in the literal its three bytes are */
	uint8_t low[FIND_MANY_LEN][16], high[FIND_MANY_LEN][16];
};

void find_many_start(struct find_many_state *s, const uint8_t *hay, size_t size,
                     const struct find_what *w, unsigned n, size_t *ret_first);

/* The tables agree on `bits` at p. True if a literal was found, so that the tables changed. */
bool find_many_check(struct find_many_state *s, size_t p, uint8_t bits);

/* What the tables say at p, which is at least FIND_MANY_LEN bytes from the end. */
uint8_t find_many_bits(const struct find_many_state *s, size_t p);

/* From p to the end, a place at a time. */
void find_many_rest(struct find_many_state *s, size_t p);

#endif
