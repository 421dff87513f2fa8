/* Runs, the map of numbers that they are, and references moved by it. */
#include "pack/delta_inside.h"

#include "base/num.h"

void delta_script_keep(struct delta_script *s, uint64_t old, uint64_t new, uint64_t keep)
{
	size_t n = delta_script_n(s);
	struct delta_run *last = (struct delta_run *)(void *)s->runs.data + (n ? n - 1 : 0);
	if (n && last->old + (uint64_t)last->keep == old && last->new + (uint64_t)last->keep == new) {
		last->keep += (uint32_t)keep;
		return;
	}
	struct delta_run r = {(uint32_t)old, (uint32_t)new, (uint32_t)keep};
	buf_add(&s->runs, &r, sizeof r);
}

/* Number of runs that begin at v or before. */
static size_t runs_before(const struct delta_script *s, uint64_t v)
{
	size_t lo = 0, hi = delta_script_n(s);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (delta_script_at(s, mid)->old <= v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t map(const struct delta_script *s, uint64_t v, bool *ret_kept)
{
	size_t i = runs_before(s, v);
	const struct delta_run *r = i ? delta_script_at(s, i - 1) : NULL;
	*ret_kept = r && v - r->old < r->keep;
	if (*ret_kept)
		return r->new + (v - r->old);
	return i < delta_script_n(s) ? delta_script_at(s, i)->new : s->new_n;
}

uint64_t delta_script_map(const struct delta_script *s, uint64_t v)
{
	bool kept;
	return map(s, v, &kept);
}

bool delta_script_kept(const struct delta_script *s, uint64_t v, uint64_t *ret)
{
	bool kept;
	*ret = map(s, v, &kept);
	return kept;
}

static void relocate_one(const struct delta_ref *r, const struct delta_script *space, uint8_t *p)
{
	uint32_t w = load_u32le(p);
	uint32_t mask = r->bits < 32 ? (UINT32_C(1) << r->bits) - 1 : UINT32_MAX;
	uint32_t moved = (uint32_t)(delta_script_map(space, r->old_base + (w & mask)) - r->new_base);
	w = (w & ~mask) | (moved & mask);
	memcpy(p, &w, sizeof w);
}

void delta_relocate(const struct delta_table *t, const struct delta_script *spaces,
                    uint8_t *records, size_t n)
{
	for (uint32_t k = 0; k < t->nrefs; k++) {
		const struct delta_ref *r = &t->ref[k];
		for (size_t i = 0; i < n; i++)
			relocate_one(r, &spaces[r->space], records + i * t->stride + r->field);
	}
}
