/* Source bundles in the compiler (doc/format/updates.md): read as what they are made of, and made.
 */
#ifndef VITRINE_PROC_COMPILER_BUNDLE_H
#define VITRINE_PROC_COMPILER_BUNDLE_H

#include "proc/compiler/container.h"

/* True by the extension, ".tar". */
bool bundle_is(const char *name);

/* Adds the members of a bundle, which is mapped as src->text and open as fd, as sources. Those in a
 * folder named like a published container count as official: who made the bundle vouches for it.
 * ST_MALFORMED, ST_TRUNCATED, ST_LIMIT: not a bundle; ST_UNSUPPORTED: a member of a kind that a
 * bundle does not have. */
st_t bundle_open(struct sources *s, const struct sig_source *src, int fd, struct err *e);

/* Writes all sources and what came out of containers as one bundle. ST_CONFLICT, ST_LIMIT. */
st_t bundle_write(const struct sources *s, int out_fd, uint64_t *ret_size, struct err *e);

#endif
