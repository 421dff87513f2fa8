/* The steps of a release behind its signatures: into the log, proofs, evidence. */
#ifndef VITRINE_CLI_PUBLISH_FINISH_H
#define VITRINE_CLI_PUBLISH_FINISH_H

#include "cli/publish_common.h"
#include "publish/release.h"

/* A published or staged file of a set, by its name below the set's folder. */
st_t publish_set_sha256(struct publish_cmd *c, const char *set, const char *name, uint8_t ret[32],
                        struct err *e);

/* The bytes of a published one of at most `max`, appended. ST_NOT_FOUND. */
st_t publish_set_read(struct publish_cmd *c, const char *set, const char *name, size_t max,
                      struct buf *ret, struct err *e);

/* The release's statement into the log; its proof is staged as evidence. */
st_t publish_release_prove(struct publish_cmd *c, const char *set, struct rd envelope,
                           uint64_t *ret_index, struct err *e);

/* publish_evidence.c: proofs of published releases and of their verdicts made anew. */
struct publish_renewed {
	size_t verdicts;
	uint64_t index; /* of the release */
};

/* Of `n` sets, with verdicts out of files added to the first one, by a new checkpoint of the log;
 * then with the online keys a snapshot and a timestamp. What is staged stays staged. No key may be
 * loaded yet. ret: one for each. */
st_t publish_evidence_renew(struct publish_cmd *c, const char *const *set, size_t n,
                            const struct str_list *rebuilds, struct publish_renewed *ret,
                            struct err *e);

#endif
