/* What the files of the chain share: one check of one set, from its clock to its files. */
#ifndef VITRINE_UPDATE_CHAIN_INSIDE_H
#define VITRINE_UPDATE_CHAIN_INSIDE_H

#include "attest/dsse.h"
#include "tlog/proof.h"
#include "update/chain.h"

/* Of main.vdb, source.tar and what they travel as. Offsets in a .vdb and sizes in a tar go as
 * far. */
#define CHAIN_FILE_MAX ((uint64_t)8 << 30)

/* Longest name in the store: "roots/NUMBER.root.json", or a role's file. */
#define CHAIN_NAME_MAX 256

/* A small file of the set: where TUF says that it is. */
struct chain_small {
	bool listed;
	struct tuf_target target;
};

/* Trees that were proven to be the beginning of the accepted one: those of the release's proof and
 * of each verdict's, and the one that was accepted before. */
#define CHAIN_JOINED_MAX (CHAIN_REBUILDS_MAX + 2)

struct chain_joined {
	uint64_t size;
	struct tlog_hash root;
	bool used; /* by a proof of this check */
};

/* The newest tree of a log that is known: accepted before, or proven to extend that now. */
struct chain_view {
	bool loaded;  /* from the store */
	bool newer;   /* than what the store has */
	uint64_t size; /* 0: none */
	struct tlog_hash root;
	struct buf note;
	struct chain_joined joined[CHAIN_JOINED_MAX];
	size_t njoined;
	bool more_joined; /* than the store has */
	uint64_t least, most; /* of the trees that proofs of this check lead to; 0: none */
	struct tlog_hash most_root;
};

/* A proof that was checked. `note` and `c` point into the proof's bytes. */
struct chain_proof {
	struct checkpoint c;
	struct rd note;
	size_t log; /* of the policy */
	uint64_t index;
	struct tlog_hash leaf;
	struct policy_verdict verdict;
};

struct chain {
	const struct chain_request *rq;
	struct chain_release r;

	/* Metadata. The store is the caller's with what is done on the way (chain_tuf.c). */
	struct tuf_fetch fetch;
	struct tuf_store store;
	struct tuf_client tuf;
	uint64_t pinned;   /* version of the policy's root */
	uint64_t stored;   /* version of the root that the store had; 0: none */
	struct buf kept;   /* names of metadata that were given to keep(), each with its NUL */

	/* Targets of the set. */
	struct tuf_target vdb, source;
	struct chain_small release, proof;
	struct chain_small rebuild[CHAIN_REBUILDS_MAX], rebuild_proof[CHAIN_REBUILDS_MAX];
	size_t nrebuilds;

	struct buf envelope, proof_bytes;
	char no_proof[160];       /* why it is not listed */
	struct chain_proof entry; /* of the release statement */
	struct chain_view view[POLICY_ITEMS_MAX]; /* by the first log of that origin */

	/* Of the link that is being checked. */
	enum chain_outcome outcome;
	char said[512];
	char came_path[UPDATE_PATH_MAX]; /* the small file that came last from the source, */
	struct buf came;                 /* kept if the link refuses */
	const char *advice; /* what to do where it is refused; NULL: the link's usual one */
};

/* Says what a link found; a second call adds a sentence. */
void chain_say(struct chain *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The policy asks for none of this link: says so. */
void chain_not_asked(struct chain *c, const char *why);

/* Sets the advice and hands the status on: return chain_advise(c, "...", fail(...)). */
st_t chain_advise(struct chain *c, const char *advice, st_t st);

/* "2026-11-24T03:00:00Z"; "4 h", "3 days", "25 min", "40 s". */
#define CHAIN_TIME_MAX 32
void chain_time(int64_t t, char ret[CHAIN_TIME_MAX]);
void chain_span(int64_t seconds, char ret[CHAIN_TIME_MAX]);

/* Names of parties for which the flag is set: "r1, r2", at most what fits; "nobody". */
void chain_names(const struct attest_parties *p, const bool *set, char *ret, size_t cap);

/* Links, in their order. */
st_t chain_check_clock(struct chain *c, struct err *e);
st_t chain_check_root(struct chain *c, struct err *e);
st_t chain_check_timestamp(struct chain *c, struct err *e);
st_t chain_check_snapshot(struct chain *c, struct err *e);
st_t chain_check_targets(struct chain *c, struct err *e);
st_t chain_check_statement(struct chain *c, struct err *e);
st_t chain_check_log(struct chain *c, struct err *e);
st_t chain_check_witnesses(struct chain *c, struct err *e);
st_t chain_check_freshness(struct chain *c, struct err *e);
st_t chain_check_history(struct chain *c, struct err *e);
st_t chain_check_rebuilders(struct chain *c, struct err *e);
st_t chain_check_files(struct chain *c, struct err *e);

/* Looks up SET/NAME. ST_NOT_FOUND is not an error here: ret->listed is false, and ret_why (or NULL)
 * says why. */
st_t chain_find(struct chain *c, const char *name, struct chain_small *ret, struct err *ret_why,
                struct err *e);

/* The bytes of a small file, from the store if it has just these, else from the source; measured,
 * hashed and kept. Appended to ret. */
st_t chain_get_small(struct chain *c, const struct chain_small *s, const char *name, size_t max,
                     struct buf *ret, struct err *e);

/* A small file from the source, appended to ret; remembered until the next one. */
st_t chain_get(struct chain *c, const char *path, size_t max, struct buf *ret, struct err *e);

/* keep() of the request, if any. */
st_t chain_keep(struct chain *c, const char *path, struct rd bytes, struct err *e);

/* Envelope of those parties: parsed, signatures tried; who signed. The payload is in *ret, which is
 * freed with dsse_done() whatever the status. */
st_t chain_open_envelope(const struct attest_parties *p, struct rd in, struct dsse *ret,
                         bool *ret_signed, size_t *ret_n, struct err *e);

/* Proves an entry by the log's own signature and inclusion; then, as a link of its own, by the
 * quorum. */
st_t chain_prove_entry(struct chain *c, struct rd entry, struct rd proof, struct chain_proof *ret,
                       struct err *e);
st_t chain_prove_quorum(struct chain *c, struct chain_proof *p, struct err *e);

/* That the tree of a proof is one with what is known of that log; it becomes what is known if it is
 * larger. Says how, if `say`. ST_CONFLICT: two trees. */
st_t chain_join_view(struct chain *c, const struct chain_proof *p, bool say, struct err *e);

/* The tiles of these trees, checked, into keep(). */
st_t chain_keep_trees(struct chain *c, struct err *e);

/* When all links hold: what the store is to remember of logs and releases. */
st_t chain_store_views(struct chain *c, struct err *e);
st_t chain_store_release(struct chain *c, struct err *e);

#endif
