/* A set of 64-bit keys: which findings were told already. */
#ifndef VITRINE_SCAN_SEEN_H
#define VITRINE_SCAN_SEEN_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All-zero is valid and empty. */
struct seen {
	uint64_t *slots; /* 0 is free; open addressing, at most half full */
	size_t n, cap;   /* cap is 0 or a power of two */
};

/* Adds a key; *ret_new says whether it was not there before. */
st_t seen_add(struct seen *s, uint64_t key, bool *ret_new, struct err *e);

/* Forgets all keys. */
void seen_clear(struct seen *s);
void seen_done(struct seen *s);

#endif
