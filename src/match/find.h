/* Searches a literal: for the few signatures whose anchor was found. */
#ifndef VITRINE_MATCH_FIND_H
#define VITRINE_MATCH_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIND_NONE SIZE_MAX

/* The first p in [from, to] at which lit[0..n) stands, n >= 1; the caller sees to it that
 * hay[from .. to + n) may be read. With `folded`, bytes are compared with bit 0x20 set on both
 * sides: a superset of equality without case. FIND_NONE if there is none. */
size_t find_literal(const uint8_t *hay, size_t from, size_t to, const uint8_t *lit, size_t n,
                    bool folded);

#endif
