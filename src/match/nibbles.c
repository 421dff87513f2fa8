/* Makes nibble tables. At first each first byte has a bucket for its grams; then the two that cost
 * least together are merged until eight are left. */
#include "match/nibbles.h"

#include "base/num.h"
#include "db/gram.h"

#include <stddef.h>

/* Filters with more first bytes than this (of 128 folded ones) let too much through in any case,
 * and merging takes time that grows with the third power. */
#define ROWS_MAX 48u

/* Which low and high halves the grams of a group have at each place. */
struct group {
	uint16_t lo[2], hi[2];
};

/* How often a byte is in ordinary files, in thousandths, measured over the files of /usr. Folded,
 * it is zero or a blank (one value then) in a quarter of all cases; else it is its high half that
 * tells most. */
#define BLANK 0x20
#define BLANK_WEIGHT 250u
static const uint8_t high_weight[16] = {
    [0x2] = 9, [0x3] = 4, [0x6] = 16, [0x7] = 10, [0xa] = 2, [0xb] = 2, [0xe] = 2, [0xf] = 2,
};
#define ALL_BYTES 1000u

/* Of ALL_BYTES^2 places, how many may pass if the tables are to be worth their while. Measured:
 * with this many, a look at each costs about as much as asking the filter about every place, many
 * at a time. */
#define FEW (ALL_BYTES * ALL_BYTES / 10)

static uint32_t passing(uint16_t lo, uint16_t hi)
{
	uint32_t w = 0;
	for (unsigned h = 0; h < 16; h++)
		w += hi >> h & 1 ? high_weight[h] : 0;
	bool blank = (lo >> (BLANK & 15) & 1) && (hi >> (BLANK >> 4) & 1);
	return (uint32_t)__builtin_popcount(lo) * w + (blank ? BLANK_WEIGHT : 0);
}

static uint32_t group_cost(const struct group *g)
{
	return passing(g->lo[0], g->hi[0]) * passing(g->lo[1], g->hi[1]);
}

static struct group merged(const struct group *a, const struct group *b)
{
	struct group m;
	for (unsigned i = 0; i < 2; i++) {
		m.lo[i] = a->lo[i] | b->lo[i];
		m.hi[i] = a->hi[i] | b->hi[i];
	}
	return m;
}

static void group_add(struct group *g, unsigned place, unsigned byte)
{
	g->lo[place] |= (uint16_t)(1u << (byte & 15));
	g->hi[place] |= (uint16_t)(1u << (byte >> 4));
}

/* The grams that begin with `first`. */
static struct group row(const uint32_t *bloom, unsigned first)
{
	struct group g = {0};
	for (unsigned second = 0; second < 256; second++) {
		const uint8_t gram[2] = {(uint8_t)first, (uint8_t)second};
		uint32_t y = gram2(gram).y;
		if (!(bloom[bloom_word(y, BLOOM2_LOG2)] & bloom_mask2(y)))
			continue;
		group_add(&g, 0, first | GRAM_FOLD1);
		group_add(&g, 1, second | GRAM_FOLD1);
	}
	return g;
}

/* One group for each first byte; more than ROWS_MAX if there are more. */
static size_t all_rows(const uint32_t *bloom, struct group *g)
{
	size_t n = 0;
	for (unsigned first = 0; first < 256 && n <= ROWS_MAX; first++) {
		if (!(first & GRAM_FOLD1))
			continue; /* folded, it is another one */
		g[n] = row(bloom, first);
		n += g[n].lo[0] != 0;
	}
	return n;
}

/* Merges the two groups that let least through together which they did not let through alone. */
static void merge_best(struct group *g, size_t n)
{
	int64_t least = INT64_MAX;
	size_t a = 0, b = 1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			struct group m = merged(&g[i], &g[k]);
			int64_t more = (int64_t)group_cost(&m) - group_cost(&g[i]) - group_cost(&g[k]);
			if (more >= least)
				continue;
			least = more;
			a = i;
			b = k;
		}
	g[a] = merged(&g[a], &g[b]);
	g[b] = g[n - 1];
}

/* A high half stands for its folded self and for what is folded to it. */
static void put_bucket(struct nibbles *t, const struct group *g, unsigned bucket)
{
	uint8_t bit = (uint8_t)(1u << bucket);
	for (unsigned place = 0; place < 2; place++)
		for (unsigned v = 0; v < 16; v++) {
			t->lo[place][v] |= g->lo[place] >> v & 1 ? bit : 0;
			t->hi[place][v] |= g->hi[place] >> (v | GRAM_FOLD1 >> 4) & 1 ? bit : 0;
		}
}

void nibbles_make(const uint32_t *bloom, struct nibbles *ret)
{
	struct group g[ROWS_MAX + 2];
	uint64_t cost = 0;
	*ret = (struct nibbles){0};
	size_t n = all_rows(bloom, g);
	if (n > ROWS_MAX)
		return;
	for (; n > NIBBLE_BUCKETS; n--)
		merge_best(g, n);
	for (unsigned b = 0; b < n; b++) {
		put_bucket(ret, &g[b], b);
		cost += group_cost(&g[b]);
	}
	ret->few = cost <= FEW;
}
