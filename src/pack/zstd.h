/* Compressed files and deltas of updates: Zstandard (RFC 8878) by libzstd. What is unpacked was
 * named by signed metadata, and is hostile nevertheless: output is bounded by the length that is
 * expected, and judged by its digest afterwards, by the caller. */
#ifndef VITRINE_PACK_ZSTD_H
#define VITRINE_PACK_ZSTD_H

#include "base/st.h"

#include <stdint.h>

/* Writes the compressed content of in_fd (from offset 0, `size` bytes) to out_fd. Same bytes in,
 * same bytes out for one version of libzstd; nobody needs more. */
st_t pack_compress(int in_fd, uint64_t size, int level, int out_fd, uint64_t *ret_size,
                   struct err *e);

/* The other way: exactly `size` bytes, one frame. ST_MALFORMED, ST_TRUNCATED, ST_LIMIT. */
st_t pack_decompress(int in_fd, uint64_t in_size, uint64_t size, int out_fd, struct err *e);

#endif
