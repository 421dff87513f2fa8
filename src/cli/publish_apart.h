/* Files that come from other machines, taken apart by a child in a jail (no files, no network),
 * before this process has opened any key. */
#ifndef VITRINE_CLI_PUBLISH_APART_H
#define VITRINE_CLI_PUBLISH_APART_H

#include "base/buf.h"
#include "base/rd.h"

/* publish_signatures_read() of a file. */
st_t publish_apart_signatures(const char *path, struct buf *ret, struct err *e);

/* publish_describe(): in words what would be signed. */
st_t publish_apart_describe(struct rd file, struct rd old, struct buf *ret, struct err *e);

#endif
