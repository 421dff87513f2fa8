/* Writing a bundle (doc/format/updates.md): files of a repository in one archive. Reading one is
 * update_source_open_bundle(). Small files are kept in memory and sorted at the end; the large ones
 * are copied from descriptors. Same files, same bytes. */
#ifndef VITRINE_UPDATE_BUNDLE_H
#define VITRINE_UPDATE_BUNDLE_H

#include "base/rd.h"
#include "base/st.h"

/* Its first member, and what that says. */
#define UPDATE_BUNDLE_FIRST "vitrine-bundle"
#define UPDATE_BUNDLE_LINE "vitrine-bundle v1\n"

struct update_bundle;

st_t update_bundle_new(struct update_bundle **ret, struct err *e);
void update_bundle_free(struct update_bundle *b);

/* Replaces a file of that path. The bytes are copied. */
st_t update_bundle_add(struct update_bundle *b, const char *path, struct rd bytes, struct err *e);

/* The descriptor is the caller's and must stay until update_bundle_write(). */
st_t update_bundle_add_file(struct update_bundle *b, const char *path, int fd, uint64_t size,
                            struct err *e);

st_t update_bundle_write(const struct update_bundle *b, int out_fd, struct err *e);

#endif
