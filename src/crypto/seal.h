/* Encrypting a few bytes with a passphrase: scrypt (RFC 7914) makes a key of it, ChaCha20-Poly1305
 * (RFC 8439) encrypts and authenticates. Both by libcrypto. */
#ifndef VITRINE_CRYPTO_SEAL_H
#define VITRINE_CRYPTO_SEAL_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

#define SEAL_SALT 32
#define SEAL_NONCE 12
#define SEAL_TAG 16

/* What scrypt costs: 128 * N * r bytes of memory, N * r * p blocks of time. */
struct scrypt_cost {
	uint64_t n; /* a power of two */
	uint32_t r, p;
};

/* For new files: 128 MiB and some 0.4 s, once per start of a program. */
#define SCRYPT_DEFAULT ((struct scrypt_cost){.n = (uint64_t)1 << 17, .r = 8, .p = 1})

/* A file may be hostile: this much memory, and four times the work of the default. */
#define SCRYPT_MEMORY_MAX ((uint64_t)256 << 20)
#define SCRYPT_BLOCKS_MAX ((uint64_t)4 << 20)
#define SCRYPT_R_MAX 32u
#define SCRYPT_P_MAX 16u

/* ST_MALFORMED: no parameters for scrypt. ST_LIMIT: above the limits. */
st_t scrypt_cost_check(const struct scrypt_cost *c, struct err *e);

/* nret bytes of key material. As scrypt_cost_check(); ST_NOMEM. */
st_t scrypt_derive(const struct scrypt_cost *c, const void *pass, size_t npass, const void *salt,
                   size_t nsalt, uint8_t *ret, size_t nret, struct err *e);

struct seal {
	struct scrypt_cost cost;
	uint8_t salt[SEAL_SALT], nonce[SEAL_NONCE];
};

/* Encrypts n bytes into n + SEAL_TAG; `clear` is authenticated too. A salt serves for one text. */
st_t seal_close(const struct seal *s, const void *pass, size_t npass, const void *clear,
                size_t nclear, const uint8_t *text, size_t n, uint8_t *ret, struct err *e);

/* The reverse: n counts the sealed bytes, n - SEAL_TAG come out. ST_BAD_SUM: another passphrase, or
 * something was changed. Then `ret` holds nothing. */
st_t seal_open(const struct seal *s, const void *pass, size_t npass, const void *clear,
               size_t nclear, const uint8_t *sealed, size_t n, uint8_t *ret, struct err *e);

#endif
