/* What the filters found in one object, kept for objects that are slices of it: the members of a
 * tar archive are the same bytes once more and need not be filtered again.
 *
 * A hit is a gram of the index, with its context, at an offset. Grams are probed at offsets aligned
 * in the outer object. That is as good as aligned in the slice: an anchor holds an indexed gram at
 * every alignment (db/gram.h), and one that lies in the slice lies there with all its grams.
 *
 * Invariants
 * 1. list[i].pos ascends but for HITS_DISORDER: blocks are filtered one after the other, the
 *    classes of a block one after the other.
 * 2. `whole`: every byte of the object was filtered and no hit was lost. Nothing else is reused. */
#ifndef VITRINE_VERIFY_HITS_H
#define VITRINE_VERIFY_HITS_H

#include "db/layout.h"
#include "match/kernels.h"

#include <stdbool.h>

/* Two grams of one block are less than a block apart; the last ones of a block reach into the next
 * by less than their length. */
#define HITS_DISORDER (MATCH_BLOCK + 8u)

/* Hits kept of one object, 8 bytes each: 90,000 signatures give some thousand per MiB. Beyond that,
 * filtering again costs less than looking at them. */
#define HITS_MAX ((size_t)1 << 20)

struct hit {
	uint32_t slot; /* in DB_SEC_SLOT */
	uint32_t pos;
};

struct hits {
	const uint8_t *data;
	size_t size;
	const struct db_target *target;
	struct hit *list;
	size_t n, cap;
	bool lost; /* some hit was not kept */
	bool whole;
};

/* Forgets what was kept and starts on another object. */
void hits_start(struct hits *h, const struct db_target *target, const uint8_t *data, size_t size);

/* Keeps a hit, or notes that one was lost. */
void hits_add(struct hits *h, uint32_t slot, uint32_t pos);

/* True if data[0..size) lies in the object and all that the object's filters look for is looked for
 * in an object of `target`, too. Then *ret_off is where it starts. */
bool hits_cover(const struct hits *h, const struct db_target *target, const uint8_t *data,
                size_t size, size_t *ret_off);

/* Index of the first hit that may lie at or behind `off`. */
size_t hits_from(const struct hits *h, size_t off);

/* True if filter f was run over the object. */
bool hits_have_filter(const struct hits *h, uint32_t f);

#endif
