/* Memory for what must not leave the process: seeds, passphrases, key files that are not encrypted.
 *
 * Invariants
 * 1. The bytes lie in pages of their own, which are in no core dump and, wiped, in no child that a
 *    fork makes. The kernel is asked not to swap them; where it refuses (RLIMIT_MEMLOCK), they may
 *    be.
 * 2. They are zeroes before the pages are given back, whatever the compiler thinks of it.
 * 3. The buffer never grows, so no copy of it is left behind. */
#ifndef VITRINE_CRYPTO_SECRET_H
#define VITRINE_CRYPTO_SECRET_H

#include "base/buf.h"
#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

struct secret {
	uint8_t *data;
	size_t len; /* bytes in use; the owner's */
	size_t cap;
};

/* At least `cap` bytes of zeroes. ST_NOMEM. */
st_t secret_init(struct secret *s, size_t cap, struct err *e);

/* Zeroes it; it can be filled again. */
void secret_wipe(struct secret *s);

/* Zeroes it and gives it back. All-zero is valid; afterwards it is so again. */
void secret_done(struct secret *s);

/* Zeroes what has been written to a buffer, and all it had room for, and frees it. A buffer that
 * takes secrets needs its room beforehand (buf_room()): growing leaves a copy behind. */
void secret_buf_done(struct buf *b);

/* Zeroes n bytes that lie somewhere else. */
void secret_clean(void *p, size_t n);

#endif
