/* A whole world of updates in memory: a TUF repository, a log with three witnesses, two publishers,
 * three rebuilders, a customer with policy, store and spool. Made of small numbers, so the same
 * test makes the same bytes. A test changes a knob, publishes, and asks the chain. */
#ifndef VITRINE_TEST_UPDATE_WORLD_H
#define VITRINE_TEST_UPDATE_WORLD_H

#include "tlog_make.h"
#include "update/chain.h"

#define WORLD_FILES 640
#define WORLD_LEAVES 1024
#define WORLD_NOW INT64_C(1900000000) /* 2030-03-17T17:46:40Z */

struct world_files {
	struct {
		char path[300];
		struct buf bytes;
	} file[WORLD_FILES];
	size_t n;
};

enum world_role { W_ROOT, W_TIMESTAMP, W_SNAPSHOT, W_TARGETS, W_EVIDENCE, W_ROLES };

struct world_release {
	uint64_t version;
	const char *set, *build_type, *payload_type;
	const char *subjects; /* more of them, or "" */
	const char *external, *internal; /* more members of the parameters, or "" */
	const char *predicate_type;
	const uint8_t *said_vdb, *said_source, *said_dependency; /* SHA-256, if not the true ones */
	unsigned publishers; /* bit by bit */
};

struct world_rebuild {
	struct buf envelope, proof;
};

struct world {
	/* knobs */
	struct world_release release;
	unsigned role_version[W_ROLES];
	const char *role_keys[W_ROLES], *role_signers[W_ROLES], *role_expires[W_ROLES];
	unsigned root_threshold;
	unsigned more_targets;    /* of other sets, listed only */
	unsigned witnesses;       /* who cosigns proofs, bit by bit */
	int64_t cosigned_at[3];
	bool no_proof, no_zst, source_zst;
	const struct buf *zst, *delta; /* bytes that are listed as these, not the right ones */
	const struct buf *delta_from; /* a delta from that database is listed */
	bool delta_wrong;             /* and leads elsewhere */
	const char *policy_more;  /* lines behind the policy's */
	bool overlong;            /* the source does not keep to the limit */
	bool endless;             /* the source goes on with zeroes behind the end of files */
	bool no_partial_tiles, no_tiles;
	const struct buf *tile;   /* every tile is this */
	int store_left;           /* operations of the store that still work; -1: all */
	const char *vdb_listed;   /* JSON of what is listed of main.vdb; NULL: the truth */
	const char *broken;       /* this path fails with ST_IO, after some bytes */
	uint64_t broken_after;

	/* who is who */
	struct make_key log, witness[3];
	struct signer *publisher[2], *rebuilder[3];

	/* what is published */
	struct world_files server;
	struct tlog_hash leaf[WORLD_LEAVES];
	uint64_t nleaves;
	struct buf vdb, source, envelope, proof;
	struct buf old_vdb; /* the one before */
	struct world_rebuild rebuild[8];
	size_t nrebuilds;
	uint64_t release_index;

	/* the customer */
	struct update_policy policy;
	struct world_files store;
	struct update_source source_of;
	int spool_fd;
	char spool[64];

	/* what came of the last check */
	struct world_files kept;
	unsigned nkept;   /* how often keep() was called */
	char asked[8192]; /* paths, each with a space behind */
	struct chain_event event[CHAIN_LINKS + 1];
	size_t nevents;
	struct chain_release got;
	struct err e;
	int64_t now, seen;
	const uint8_t *have;
	bool want_source, evidence_only, want_tiles, want_packed;
	int old_vdb_fd;
};

/* A release that all links accept, published, with an empty store. */
struct world *world_new(void);
void world_free(struct world *w);

/* In steps, for tests that change what lies between: the envelope, its entry in the log, proofs of
 * tree size `size`, verdicts, and the repository's files. world_publish() does them all. */
void world_make_release(struct world *w);
void world_add_entries(struct world *w, unsigned n); /* of others */
uint64_t world_log(struct world *w, const struct buf *entry);
void world_checkpoint(struct world *w, uint64_t size, struct buf *ret); /* cosigned */
void world_prove(struct world *w, uint64_t index, uint64_t size, struct buf *ret);
void world_add_rebuild(struct world *w, unsigned by, bool passed, const uint8_t vdb[32],
                       const uint8_t source[32]);
void world_add_verdict(struct world *w, const char *payload, const char *type,
                       struct signer *const *by, size_t n);
void world_prove_all(struct world *w, uint64_t size);
void world_write_root(struct world *w);
void world_write(struct world *w); /* targets, snapshot, timestamp with the next version */
void world_publish(struct world *w);

/* A new database and text, and a release of them with the next version, rebuilt by the first two.
 */
void world_next(struct world *w, const char *text);

/* Writes timestamp and snapshot as they are, without new versions. */
void world_write_snapshot(struct world *w);
void world_write_timestamp(struct world *w);

/* The policy, anew from its text; it pins that version of the root. */
void world_set_policy(struct world *w, const char *more);
void world_pin(struct world *w, unsigned version, const char *more);

st_t world_check(struct world *w);

/* Forgets what was published but the roots, and what the customer has but the policy. */
void world_reset(struct world *w);

struct buf *world_file(struct world_files *t, const char *path); /* NULL: none */
struct buf *world_put(struct world_files *t, const char *path);  /* emptied */
void world_remove(struct world_files *t, const char *path);
void world_clear(struct world_files *t);
void world_sha256(const struct buf *b, uint8_t ret[32]);

/* "targets/main/HEX.NAME" of a target. */
void world_target_path(const char *path, const struct buf *bytes, char ret[300]);

void world_compress(const struct buf *in, struct buf *out);
int world_fd(const struct buf *b); /* a file in memory with these bytes */

/* A file of the spool, by the digest of what it should be; false: there is none. */
bool world_spooled(struct world *w, const struct buf *whole, struct buf *ret);
void world_spool_put(struct world *w, const struct buf *whole, const void *p, size_t n);

#endif
