/* Perceptual hash of a picture whose gray rows come one after the other, as `sigtool --fuzzy-img`
 * prints it and `fuzzy_img#` of a signature asks for it.
 *
 * The picture is resized to 32 x 32 with a Lanczos window of 3, transformed by a two-dimensional
 * DCT (type II), and each of the 64 coefficients of the lowest frequencies gives a bit, row by row:
 * 1 if it is above their median. That is the "phash" of the Python package imagehash.
 *
 * Many pictures are flat or symmetric. Most of their coefficients should be 0, which is then the
 * median as well, and what decides is how the sums were rounded. So the order of all operations in
 * single precision is part of the definition. It was found out by comparing with sigtool 1.4.6. */
#ifndef VITRINE_IMAGE_PHASH_H
#define VITRINE_IMAGE_PHASH_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

struct phash;

/* Memory is taken for 32 rows, so the width decides: 8 MiB at most. */
#define PHASH_WIDTH_MAX 65535u

/* For a picture of width x height, neither 0. ST_LIMIT if it is wider than PHASH_WIDTH_MAX,
 * ST_NOMEM. */
st_t phash_new(uint32_t width, uint32_t height, struct phash **ret, struct err *e);
void phash_free(struct phash *p);

/* The next row, `width` samples 0 ... 255. Rows behind the last are ignored. */
void phash_row(struct phash *p, const uint8_t *gray);

/* The hash; rows that did not come count as black. Once. */
uint64_t phash_finish(struct phash *p);

#endif
