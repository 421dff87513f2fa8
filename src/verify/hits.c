#include "verify/hits.h"

#include "verify/engine.h"

#include <stdlib.h>

#define FIRST_CAP 256u

/* Kept from object to object, so that ordinary files allocate nothing. */
#define KEEP_CAP ((size_t)32 << 10)

struct hits *hits_new(void)
{
	return calloc(1, sizeof(struct hits));
}

void hits_free(struct hits *h)
{
	if (!h)
		return;
	free(h->list);
	free(h);
}

void hits_trim(struct hits *h)
{
	if (!h || h->cap <= KEEP_CAP)
		return;
	free(h->list);
	*h = (struct hits){0};
}

void hits_start(struct hits *h, const struct db_target *target, const uint8_t *data, size_t size)
{
	h->target = target;
	h->data = data;
	h->size = size;
	h->n = 0;
	h->lost = h->whole = false;
}

static bool grow(struct hits *h)
{
	size_t cap = h->cap ? h->cap * 2 : FIRST_CAP;
	struct hit *p = cap <= HITS_MAX ? realloc(h->list, cap * sizeof *p) : NULL;
	if (!p)
		return false;
	h->list = p;
	h->cap = cap;
	return true;
}

void hits_add(struct hits *h, uint32_t slot, uint32_t pos)
{
	if (h->n == h->cap && !grow(h)) {
		h->lost = true;
		return;
	}
	h->list[h->n++] = (struct hit){.slot = slot, .pos = pos};
}

static bool has_filter(const struct db_target *t, uint32_t f)
{
	for (uint32_t i = 0; i < t->nfilters; i++)
		if (t->filter[i] == f)
			return true;
	return false;
}

bool hits_have_filter(const struct hits *h, uint32_t f)
{
	return has_filter(h->target, f);
}

bool hits_cover(const struct hits *h, const struct db_target *target, const uint8_t *data,
                size_t size, size_t *ret_off)
{
	uintptr_t base = (uintptr_t)h->data, at = (uintptr_t)data;
	if (!h->whole || at < base || at - base > h->size || size > h->size - (at - base))
		return false;
	for (uint32_t i = 0; i < h->target->nfilters; i++)
		if (!has_filter(target, h->target->filter[i]))
			return false;
	*ret_off = at - base;
	return true;
}

/* If the hit before the answer lies more than HITS_DISORDER below `off`, all before it lie below
 * `off`: so the search may treat the list as sorted. */
size_t hits_from(const struct hits *h, size_t off)
{
	size_t lo = 0, hi = h->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (h->list[mid].pos + (size_t)HITS_DISORDER < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
