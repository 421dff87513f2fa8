/* Where randomness comes from: a parameter, so that tests replay. */
#ifndef VITRINE_CRYPTO_RANDOM_H
#define VITRINE_CRYPTO_RANDOM_H

#include "base/st.h"

#include <stddef.h>

struct random_source {
	/* Fills all n bytes or fails. */
	st_t (*fill)(void *ctx, void *ret, size_t n, struct err *e);
	void *ctx;
};

/* The kernel's (getrandom), which waits until it is seeded. Fails only where there is none. */
extern const struct random_source random_system;

st_t random_fill(const struct random_source *r, void *ret, size_t n, struct err *e);

#endif
