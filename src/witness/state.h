/* What a witness must never forget: the latest checkpoint that it cosigned of each log. One SQLite
 * file, held exclusively: a second witness cannot open it.
 *
 * Invariants
 * 1. A record changes only from the one that the caller saw, in one transaction (compare and swap).
 *    The size never decreases; at the same size the root never changes.
 * 2. What state_commit() returned ST_OK for survives kill and power cut: WAL with a sync at every
 *    commit (SQLite: "synchronous=EXTRA").
 * 3. After a commit that failed, or a rollback, nothing more can be written: what is on disk is no
 *    longer known, or something was signed that is not on disk. The process has to start anew.
 * 4. Nothing is committed to a file that is no longer where it was opened: the next start would not
 *    find it.
 * 5. A file that is damaged, of another program, of a later version, or of a witness of another
 *    name, is refused.
 *
 * Safe for several threads: a transaction holds a lock, so that readers see what was committed. */
#ifndef VITRINE_WITNESS_STATE_H
#define VITRINE_WITNESS_STATE_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/hash.h"

#include <stdbool.h>

struct state;

struct state_opts {
	const char *path;
	const char *witness; /* its name: a state belongs to one witness */
	bool create;         /* make a new one; fails if the file is there */
	const char *vfs;     /* of SQLite, for tests; NULL: the system's */
};

struct state_record {
	bool known; /* false: never cosigned a checkpoint of this log */
	uint64_t size;
	struct tlog_hash root;
	uint64_t time; /* of the last cosignature, seconds since 1970 */
};

/* ST_NOT_FOUND: no such file; ST_CONFLICT: there is one though it should be made, or another
 * process holds it, or it is another witness's; ST_MALFORMED: damaged, or no state of a witness;
 * ST_UNSUPPORTED: of a later version. Every record is read and checked. */
st_t state_open(const struct state_opts *o, struct state **ret, struct err *e);
void state_close(struct state *s);

/* The highest time of any record; 0: none. */
st_t state_latest_time(struct state *s, uint64_t *ret, struct err *e);
st_t state_count(struct state *s, uint64_t *ret, struct err *e);

/* A transaction: begin, any number of get and put, then commit or rollback, which always come.
 * state_begin(): ST_IO also if an earlier transaction failed. */
st_t state_begin(struct state *s, struct err *e);
st_t state_get(struct state *s, const struct tlog_hash *id, struct state_record *ret,
               struct err *e);

/* Replaces the record `was` by `now`. `note` is the checkpoint to be served, with its signatures.
 * ST_CONFLICT: the record is not `was`, or the size would shrink, or the root of a size change. */
st_t state_put(struct state *s, const struct tlog_hash *id, struct rd origin,
               const struct state_record *was, const struct state_record *now, struct rd note,
               struct err *e);
st_t state_commit(struct state *s, struct err *e);
void state_rollback(struct state *s);

/* The latest cosigned checkpoint of a log, as committed. ST_NOT_FOUND: none. */
st_t state_note(struct state *s, const struct tlog_hash *id, struct buf *ret, struct err *e);

#endif
