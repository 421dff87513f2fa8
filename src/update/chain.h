/* The chain that an update must pass (doc/format/updates.md), link by link, over interfaces: a
 * source of files, a store of what is trusted, a folder for downloads. No process, no network, no
 * clock of its own. Runs in the jailed vitrine-verifier.
 *
 * Invariants
 * 1. Links are checked in the order of enum chain_link; the first that does not hold ends it, and
 *    nothing behind it was looked at. No link is skipped but where the policy asks for none of it,
 *    and that is said.
 * 2. Bytes are measured and hashed before they are parsed, statements verified before they are
 *    read.
 * 3. All times are compared with one fixed now.
 * 4. A release is accepted only with all of its evidence at hand: what passed is kept as bytes, so
 *    that anybody can check it again. */
#ifndef VITRINE_UPDATE_CHAIN_H
#define VITRINE_UPDATE_CHAIN_H

#include "tuf/client.h"
#include "update/policy.h"
#include "update/source.h"

enum chain_link {
	CHAIN_CLOCK,      /* our clock is not behind what was seen before */
	CHAIN_ROOT,       /* TUF root, from the pinned one on */
	CHAIN_TIMESTAMP,
	CHAIN_SNAPSHOT,
	CHAIN_TARGETS,    /* and delegated roles; the set is there */
	CHAIN_STATEMENT,  /* the release statement: publishers, subjects are the targets */
	CHAIN_LOG,        /* it is an entry of a known log: inclusion, the checkpoint's signature */
	CHAIN_WITNESSES,  /* the quorum cosigned that checkpoint */
	CHAIN_FRESHNESS,  /* not too long ago, and not in times to come */
	CHAIN_HISTORY,    /* the log's tree extends the one that was accepted before: one view */
	CHAIN_REBUILDERS, /* enough of them built the same digests, none another */
	CHAIN_FILES,      /* the files themselves: lengths, digests */
	CHAIN_COMPILED,   /* compiled here, too, the database is the same (compile local) */
	CHAIN_HEALTH,     /* it finds what it must, and nothing where nothing is */
	CHAIN_HOLD,       /* the customer's time to wait is over, or was cut short */
	CHAIN_ACTIVE,     /* it is what scans use now */
	CHAIN_LINKS,
};

/* "clock", "root", ...: an interface, programs match them. */
const char *chain_link_name(enum chain_link l);

enum chain_outcome { CHAIN_PASSED, CHAIN_REFUSED, CHAIN_NOT_ASKED };

struct chain_event {
	enum chain_link link;
	enum chain_outcome outcome;
	st_t why;             /* where refused: ST_BAD_SIG, ST_TIMEOUT (expired), ST_CONFLICT, ... */
	char text[512];       /* for people; may hold any bytes of others: print escaped */
};

/* A file of the release. */
struct chain_file {
	uint64_t size;
	uint8_t sha256[32];
};

#define CHAIN_REBUILDS_MAX 32

/* Full tiles of logs in a bundle: 64 MiB of them. The lowest level is cut first: 2 million of the
 * last entries have theirs. */
#define CHAIN_TILES_MAX 8192u

/* What passed, or as far as it went. */
struct chain_release {
	uint64_t version;
	struct chain_file vdb, source;
	bool pua, strict, clamav;     /* how it was compiled */
	uint32_t database;            /* version of the format of .vdb */
	uint64_t root, timestamp, snapshot, targets; /* versions of the metadata */
	int64_t timestamp_expires;
	uint64_t log_index;           /* of the entry */
	uint8_t entry[32];            /* its leaf hash */
	char origin[NOTE_NAME_MAX + 1];
	uint64_t tree_size;
	uint8_t tree_root[32];
	struct policy_verdict cosigned;         /* by witnesses of the policy */
	bool published_by[UPDATE_PARTIES_MAX];  /* by publishers of the policy */
	bool rebuilt_by[UPDATE_PARTIES_MAX];    /* by rebuilders */
	/* want_packed: "NAME.zst" in the spool, as the repository has it; size 0: it has none that is
	 * smaller. */
	struct chain_file vdb_packed, source_packed;
	uint64_t tiles_from; /* want_tiles: trees of that size on are checked with them; else 0 */
};

/* What the verifier may change. Small files go through `store` (struct tuf_store: names as in
 * "tuf/" of the state, doc/format/updates.md), the large ones into spool_fd, by the hex of their
 * SHA-256; what is there in part is gone on with. So a file of the spool is whole only once
 * chain_check() said so, and what else is there is of downloads that were not finished. */
struct chain_place {
	const struct tuf_store *store;
	int spool_fd;
	int old_vdb_fd, old_source_fd; /* what is installed, for deltas; -1: nothing */
};

struct chain_request {
	const struct update_policy *policy;
	struct update_source *source;
	struct chain_place place;
	int64_t now;       /* seconds since 1970 */
	int64_t seen;      /* the latest time that was seen before; 0: none */
	const uint8_t *have; /* SHA-256 of main.vdb that is installed or waits; NULL: none. If the set
	                      * still is that one, files are not fetched */
	bool want_source;  /* the rule text too, whatever the policy says (compile local wants it) */
	bool evidence_only; /* no files: --dry-run, vitrine verify */
	/* For bundles. The hash tiles of the trees that were accepted are kept, too: of the largest
	 * one, CHAIN_TILES_MAX full ones at most, and its partial ones as wide as any tree from the
	 * smallest one on has them. And files come compressed where that is smaller; both stay in the
	 * spool, the compressed one and what came out of it. */
	bool want_tiles, want_packed;
	/* Told as it goes; each may be NULL. */
	void (*event)(void *ctx, const struct chain_event *ev);
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t size);
	/* Every small file that passed, by its path in a repository: the evidence, and what a bundle
	 * has; all roots since the pinned one too. A path may come twice, with the same bytes. Where a
	 * log showed two trees, "conflict/checkpoint-accepted" and "conflict/checkpoint-offered" are
	 * the two notes. What a link refused just as it came is "refused/" and its path. */
	st_t (*keep)(void *ctx, const char *path, struct rd bytes, struct err *e);
	void *ctx;
};

/* ST_OK: all links up to CHAIN_FILES hold (evidence_only, or `have`: up to CHAIN_REBUILDERS, and
 * CHAIN_FILES is not asked). Whatever the status, events were told, one a link, and the last one is
 * CHAIN_REFUSED unless it is ST_OK; a refusal is also in `e`, "LINK: why". Below 0: it could not be
 * checked: no network, no memory. The store then and where it is refused has what TUF persists and
 * copies of small files, but checkpoint and "accepted" are of the last release that passed. */
st_t chain_check(const struct chain_request *rq, struct chain_release *ret, struct err *e);

#endif
