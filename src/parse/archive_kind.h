/* Which reader of libarchive opens an object: told from its first bytes alone.
 *
 * libarchive could bid by itself, but then every reader looks at every object, layers of
 * compression are peeled off silently (we want each as an object of its own), and rare readers that
 * start programs or that nobody asked for come along. Here exactly one reader is named. */
#ifndef VITRINE_PARSE_ARCHIVE_KIND_H
#define VITRINE_PARSE_ARCHIVE_KIND_H

#include "base/rd.h"

#include <stdbool.h>

struct archive;

struct archive_kind {
	const char *name;
	bool (*is)(const struct rd *in);
	/* An archive: turns its reader on. NULL for a stream. */
	int (*enable)(struct archive *a);
	/* A single compressed stream: ARCHIVE_FILTER_…; its content is the one child. */
	int filter;
	/* The magic is no proof: bytes that libarchive then does not recognise are no archive. Of a
	 * strong kind they are a damaged one. */
	bool weak;
};

/* The kind of these bytes (from the start of the object, all of it), or NULL. */
const struct archive_kind *archive_kind_of(const struct rd *in);

/* The file name stored in a gzip header into ret (NUL-terminated, cut to cap), or "" if none. */
void archive_gzip_name(const struct rd *in, char *ret, size_t cap);

#endif
