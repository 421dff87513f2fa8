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
 *   SET.version              the highest version that went into the log, or may have
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

/* It is about to be added to the log. From now on its version is taken, durably: whatever happens
 * next, no other statement gets it. */
st_t publish_pending_log(struct publish_repo *repo, const char *set, uint64_t version,
                         struct err *e);

/* It is in the log: what is left may be published. */
st_t publish_pending_end(struct publish_repo *repo, const char *set, struct err *e);

/* ST_CONFLICT if a release of any set is not in the log yet. */
st_t publish_pending_none(struct publish_repo *repo, struct err *e);

/* The highest version of a set that went into the log, or may have; 0: none did. */
st_t publish_last_version(struct publish_repo *repo, const char *set, uint64_t *ret,
                          struct err *e);

/* What proves a published release (doc/format/updates.md): its proof, and pairs of verdicts and
 * proofs. */
#define PUBLISH_REBUILDS_MAX 32
struct publish_rebuild {
	struct rd envelope, proof;
};
struct publish_evidence {
	const char *set;
	struct rd release_proof;
	struct publish_rebuild rebuild[PUBLISH_REBUILDS_MAX];
	size_t n;
};

/* Stages it in place of the set's evidence of before. */
st_t publish_evidence_stage(struct publish_repo *repo, const struct publish_evidence *v,
                            struct err *e);

/* Publishes it, for `n` sets and nothing else: a new file of the role evidence, snapshot and
 * timestamp, all by the online signers. What is staged stays staged; staged evidence gets these
 * sets' too, but for those of which it has other evidence already (a release that waits). */
st_t publish_commit_evidence(struct publish_repo *repo, const struct publish_evidence *v, size_t n,
                             struct signer *const *online, size_t nonline, int64_t now,
                             struct err *e);

/* When the proofs of a set were published last, as noted then; 0: not known. */
st_t publish_proved(struct publish_repo *repo, const char *set, int64_t *ret, struct err *e);
st_t publish_proved_write(struct publish_repo *repo, const char *set, int64_t now, struct err *e);

/* Calls each() for every set that has a published release. */
st_t publish_each_set(struct publish_repo *repo,
                      st_t (*each)(void *ctx, const char *set, struct err *e), void *ctx,
                      struct err *e);

/* Calls each() for the files of the set's last releases, by the paths and the SHA-256 that they
 * were published with: as many releases as `publish release` makes deltas from unless told. */
#define PUBLISH_DELTAS 7 /* a client that updates once a week gets along with one */
st_t publish_each_old(struct publish_repo *repo, const char *set,
                      st_t (*each)(void *ctx, const char *path, const char *hex, struct err *e),
                      void *ctx, struct err *e);

/* Removes what was published once and is named by no snapshot that is kept: the last `keep` ones,
 * of which the current one is the first, and those that were the current one in the last `age`
 * seconds. Roots stay, so does what is staged, and the files of publish_each_old(). A file that is
 * to be kept and is damaged or missing: nothing was removed. Can be repeated after a crash. */
struct publish_prune {
	unsigned keep; /* at least 1 */
	int64_t age, now;
	bool dry; /* only count */
};
st_t publish_prune(struct publish_repo *r, const struct publish_prune *o, size_t *ret_removed,
                   struct err *e);

#endif
