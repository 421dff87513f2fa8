/* SHA-512 by libcrypto. Apart from digest.h, whose kinds are those that signature sets know. */
#ifndef VITRINE_CRYPTO_SHA512_H
#define VITRINE_CRYPTO_SHA512_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

#define SHA512_BYTES 64

/* Streaming. All-zero is valid for sha512_done(). ST_NOMEM. */
struct sha512 {
	void *ctx;
};
st_t sha512_init(struct sha512 *d, struct err *e);
st_t sha512_add(struct sha512 *d, const void *p, size_t n, struct err *e);
st_t sha512_end(struct sha512 *d, uint8_t ret[SHA512_BYTES], struct err *e); /* and frees */
void sha512_done(struct sha512 *d);

#endif
