/* Rates of requests, one leaky bucket each (GCRA): a burst of `n` at once, then `n` in a period on
 * average. Needs one number a bucket and no timer. */
#ifndef VITRINE_WITNESS_RATE_H
#define VITRINE_WITNESS_RATE_H

#include "witness/config.h"

struct rate_bucket {
	uint64_t free_us; /* when it is empty again, on the caller's clock */
};

/* Takes one. 0: it may pass; else the seconds (rounded up) after which one may. */
uint32_t rate_take(struct rate_bucket *b, const struct witness_rate *r, uint64_t now_us);

#endif
