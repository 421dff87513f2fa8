/* Arena: many small allocations that end together, with a limit on their sum.
 * The compiler keeps its intermediate form in one; nothing in it is freed singly. */
#ifndef VITRINE_BASE_ARENA_H
#define VITRINE_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t used, cap; /* of the head chunk, bytes */
	size_t total;     /* bytes of all chunks */
	size_t limit;     /* upper bound of total; 0 is none */
};

void arena_init(struct arena *a, size_t limit);

/* Zeroed memory aligned to 16, or NULL when the limit or the memory is used up. size 0 is
 * allowed. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of n bytes with a NUL behind, or NULL (also for an n so large that n + 1 wraps). */
char *arena_strndup(struct arena *a, const char *s, size_t n);

/* Frees everything; the arena can be used again. */
void arena_done(struct arena *a);

#endif
