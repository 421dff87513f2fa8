/* Offline proofs of what was added (C2SP tlog-proof): FILE.tlog-proof in a folder. */
#ifndef VITRINE_CLI_LOG_PROOFS_H
#define VITRINE_CLI_LOG_PROOFS_H

#include "cli/log_input.h"

/* Before anything is added: every proof has a name of its own. ST_CONFLICT. */
st_t log_proofs_check(const struct log_input *in, struct err *e);

/* Writes a proof of each entry, from the published checkpoint. A file that is there is replaced. */
st_t log_proofs_write(struct log_writer *w, const struct log_input *in, const uint64_t *index,
                      int dir, struct err *e);

#endif
