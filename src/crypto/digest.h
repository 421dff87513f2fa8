/* Message digests by libcrypto. MD5 and SHA-1 are here because signature sets name files by them;
 * nothing that is trusted rests on either. */
#ifndef VITRINE_CRYPTO_DIGEST_H
#define VITRINE_CRYPTO_DIGEST_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };

#define DIGEST_MAX 32 /* bytes of the longest */

/* Bytes of a digest of that kind: 16, 20, 32. */
size_t digest_size(enum digest_kind kind);

/* "md5", "sha1", "sha256". */
const char *digest_name(enum digest_kind kind);

/* One-shot digest of n bytes into ret (digest_size(kind) bytes). */
st_t digest_bytes(enum digest_kind kind, const void *p, size_t n, uint8_t *ret, struct err *e);

/* Streaming. All-zero is valid for digest_done(). */
struct digest {
	void *ctx;
};
st_t digest_init(struct digest *d, enum digest_kind kind, struct err *e);
st_t digest_add(struct digest *d, const void *p, size_t n, struct err *e);
st_t digest_end(struct digest *d, uint8_t *ret, struct err *e); /* and frees */
void digest_done(struct digest *d);

/* Adds a whole file, from offset 0. ret_size: its bytes; may be NULL. */
st_t digest_add_file(struct digest *d, int fd, uint64_t *ret_size, struct err *e);

/* The digest of a whole file. */
st_t digest_file(enum digest_kind kind, int fd, uint8_t *ret, uint64_t *ret_size, struct err *e);

/* Fetches the algorithms once, so that later calls open no files: before a jail closes. */
st_t digest_preload(struct err *e);

/* Lower-case hex of n bytes, NUL-terminated: ret holds 2n + 1. */
void hex_encode(const uint8_t *p, size_t n, char *ret);

#endif
