/* HASHES of TUF (section 4.4): {"sha256": HEX, "sha512": HEX, ...}, and what bytes must have to be
 * the file that metadata speaks of. */
#ifndef VITRINE_TUF_HASH_H
#define VITRINE_TUF_HASH_H

#include "crypto/digest.h"
#include "crypto/sha512.h"
#include "tuf/json.h"

/* What is expected. At least one of the two is set: other algorithms are passed over, and a file
 * of which only others are known cannot be checked. */
struct tuf_hashes {
	bool has256, has512;
	uint8_t sha256[32];
	uint8_t sha512[SHA512_BYTES];
};

/* All of the hex digits in `s`, of either case, appended. False if it is no hex. */
bool tuf_hex(const char *s, struct buf *out);

/* From the object. ST_MALFORMED: no object of texts, empty, or a digest of a wrong length.
 * ST_UNSUPPORTED: neither SHA-256 nor SHA-512. */
st_t tuf_hashes_read(const struct tuf_value *v, const char *what, struct tuf_hashes *ret,
                     struct err *e);

/* Digests of a file that comes in pieces. All-zero is valid for tuf_sum_done(). */
struct tuf_sum {
	struct digest sha256;
	struct sha512 sha512;
	uint64_t length;
};
st_t tuf_sum_init(struct tuf_sum *s, struct err *e);
st_t tuf_sum_add(struct tuf_sum *s, const void *p, size_t n, struct err *e);

/* ST_OK only if every hash that is expected, and the length unless NULL, is that of the bytes
 * added; ST_BAD_SUM. Ends as tuf_sum_done() does. */
st_t tuf_sum_check(struct tuf_sum *s, const struct tuf_hashes *want, const uint64_t *length,
                   const char *what, struct err *e);
void tuf_sum_done(struct tuf_sum *s);

#endif
