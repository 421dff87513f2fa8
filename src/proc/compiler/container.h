/* Signature containers in the compiler: each is opened and proven, its members become sources. */
#ifndef VITRINE_PROC_COMPILER_CONTAINER_H
#define VITRINE_PROC_COMPILER_CONTAINER_H

#include "cvd/cvd.h"
#include "sig/compile.h"

/* Sources as they came, and those that containers and bundles add. All memory lasts until the
 * process ends. */
struct sources {
	struct sig_source *v;
	const char **bundled; /* of each: the part of its name by which a source bundle has it */
	size_t n, cap;
	struct cms_roots *roots; /* NULL: none were given, .sign files are not looked at */
	int64_t now;             /* seconds since 1970 */
};

/* bundled: its name in a source bundle, part of src->name; NULL: the last part. */
st_t sources_add(struct sources *s, const struct sig_source *src, const char *bundled,
                 struct err *e);

/* True of files that are understood and say nothing to the engine: certificate catalogues and
 * descriptions of containers. Folders are read without them, and so are bundles. */
bool source_says_nothing(const char *name);

/* Adds the certificates of a PEM file. */
st_t sources_add_roots(struct sources *s, const char *name, const void *p, size_t n, struct err *e);

/* Opens every container among the sources. Sources of role PROOF behind one are its .sign files. A
 * container that is not proven refuses the set: "NAME: reason". */
st_t containers_open(struct sources *s, struct ir_set *set, struct err *e);

#endif
