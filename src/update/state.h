/* What a client has of a set, on its disk: releases, which one is current, what is held, approved
 * or failed. doc/format/updates.md has the names and the text of the state file. The activator's;
 * no hostile byte is read here.
 *
 * Invariants
 * 1. "current" leads to a whole release at any time, also after a power cut at any call, and after
 *    a full disk: the new one or the old one.
 * 2. A release appears under "releases/" whole and durable, or not at all.
 * 3. Nothing is removed that is current, newer than what is current (it waits, or that it was held
 *    or failed must not be forgotten), or one of the last `keep` that were current. But where there
 *    are UPDATE_RELEASES_MAX, the newest one that waits makes room for one that is newer still.
 * 4. One writer, by lock.
 * 5. What is on the disk without a record waits until it is approved: no damage activates. */
#ifndef VITRINE_UPDATE_STATE_H
#define VITRINE_UPDATE_STATE_H

#include "log/io.h"
#include "update/chain.h"

#define UPDATE_ID_MAX 40 /* "version-16 hex digits" and NUL */

enum update_release_flag {
	UPDATE_APPROVED = 1, /* by the customer: need not wait */
	UPDATE_HELD = 2,     /* by the customer: waits until approved */
	UPDATE_FAILED = 4,   /* in the health check, or its workers failed: never by itself */
	UPDATE_WAS_CURRENT = 8,
};

struct update_release {
	char id[UPDATE_ID_MAX];
	uint64_t version;
	uint8_t vdb_sha256[32];
	int64_t seen;      /* when it had passed the chain, our clock */
	int64_t activated; /* last; 0: never. No two are equal, later is larger, whatever the clock */
	uint32_t flags;    /* enum update_release_flag */
};

#define UPDATE_RELEASES_MAX 64

struct update_state {
	int64_t seen;   /* latest time seen */
	bool hold_all;  /* `vitrine update --hold`: nothing is activated until --approve or --resume */
	struct update_release v[UPDATE_RELEASES_MAX]; /* by version, ascending */
	size_t n;
	int current;    /* index; -1: none */
};

/* A state file: a record for each release takes some 200 bytes. */
#define UPDATE_STATE_MAX ((size_t)32 << 10)

/* The text of the state file, read and written without I/O; `current` is no part of it.
 * ST_MALFORMED, ST_LIMIT, ST_BAD_SUM. What is read, written again, is the same bytes. */
st_t update_state_parse(struct rd in, struct update_state *ret, struct err *e);
st_t update_state_format(const struct update_state *s, struct buf *out, struct err *e);

/* "version-16 hex digits". */
void update_release_id(uint64_t version, const uint8_t vdb_sha256[32], char ret[UPDATE_ID_MAX]);

struct update_place; /* the folder of a set, open and, for a writer, locked */

/* dir_fd: folder of the set (made by the caller; stays the caller's). ST_CONFLICT: another writer.
 * A writer removes what an interrupted one left, and makes the folders that are missing. Who only
 * reads changes nothing. The place is to be freed before dir_fd is closed. */
st_t update_place_open(const struct log_io *io, int dir_fd, bool writer, struct update_place **ret,
                       struct err *e);
void update_place_free(struct update_place *p);

/* ST_MALFORMED, ST_BAD_SUM: the state file is damaged; it says what to do. Where it is missing,
 * releases on the disk are taken up as held (this reads them whole), all but the current one. What
 * is listed and not there is left out. */
st_t update_state_read(struct update_place *p, struct update_state *ret, struct err *e);
st_t update_state_write(struct update_place *p, const struct update_state *s, struct err *e);

/* Moves verified files (by name in the spool; source "": none) and evidence into releases/ID/, and
 * writes the state. One that is there already is not touched: what it has waited counts.
 * ST_CONFLICT: another of the same version is there, or a file has not the size that was verified.
 * `s` is as it was unless ST_OK. */
struct update_files {
	const char *vdb, *source; /* names in spool/ */
	struct rd evidence, summary;
};
st_t update_release_add(struct update_place *p, struct update_state *s,
                        const struct chain_release *r, const struct update_files *f, int64_t now,
                        size_t *ret_index, struct err *e);

/* Which release is to be active now: the newest that is good and, by policy and wishes, need not
 * wait. -1: none but what is current. Older ones than the current are never due. Each waits from
 * when it was seen itself, so one that is due is not kept by a newer one that waits. ret_until:
 * when the next one that waits will be due (0: none, or never by itself). */
int update_state_due(const struct update_state *s, const struct update_policy *p, int64_t now,
                     int64_t *ret_until);

/* The switch: one rename. Then what is over `keep` is removed. If the current one is newer it is
 * held first, so that the next update does not activate it again. If this fails the switch may have
 * taken place: `s` says what "current" leads to as far as is known, update_state_read() for sure,
 * which also repairs what was not written down. ST_NOT_FOUND: the release's files are gone. */
st_t update_activate(struct update_place *p, struct update_state *s, size_t index, int64_t now,
                     uint32_t keep, struct err *e);

/* The release to go back to: the last one that was current before this one and neither failed nor
 * is held, as those are that were gone back from. -1. */
int update_state_previous(const struct update_state *s);

/* Descriptor of a file of a release ("main.vdb"), read-only. */
st_t update_release_open(struct update_place *p, const char *id, const char *name, int *ret_fd,
                         struct err *e);

/* Evidence of a refusal, "refused/TIME-NAME.tar" and ".txt" (what it says). NAME is what was
 * refused: an earlier one of the same name goes, and of all the last UPDATE_REFUSED_MAX stay.
 * Letters, digits and "-" up to UPDATE_REFUSED_NAME_MAX; else ST_MALFORMED. */
#define UPDATE_REFUSED_MAX 10
#define UPDATE_REFUSED_NAME_MAX 64
st_t update_refused_keep(struct update_place *p, int64_t now, const char *name, struct rd evidence,
                         struct rd reason, struct err *e);

/* The store of trusted metadata (crash-safe), for the verifier: dir_fd is "tuf/" itself and stays
 * the caller's. Names are those of files ("root.json", "checkpoint"), and "roots/N.root.json", for
 * which the folder is made. ST_MALFORMED: a name that leads elsewhere. One at a time, under the
 * lock of the place. */
struct update_store;
st_t update_store_open(const struct log_io *io, int dir_fd, struct update_store **ret,
                       struct tuf_store *ret_store, struct err *e);
void update_store_free(struct update_store *s);

#endif
