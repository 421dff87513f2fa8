#include "scan/seen.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* Keys kept between files: more than ordinary files need, 64 KiB. */
#define KEEP_CAP 8192

static size_t find(const struct seen *s, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (s->cap - 1);
	while (s->slots[i] != 0 && s->slots[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static st_t grow(struct seen *s, struct err *e)
{
	struct seen big = {.n = s->n, .cap = s->cap ? s->cap * 2 : FIRST_CAP};
	big.slots = calloc(big.cap, sizeof *big.slots);
	if (!big.slots)
		return fail(e, ST_NOMEM, 0, "no memory for findings");
	for (size_t i = 0; i < s->cap; i++)
		if (s->slots[i] != 0)
			big.slots[find(&big, s->slots[i])] = s->slots[i];
	free(s->slots);
	*s = big;
	return ST_OK;
}

st_t seen_add(struct seen *s, uint64_t key, bool *ret_new, struct err *e)
{
	key = key ? key : 1;
	if (s->n * 2 >= s->cap)
		TRY(grow(s, e));
	size_t i = find(s, key);
	*ret_new = s->slots[i] == 0;
	s->n += *ret_new;
	s->slots[i] = key;
	return ST_OK;
}

void seen_clear(struct seen *s)
{
	if (s->cap > KEEP_CAP)
		seen_done(s);
	if (s->n > 0)
		memset(s->slots, 0, s->cap * sizeof *s->slots);
	s->n = 0;
}

void seen_done(struct seen *s)
{
	free(s->slots);
	*s = (struct seen){0};
}
