/* The step from a publisher's repository to the log: statements become entries, and offline proofs
 * come back.
 *
 * A log is written from a jail that is closed for good (cli/log_session.h), so it happens in a
 * child, which hands the proofs over by a pipe. The child reads what others wrote (verdicts of
 * rebuilders, answers of witnesses) and holds no key but the log's: the caller has given back the
 * others before. */
#ifndef VITRINE_CLI_PUBLISH_LOG_H
#define VITRINE_CLI_PUBLISH_LOG_H

#include "cli/key_pass.h"
#include "base/buf.h"
#include "base/rd.h"

/* A release and its verdicts. */
#define PUBLISH_LOG_ENTRIES_MAX 33

/* Sets of one repository whose proofs are made at a time: memory is kept for all. */
#define PUBLISH_LOG_SETS_MAX 64

struct publish_log_opts {
	const char *dir, *private_dir; /* NULL: beside it */
	const char *key;               /* NULL: where `log init` found it */
	const struct key_pass_opts *pass;
	const char *ca_file;           /* for witnesses by https; NULL: the system's */
	bool quiet;
};

/* Of one set. */
struct publish_log_request {
	struct rd entry[PUBLISH_LOG_ENTRIES_MAX]; /* the release first, then verdicts */
	size_t n;
};

struct publish_log_answer {
	struct {
		uint64_t index;
		struct buf proof;
	} v[PUBLISH_LOG_ENTRIES_MAX];
};

/* Adds what is not in the log yet; the checkpoint is a new one, or has new cosignatures. All proofs
 * lead to it. `rq` and `ret`: one for each set. ST_CONFLICT: a verdict is none, or about another
 * main.vdb; nothing was added. Statuses of log/writer.h: everything may be in the log but is not
 * published; do it again. */
st_t publish_log_add(const struct publish_log_opts *o, const struct publish_log_request *rq,
                     size_t nsets, struct publish_log_answer *ret, struct err *e);
void publish_log_answer_done(struct publish_log_answer *a);

#endif
