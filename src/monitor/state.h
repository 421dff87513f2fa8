/* What a monitor remembers from one step to the next. It is one file, written whole: the jailed
 * watcher reads and writes its bytes, the parent only stores them (monitor/store.h).
 *
 *   OFFSET SIZE MEANING
 *   0      8    "VTRMON1\n"
 *   8      ...  u32 number and that many of each: logs, views, subjects, open alerts; the fields in
 *               the order of state.c, little-endian; a text is its length (u32) and its bytes
 *   end-32 32   SHA-256 of all before it
 *
 * The file is hostile like all others: another program may have written to the folder. A state that
 * cannot be read is an error, never an empty one: forgetting is what a rollback needs. */
#ifndef VITRINE_MONITOR_STATE_H
#define VITRINE_MONITOR_STATE_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/merkle.h"

#include <stdbool.h>

/* Bytes of all of it: a million subjects. */
#define MONITOR_STATE_MAX ((size_t)512 << 20)
#define MONITOR_SUBJECTS_MAX 1000000u
#define MONITOR_OPEN_MAX 100000u
#define MONITOR_VIEWS_MAX 4096u /* 64 logs, 64 witnesses */
#define MONITOR_REBUILDERS_MAX 32
#define MONITOR_ABOUT_MAX 1024

/* A log by the SHA-256 of its vkey. */
struct monitor_log {
	uint8_t id[32];
	bool known;        /* a checkpoint was verified: the three below */
	struct buf note;   /* the last one */
	uint64_t size;
	struct tlog_hash root;
	struct tlog_frontier entries; /* those that were looked at */
	uint64_t down_since;          /* its checkpoint; 0: it answers */
	uint64_t tiles_since;         /* the same of its tiles and bundles */
};

/* What a witness says of a log. */
struct monitor_view {
	uint8_t log[32], witness[32];
	uint64_t time; /* of its newest cosignature that the log showed */
	/* What it showed itself. The log may be behind, so the two are not compared by time. */
	uint64_t own_time, own_size;
	uint64_t down_since;
	struct buf ahead; /* cosigned by it, larger than what the log showed: to be compared */
	uint64_t ahead_since;
};

struct monitor_subject {
	uint8_t sha256[32];
	uint8_t log[32];
	char *name;
	bool released, present;
	uint64_t index, first_seen; /* of the release */
	uint64_t rebuilder[MONITOR_REBUILDERS_MAX]; /* ids of their keys */
	uint32_t nrebuilders;
};

/* An alert that was raised and neither cleared nor acknowledged. */
struct monitor_open {
	uint32_t kind;
	uint64_t since;
	char *about; /* what tells it from others of its kind */
};

struct monitor_state {
	struct monitor_log *logs;
	struct monitor_view *views;
	struct monitor_subject *subjects;
	struct monitor_open *open;
	uint32_t nlogs, nviews, nsubjects, nopen;
	uint32_t caplogs, capviews, capsubjects, capopen;
	uint32_t *index; /* of subjects, by digest: a hash table of capindex places, 0 is empty */
	uint32_t capindex;
};

/* Found, or added empty. NULL: out of memory, or a limit. Pointers hold until the next of the kind
 * is added. */
struct monitor_log *monitor_state_log(struct monitor_state *s, const uint8_t id[32]);
struct monitor_view *monitor_state_view(struct monitor_state *s, const uint8_t log[32],
                                        const uint8_t witness[32]);
struct monitor_subject *monitor_state_subject(struct monitor_state *s, const uint8_t sha256[32]);
struct monitor_open *monitor_state_open(struct monitor_state *s, uint32_t kind, const char *about,
                                        uint64_t since);
struct monitor_open *monitor_state_find_open(struct monitor_state *s, uint32_t kind,
                                             const char *about);
void monitor_state_close(struct monitor_state *s, struct monitor_open *o);

/* Reads all of `in`; nothing at all is the empty state. ST_MALFORMED, ST_TRUNCATED, ST_BAD_SUM,
 * ST_LIMIT, ST_NOMEM. Free with monitor_state_done() whatever the status. */
st_t monitor_state_read(struct rd in, struct monitor_state *ret, struct err *e);
st_t monitor_state_write(const struct monitor_state *s, struct buf *out, struct err *e);
void monitor_state_done(struct monitor_state *s);

#endif
