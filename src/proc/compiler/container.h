/* Signature containers in the compiler: each is opened and proven, its members become sources. */
#ifndef VITRINE_PROC_COMPILER_CONTAINER_H
#define VITRINE_PROC_COMPILER_CONTAINER_H

#include "cvd/cvd.h"
#include "sig/compile.h"

/* Sources as they came, and those that containers add. All memory lasts until the process ends. */
struct sources {
	struct sig_source *v;
	size_t n, cap;
	struct cms_roots *roots; /* NULL: none were given, .sign files are not looked at */
	int64_t now;             /* seconds since 1970 */
};

st_t sources_add(struct sources *s, const struct sig_source *src, struct err *e);

/* Adds the certificates of a PEM file. */
st_t sources_add_roots(struct sources *s, const char *name, const void *p, size_t n, struct err *e);

/* Opens every container among the sources. Sources of role PROOF behind one are its .sign files. A
 * container that is not proven refuses the set: "NAME: reason". */
st_t containers_open(struct sources *s, struct ir_set *set, struct err *e);

#endif
