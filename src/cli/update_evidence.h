/* The evidence of an update on its way to the disk: every file that passed, as a bundle
 * (doc/format/updates.md), a summary for people's programs, and what is kept of a refusal. Runs in
 * the activator, which looks into none of it. */
#ifndef VITRINE_CLI_UPDATE_EVIDENCE_H
#define VITRINE_CLI_UPDATE_EVIDENCE_H

#include "update/bundle.h"
#include "update/state.h"

/* A small file is no larger; the sum bounds what a verifier can make its parent keep. */
#define EVIDENCE_SUM_MAX ((uint64_t)64 << 20)

struct update_evidence {
	struct update_bundle *bundle;
	uint64_t sum;
};

st_t evidence_init(struct update_evidence *v, struct err *e);
void evidence_done(struct update_evidence *v);

/* struct verify_out's keep(), ctx: the evidence. */
st_t evidence_keep(void *ctx, const char *path, struct rd bytes, struct err *e);

/* The bundle's bytes, appended. */
st_t evidence_write(const struct update_evidence *v, struct buf *ret, struct err *e);

/* One JSON object: what passed, and who vouched for it. */
st_t evidence_summary(const struct chain_release *r, const struct update_policy *p, int64_t now,
                      struct buf *ret, struct err *e);

/* Keeps the bundle and the reason under "refused/" of the state. ret_name: of the files, without
 * time and ending. */
#define EVIDENCE_NAME_MAX 64
st_t evidence_refuse(const struct update_evidence *v, struct update_place *place,
                     enum chain_link link, const char *reason, int64_t now,
                     char ret_name[EVIDENCE_NAME_MAX], struct err *e);

#endif
