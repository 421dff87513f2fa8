/* From what a publisher names to the two files of a release: the source bundle, and the database
 * that is compiled from it. Both are made in the compiler's jail; here nothing is read. */
#ifndef VITRINE_CLI_PUBLISH_MAKE_H
#define VITRINE_CLI_PUBLISH_MAKE_H

#include "attest/set_release.h"
#include "cli/opts.h"
#include "proc/broker/compile.h"

struct publish_make_opts {
	const struct str_list *srcs; /* the first is not one */
	bool import; /* containers are taken, and there must be one; else none is */
	bool pua, strict, quiet;
	const char *certs_dir; /* roots for .sign files; NULL: the usual place */
	int temp_dir;          /* where temporary files go */
};

struct publish_made {
	int source_fd, vdb_fd;
	struct compile_report report; /* of the compiler */
	struct set_release_dependency *imported;
	size_t nimported;
	char (*origin)[256]; /* texts of `imported` */
};

/* ST_UNSUPPORTED: a source that is not for this; else as broker_bundle() and broker_compile(). Free
 * with publish_made_done() whatever the status. */
st_t publish_make(const struct publish_make_opts *o, struct publish_made *ret, struct err *e);
void publish_made_done(struct publish_made *m);

#endif
