/* The rule text of a release, compiled here, against what was attested. Runs in the activator; the
 * text is read in the compiler's jail. */
#ifndef VITRINE_CLI_UPDATE_COMPILE_H
#define VITRINE_CLI_UPDATE_COMPILE_H

#include "update/chain.h"

/* Compiles the source bundle behind source_fd with the options of the release. ST_OK: the result is
 * `r->vdb`, byte by byte. ST_CONFLICT: another database came out; `e` says what that means.
 * ST_UNSUPPORTED: it was compiled for another format of databases than this program makes. Other
 * statuses > 0: the compiler refused the text. */
st_t update_compile(const struct chain_release *r, int source_fd, struct err *e);

/* SHA-256 of a file, from its start, and its size. */
st_t update_hash(int fd, struct chain_file *ret, struct err *e);

#endif
