/* Where bytes of a new file stand in the old one. Blocks of the old file are entered in a table by
 * their hash; a window rolls over the new file and asks for it; what fits is made as long as it
 * gets, in both directions. Text of signatures changes by whole lines, so this finds nearly all. */
#include "pack/delta_make.h"

#include "base/num.h"

#include <stdlib.h>

#define BLOCK 32u
#define BASE UINT32_C(0x9e3779b1) /* odd, so that it can be rolled out again */

struct index {
	uint32_t *block; /* number of a block, plus 1 */
	unsigned shift;  /* 32 - log2 of the entries */
	uint32_t out;    /* BASE^(BLOCK - 1) */
};

static uint32_t hash(const uint8_t *p)
{
	uint32_t h = 0;
	for (unsigned i = 0; i < BLOCK; i++)
		h = h * BASE + p[i] + 1;
	return h;
}

static uint32_t roll(const struct index *x, uint32_t h, uint8_t gone, uint8_t come)
{
	return (h - x->out * (gone + 1u)) * BASE + come + 1u;
}

static uint32_t *slot(const struct index *x, uint32_t h)
{
	return &x->block[(h ^ h >> 15) * UINT32_C(0x85ebca6b) >> x->shift];
}

static st_t index_make(struct index *x, struct rd old, struct err *e)
{
	unsigned log2 = 8;
	while (log2 < 26 && (size_t)1 << log2 < old.len / BLOCK * 2)
		log2++;
	x->shift = 32 - log2;
	x->block = calloc((size_t)1 << log2, sizeof *x->block);
	if (!x->block)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	x->out = 1;
	for (unsigned i = 1; i < BLOCK; i++)
		x->out *= BASE;
	/* From the end, so that the first of equal blocks stays. */
	for (size_t i = old.len / BLOCK; i-- > 0;)
		*slot(x, hash(old.base + i * BLOCK)) = (uint32_t)i + 1;
	return ST_OK;
}

static size_t forward(struct rd old, size_t o, struct rd new, size_t n)
{
	size_t k = 0, max = num_min_size(old.len - o, new.len - n);
	while (k < max && old.base[o + k] == new.base[n + k])
		k++;
	return k;
}

static size_t backward(struct rd old, size_t o, struct rd new, size_t n, size_t max)
{
	size_t k = 0;
	max = num_min_size(max, o);
	while (k < max && old.base[o - k - 1] == new.base[n - k - 1])
		k++;
	return k;
}

static bool find(const struct index *x, struct rd old, const uint8_t *p, uint32_t h, size_t *ret)
{
	uint32_t b = *slot(x, h);
	*ret = (size_t)(b - 1) * BLOCK;
	return b && !memcmp(old.base + *ret, p, BLOCK);
}

static void scan(const struct index *x, struct rd old, struct rd new, struct delta_script *ret)
{
	size_t n = 0, done = 0, o;
	uint32_t h = new.len >= BLOCK ? hash(new.base) : 0;
	while (n + BLOCK <= new.len && !ret->runs.oom) {
		if (find(x, old, new.base + n, h, &o)) {
			size_t back = backward(old, o, new, n, n - done);
			size_t len = back + forward(old, o, new, n);
			delta_script_keep(ret, o - back, n - back, len);
			done = n = n - back + len;
			h = n + BLOCK <= new.len ? hash(new.base + n) : 0;
			continue;
		}
		if (n + BLOCK < new.len)
			h = roll(x, h, new.base[n], new.base[n + BLOCK]);
		n++;
	}
}

st_t delta_match(struct rd old, struct rd new, struct delta_script *ret, struct err *e)
{
	struct index x = {0};
	TRY(index_make(&x, old, e));
	ret->new_n = new.len;
	size_t start = forward(old, 0, new, 0);
	delta_script_keep(ret, 0, 0, start);
	struct rd rest = rd_at(&new, start, new.len - start);
	struct delta_script behind = {0};
	scan(&x, old, rest, &behind);
	for (size_t i = 0; i < delta_script_n(&behind); i++) {
		const struct delta_run *r = delta_script_at(&behind, i);
		delta_script_keep(ret, r->old, r->new + start, r->keep);
	}
	ret->runs.oom |= behind.runs.oom;
	buf_done(&behind.runs);
	free(x.block);
	return buf_check(&ret->runs, e, "delta");
}
