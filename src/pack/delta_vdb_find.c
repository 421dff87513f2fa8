/* Records of a table that stay in order and are found again by their bytes. */
#include "pack/delta_vdb.h"

#include "base/sum64.h"

#include <stdlib.h>
#include <string.h>

struct finder {
	uint8_t *records; /* old ones, moved */
	uint32_t *slot;   /* number + 1 */
	uint64_t mask;
};

static uint64_t start_of(const struct finder *x, const struct vdb_range *r, const uint8_t *record)
{
	return sum64(record + r->key_off, r->key_len) & x->mask;
}

static st_t finder_make(struct finder *x, const struct vdb_plan *p, const struct vdb_range *r,
                        struct err *e)
{
	uint64_t n = 16;
	while (n < r->old_n * 2)
		n *= 2;
	x->mask = n - 1;
	x->slot = calloc(n, sizeof *x->slot);
	x->records = malloc(r->old_n * r->t.stride + 1);
	if (!x->slot || !x->records)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	memcpy(x->records, p->old.all.base + r->t.old_off, r->old_n * r->t.stride);
	delta_relocate(&r->t, p->m->space, x->records, r->old_n);
	for (uint64_t i = 0; i < r->old_n; i++) {
		uint64_t k = start_of(x, r, x->records + i * r->t.stride);
		while (x->slot[k])
			k = (k + 1) & x->mask;
		x->slot[k] = (uint32_t)i + 1;
	}
	return ST_OK;
}

/* The first old record like this one that is not in front of `from`. Equal ones stand in a row of
 * slots, in order; how far that is looked through is bounded. */
#define LOOK 64u

static bool finder_find(const struct finder *x, const struct vdb_range *r, const uint8_t *record,
                        uint64_t from, uint64_t *ret)
{
	uint64_t k = start_of(x, r, record);
	for (unsigned look = 0; look < LOOK && x->slot[k]; look++, k = (k + 1) & x->mask) {
		uint64_t i = x->slot[k] - 1;
		*ret = i;
		if (i >= from && !memcmp(x->records + i * r->t.stride + r->key_off,
		                         record + r->key_off, r->key_len))
			return true;
	}
	return false;
}

st_t vdb_align(const struct vdb_plan *p, const struct vdb_range *r, uint64_t old_base,
               uint64_t new_base, struct delta_script *s, struct err *e)
{
	struct finder x = {0};
	uint64_t from = 0, i;
	st_t st = finder_make(&x, p, r, e);
	for (uint64_t j = 0; st == ST_OK && j < r->new_n; j++) {
		if (!finder_find(&x, r, p->new.all.base + r->new_off + j * r->t.stride, from, &i))
			continue;
		delta_script_keep(s, old_base + i, new_base + j, 1);
		from = i + 1;
	}
	free(x.slot);
	free(x.records);
	return st;
}
