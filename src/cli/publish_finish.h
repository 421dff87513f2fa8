/* What `publish release`, `import`, `evidence` and `timestamp` have in common: the repository that
 * is worked on, and the last steps of a release, from complete signatures to being published. */
#ifndef VITRINE_CLI_PUBLISH_FINISH_H
#define VITRINE_CLI_PUBLISH_FINISH_H

#include "cli/log_place.h"
#include "cli/publish_keys.h"
#include "cli/publish_log.h"
#include "publish/release.h"

struct publish_work {
	const char *dir, *private_dir; /* as named */
	const char *set;
	const char *time; /* RFC 3339; NULL: now */
	struct publish_log_opts log;
	const struct str_list *online; /* files of keys; empty: those that `publish init` was given */
	const struct key_pass_opts *pass;
	/* Own. */
	struct log_place place;
	struct publish_repo *repo;
	int64_t now;
	struct buf online_text;
	struct str_list online_known;
};

/* Opens the repository and looks at the online keys, without a passphrase. */
st_t publish_work_open(struct publish_work *w, struct err *e);
void publish_work_done(struct publish_work *w);

/* A published or staged file of the set, by its name below the set's folder. */
st_t publish_work_sha256(struct publish_work *w, const char *name, uint8_t ret[32],
                         struct err *e);

/* The bytes of a published one of at most `max`, appended. ST_NOT_FOUND. */
st_t publish_work_read(struct publish_work *w, const char *name, size_t max, struct buf *ret,
                       struct err *e);

/* Entries into the log, proofs staged as evidence, signed by the online keys. The first entry is
 * the release, the others are verdicts about it. */
st_t publish_work_prove(struct publish_work *w, const struct rd *entry, size_t n,
                        uint64_t *ret_index, struct err *e);

/* publish_evidence.c: the proofs of the published release of the set and of its verdicts made anew
 * and staged, and verdicts out of files added. */
st_t publish_evidence_renew(struct publish_work *w, const struct str_list *rebuilds,
                            size_t *ret_verdicts, uint64_t *ret_index, struct err *e);

/* Signs what is left with the online keys and publishes. */
st_t publish_work_commit(struct publish_work *w, struct err *e);

#endif
