/* Random signatures and objects that they nearly match, for property tests. */
#ifndef VITRINE_TEST_RANDOM_SIG_H
#define VITRINE_TEST_RANDOM_SIG_H

#include "sig/ir.h"
#include "verify/layout.h"

/* A signature in the arena of `set`, not added to it. `alphabet` bytes are used, so that matches
 * and near misses are common. */
struct ir_sig *random_sig(struct ir_set *set, uint64_t *seed, unsigned number);

/* Fills data[0..size): noise, with instances of patterns of random signatures planted, some of them
 * with a byte changed. */
void random_object(const struct ir_set *set, uint64_t *seed, uint8_t *data, size_t size);

/* A layout whose places lie in or near the object. */
void random_layout(uint64_t *seed, size_t size, struct exe_layout *ret);

#endif
