#include "witness/rate.h"

#define US 1000000u

uint32_t rate_take(struct rate_bucket *b, const struct witness_rate *r, uint64_t now_us)
{
	if (!r->n)
		return 0;
	uint64_t period = (uint64_t)r->period_s * US;
	uint64_t each = period / r->n; /* at least 1: WITNESS_RATE_MAX is one a microsecond */
	uint64_t from = b->free_us > now_us ? b->free_us - now_us : 0;
	if (from + each <= period) {
		b->free_us = now_us + from + each;
		return 0;
	}
	return (uint32_t)((from + each - period + US - 1) / US);
}
