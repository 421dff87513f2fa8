/* Deltas: what makes a new file of an old one. doc/format/delta.md is the format. The delta of a
 * daily update of 4 million signatures is to have at most 2 % of the size of the set.
 *
 * Invariants
 * 1. delta_apply() reads only the two files it is given, writes exactly the length that the delta
 *    announces and the caller allows, and needs little memory (old and new are files: mapped or
 *    read in pieces).
 * 2. A delta says which old file it is for, by SHA-256; another one is refused before anything is
 *    written. The result is judged by the caller, by its digest. */
#ifndef VITRINE_PACK_DELTA_H
#define VITRINE_PACK_DELTA_H

#include "base/st.h"

#include <stdint.h>

/* Writes to out_fd (empty) what leads from old to new. Deterministic. */
st_t delta_make(int old_fd, int new_fd, int out_fd, uint64_t *ret_size, struct err *e);

/* Writes the new file to out_fd (empty, readable too). max: bytes it may have. ST_CONFLICT: made
 * for another old file. ST_MALFORMED, ST_TRUNCATED, ST_LIMIT, negative. */
st_t delta_apply(int old_fd, int delta_fd, uint64_t max, int out_fd, struct err *e);

#endif
