/* Perceptual hash of a picture file, for `fuzzy_img#` in signatures. */
#ifndef VITRINE_IMAGE_IMAGE_H
#define VITRINE_IMAGE_IMAGE_H

#include "base/rd.h"
#include "db/filetypes.h"

/* True for the types of which clamscan 1.4.6 computes a hash: a condition over `fuzzy_img#` may be
 * false of all others without a look at them. */
bool image_has_hash(enum file_type type);

/* The hash of the picture `in`, a file of type `type`; of the first one if there are several.
 * ST_UNSUPPORTED for types and kinds that are not decoded here (doc/differences.md), ST_TRUNCATED
 * or ST_MALFORMED for damaged ones, ST_LIMIT for too large ones, ST_NOMEM.
 * Time and memory are bounded: at most 100 million pixels, 16 bytes of memory for each of 16
 * million. Needs no system call but for memory. */
st_t image_hash(struct rd in, enum file_type type, uint64_t *ret, struct err *e);

#endif
