/* Source bundles: the rule text of a release as one tar archive (doc/format/updates.md, "A
 * release"). Same files, same bytes, in whatever order they come. Runs in the jailed compiler. */
#ifndef VITRINE_PACK_SOURCE_H
#define VITRINE_PACK_SOURCE_H

#include "base/rd.h"

/* A file of the bundle. `name` has at most one folder in front of it: that of the container that it
 * was in ("main.cvd/main.ndb"). */
struct source_file {
	const char *name;
	struct rd bytes;
};

/* Sorts `v` and appends the archive to out_fd. Of files without a folder that have one name the
 * first (by content) keeps it, the others are put into folders "2", "3", ...: the compiler looks at
 * the last part of a name only. ST_CONFLICT: two of one name in a folder. ST_MALFORMED, ST_LIMIT: a
 * name, a size or the number of files that no archive has. */
st_t source_bundle_write(struct source_file *v, size_t n, int out_fd, uint64_t *ret_size,
                         struct err *e);

#endif
