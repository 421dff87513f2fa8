/* A release of a set of signatures: its statement, and which targets it consists of
 * (doc/format/updates.md). No process: who compiles and who extends the log is the caller's. */
#ifndef VITRINE_PUBLISH_RELEASE_H
#define VITRINE_PUBLISH_RELEASE_H

#include "attest/set_release.h"
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
	const struct set_release_dependency *imported;
	size_t nimported;
};

/* Appends the unsigned statement. */
st_t publish_release_statement(const struct publish_release *r, struct buf *out, struct err *e);

/* Stages main.vdb, source.tar, their compressed forms, deltas from what is published now and
 * before, `deltas` releases in all as far as their files are still there, and release.dsse. Deltas
 * from others are taken out. */
st_t publish_release_stage(struct publish_repo *repo, const struct publish_release *r,
                           struct rd envelope, unsigned deltas, struct err *e);

/* A release that is staged and not in the log yet: its signatures are gathered. Private files
 *   staged/SET.release       "vitrine-release v1", "version N", "publishers K" (it needs so many),
 *                            "staged 1" (all of its files are) or "staged 0"
 *   staged/SET.release.dsse  the envelope with the signatures so far
 *   SET.version              the highest version that went into the log
 * While there is one, publish_commit() refuses: nothing is published before it is logged. */
struct publish_pending {
	uint64_t version;
	uint64_t publishers;
	uint64_t staged;
};

st_t publish_pending_write(struct publish_repo *repo, const char *set,
                           const struct publish_pending *p, struct rd envelope, struct err *e);

/* ST_NOT_FOUND: none. ret_envelope: the caller's, empty. */
st_t publish_pending_read(struct publish_repo *repo, const char *set, struct publish_pending *ret,
                          struct buf *ret_envelope, struct err *e);

/* It is in the log: what is left may be published. */
st_t publish_pending_end(struct publish_repo *repo, const char *set, uint64_t version,
                         struct err *e);

/* ST_CONFLICT if a release of any set is not in the log yet. */
st_t publish_pending_none(struct publish_repo *repo, struct err *e);

/* The highest version of a set that went into the log; 0: none did. */
st_t publish_last_version(struct publish_repo *repo, const char *set, uint64_t *ret,
                          struct err *e);

/* Verdicts of one release (doc/format/updates.md). */
#define PUBLISH_REBUILDS_MAX 32

/* Stages the evidence of a set: proof of the release, and pairs of verdicts and proofs; those of
 * before that are more go. */
struct publish_rebuild {
	struct rd envelope, proof;
};
st_t publish_evidence_stage(struct publish_repo *repo, const char *set, struct rd release_proof,
                            const struct publish_rebuild *v, size_t n, struct err *e);

#endif
