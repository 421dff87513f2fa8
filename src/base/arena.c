#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t)16)
#define CHUNK ((size_t)256 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(16) unsigned char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

static bool grow(struct arena *a, size_t need)
{
	size_t size = need > CHUNK ? need : CHUNK;
	if (a->limit && (size > a->limit || a->total > a->limit - size))
		return false;
	struct arena_chunk *c = malloc(sizeof *c + size);
	if (!c)
		return false;
	*c = (struct arena_chunk){.next = a->head, .size = size};
	a->head = c;
	a->used = 0;
	a->cap = size;
	a->total += size;
	return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (need > a->cap - a->used && !grow(a, need))
		return NULL;
	if (!a->head && !grow(a, ALIGN))
		return NULL;
	void *p = a->head->bytes + a->used;
	a->used += need;
	return memset(p, 0, need);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
	return p ? memcpy(p, s, n) : NULL;
}

void arena_done(struct arena *a)
{
	while (a->head) {
		struct arena_chunk *c = a->head;
		a->head = c->next;
		free(c);
	}
	arena_init(a, a->limit);
}
