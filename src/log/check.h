/* Checking a whole log: every entry against its leaf hash, every tile against the tile below, the
 * root against the checkpoint's. Runs in the process that asks for it, which should be jailed: all
 * that it reads is hostile. */
#ifndef VITRINE_LOG_CHECK_H
#define VITRINE_LOG_CHECK_H

#include "log/source.h"
#include "tlog/policy.h"

#define LOG_CHECK_JOBS_MAX 64

struct log_check_opts {
	unsigned jobs; /* threads that hash, 1 to LOG_CHECK_JOBS_MAX; another one fetches */
	/* May be NULL. Called in the thread of the caller, after every bundle. */
	void (*progress)(void *ctx, uint64_t done, uint64_t size);
	void *ctx;
};

struct log_check_counts {
	uint64_t entries, bundles, tiles, bytes;
};

/* Checks the tree of `size` leaves and that root. ST_OK: everything is there and agrees. Else what
 * is wrong with the first file, in the order of the entries, that is not as it should be:
 * ST_NOT_FOUND missing, ST_LIMIT too long, ST_MALFORMED, ST_BAD_SUM contradicts the level below,
 * ST_BAD_PROOF another root, ST_TIMEOUT the source stalls, below 0 it could not be read; see
 * log_check_could_not(). After a failure the source is good for nothing but log_source_free(). */
st_t log_check_tree(struct log_source *s, uint64_t size, const struct tlog_hash *root,
                    const struct log_check_opts *o, struct log_check_counts *ret, struct err *e);

/* What is known of a log after log_check(), as far as it came. Points into `note_bytes`. */
struct log_check_report {
	struct buf note_bytes; /* the checkpoint as it was read; log_check_report_done() */
	struct note note;
	struct checkpoint checkpoint; /* size and root are only worth what the status says */
	struct policy_verdict verdict;
	struct log_check_counts counts;
};
void log_check_report_done(struct log_check_report *r);

/* Reads the checkpoint, judges it by the policy (NULL: no signature is looked at) and checks the
 * tree. Statuses of policy_check() and log_check_tree(). */
st_t log_check(struct log_source *s, const struct policy *p, const struct log_check_opts *o,
               struct log_check_report *ret, struct err *e);

/* Whether this status says nothing about the log, only that it could not be checked. */
bool log_check_could_not(st_t st);

#endif
