/* The client workflow of TUF 1.0.34, section 5, over two interfaces: one fetches, one keeps what is
 * trusted. Neither knows what the bytes mean; this side has neither network nor files.
 *
 * Invariants
 * 1. The time is one for everything ("Record fixed update start time").
 * 2. Bytes are measured, hashed, parsed, verified, compared and dated in this order, and given to
 *    the store only when all was well, as they came.
 * 3. What the store gives back is as hostile as what comes from the network: it is verified again,
 *    and what does not verify counts as missing. The exception is the root: without a good one
 *    nothing is asked for.
 * 4. A delegated role is verified by the keys of the role that the search comes from, each time:
 *    that another delegator's keys signed it says nothing.
 *
 * Refusals: ST_BAD_SIG (threshold), ST_CONFLICT (rollback, mix-and-match), ST_TIMEOUT (expired:
 * freeze), ST_BAD_SUM (length, hash), ST_LIMIT (endless data, too many roles), ST_MALFORMED,
 * ST_UNSUPPORTED, ST_NOT_FOUND; else what the interfaces returned. */
#ifndef VITRINE_TUF_CLIENT_H
#define VITRINE_TUF_CLIENT_H

#include "base/buf.h"
#include "tuf/metadata.h"

/* "up to some W number of bytes (because the size is unknown)", where no length is announced, and
 * in any case: a root with some hundred keys, a timestamp with some signatures, a snapshot of some
 * 10,000 roles, targets of some 20,000 files. */
#define TUF_ROOT_MAX ((size_t)512 << 10)
#define TUF_TIMESTAMP_MAX ((size_t)16 << 10)
#define TUF_SNAPSHOT_MAX ((size_t)2 << 20)
#define TUF_TARGETS_MAX ((size_t)5 << 20)

/* "we have downloaded more than Y number of root metadata files [...] Y may be 2^10". */
#define TUF_ROOTS_MAX 1024

/* "an application-specific maximum number of roles have been visited", for one target. */
#define TUF_ROLES_MAX 32

/* Trees of all the files that are looked at at a time, bytes. A tree takes some 3 times its file,
 * a hostile one 30 times. So metadata of some 3 MB, which is some 12,000 targets: a repository of
 * signatures has a few hundred, and who verifies it is to need 16 MB in all. */
#define TUF_MEMORY_MAX ((size_t)10 << 20)

/* Asks for a file below the base URL of the metadata; the path is percent-encoded. Appends it to
 * `ret`. ST_NOT_FOUND: the server has no such file. ST_LIMIT: it is longer than `max`. */
struct tuf_fetch {
	st_t (*get)(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e);
	void *ctx;
};

/* Trusted metadata by names without versions ("root.json"; of delegated roles percent-encoded, so
 * that they are names of files). get as above, ST_NOT_FOUND if there is none; put replaces, whole
 * or not at all, and survives a power cut; remove is ST_OK also if there was none. */
struct tuf_store {
	st_t (*get)(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e);
	st_t (*put)(void *ctx, const char *name, struct rd bytes, struct err *e);
	st_t (*remove)(void *ctx, const char *name, struct err *e);
	/* May be NULL. Told of every file that came to be trusted, in order, whether it came from the
	 * store or the server (a delegated role's once a search): by its name in a repository with
	 * consistent snapshots ("3.root.json", "timestamp.json", "7.snapshot.json"). For who keeps
	 * evidence. Another status than ST_OK ends it all. */
	st_t (*accepted)(void *ctx, const char *name, struct rd bytes, struct err *e);
	void *ctx;
};

struct tuf_client {
	const struct tuf_fetch *fetch;
	const struct tuf_store *store;
	int64_t now; /* seconds since 1970, UTC */
	struct tuf_md root, timestamp, snapshot, targets; /* trusted, once refreshed */
};

/* A target that was found. */
struct tuf_target {
	struct tuf_file file;            /* its length and hashes are set */
	char role[TUF_ROLE_NAME_MAX + 1]; /* that lists it */
	struct buf url;                  /* below the base URL of targets, with a NUL behind */
	struct buf custom;               /* canonical JSON, or empty */
};

/* Sections 5.1 to 5.6.6: brings root, timestamp, snapshot and targets up to date. The store must
 * have "root.json". Once for a client. Free with tuf_client_done() whatever the status. */
st_t tuf_refresh(const struct tuf_fetch *fetch, const struct tuf_store *store, int64_t now,
                 struct tuf_client *ret, struct err *e);

/* The same in steps, for who wants to know which role failed: in this order, each once, and no step
 * behind one that failed. tuf_client_init() reads the trusted root and asks for nothing. */
st_t tuf_client_init(const struct tuf_fetch *fetch, const struct tuf_store *store, int64_t now,
                     struct tuf_client *ret, struct err *e);
st_t tuf_update_root(struct tuf_client *c, struct err *e);
st_t tuf_update_timestamp(struct tuf_client *c, struct err *e);
st_t tuf_update_snapshot(struct tuf_client *c, struct err *e);
st_t tuf_update_targets(struct tuf_client *c, struct err *e);
void tuf_client_done(struct tuf_client *c);

/* Section 5.6.7: looks for a target, fetching delegated roles as needed. ST_NOT_FOUND: nobody who
 * is trusted with the path lists it. ST_UNSUPPORTED: the path leads out of the base URL, or its
 * hashes are unknown ones. What is downloaded from the URL is to be checked by tuf_sum_check(), not
 * to be longer than file.length. Free with tuf_target_done() if ST_OK. */
st_t tuf_find_target(struct tuf_client *c, const char *path, struct tuf_target *ret, struct err *e);
void tuf_target_done(struct tuf_target *t);

#endif
