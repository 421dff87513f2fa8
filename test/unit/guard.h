/* Memory between two pages that may not be touched: a read in front of it or behind it ends the
 * test program. */
#ifndef VITRINE_TEST_GUARD_H
#define VITRINE_TEST_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GUARD_PAGE ((size_t)4096)

struct guard {
	uint8_t *map;
	uint8_t *begin, *end; /* what may be used; both at the border of a forbidden page */
};

static inline struct guard guard_new(size_t pages)
{
	size_t len = (pages + 2) * GUARD_PAGE;
	uint8_t *p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED ||
	    mprotect(p + GUARD_PAGE, pages * GUARD_PAGE, PROT_READ | PROT_WRITE) != 0) {
		perror("guard pages");
		exit(2);
	}
	return (struct guard){p, p + GUARD_PAGE, p + GUARD_PAGE + pages * GUARD_PAGE};
}

static inline void guard_free(struct guard *g)
{
	munmap(g->map, (size_t)(g->end - g->map) + GUARD_PAGE);
}

#endif
