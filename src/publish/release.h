/* A release of a set of signatures: its statement, and which targets it consists of
 * (doc/format/updates.md). No process: who compiles and who extends the log is the caller's. */
#ifndef VITRINE_PUBLISH_RELEASE_H
#define VITRINE_PUBLISH_RELEASE_H

#include "attest/statement.h"
#include "publish/repo.h"

struct publish_release {
	const char *set;
	uint64_t version;
	bool pua, strict, clamav; /* how it was compiled */
	uint32_t database;        /* version of the format of .vdb */
	const char *builder;      /* URI */
	const char *vitrine;      /* version of this program */
	int64_t now;
	int vdb_fd, source_fd;    /* whole files */
	/* What was imported: names, digests and origins of containers, for resolvedDependencies. */
	const struct statement_dependency *imported;
	size_t nimported;
};

/* Appends the unsigned statement. */
st_t publish_release_statement(const struct publish_release *r, struct buf *out, struct err *e);

/* Stages main.vdb, source.tar, their compressed forms, deltas from what is published now (and from
 * the `deltas` releases before it, as far as their files are still there), and release.dsse. */
st_t publish_release_stage(struct publish_repo *repo, const struct publish_release *r,
                           struct rd envelope, unsigned deltas, struct err *e);

/* Stages the evidence of a set: proof of the release, and pairs of verdicts and proofs. */
struct publish_rebuild {
	struct rd envelope, proof;
};
st_t publish_evidence_stage(struct publish_repo *repo, const char *set, struct rd release_proof,
                            const struct publish_rebuild *v, size_t n, struct err *e);

#endif
