/* What a monitor is told: one text file. Its lines are those of C2SP tlog-policy, which works as it
 * is, and directives of our own, in any order among them:
 *
 *   publisher NAME KEY       who may sign releases; KEY: a vkey, a file NAME.pem, or spki:BASE64
 *   rebuilder NAME KEY       who may sign verdicts
 *   monitoring WITNESS URL   where that witness shows what it cosigned; default: its own URL
 *                            ("none": nowhere)
 *   repository URL           where released files are; {sha256} and {name} are filled in
 *   fetch-subjects yes       fetch them whole and compare digests; default: only ask if they exist
 *   ...                      and limits: the table in config.c, man/vitrine-monitor.1
 *
 * The operator's own file, but read like a hostile one: the jailed watcher gets it too. */
#ifndef VITRINE_MONITOR_CONFIG_H
#define VITRINE_MONITOR_CONFIG_H

#include "attest/party.h"
#include "base/arena.h"
#include "net/fetch_scope.h"
#include "tlog/policy.h"

#include <stdbool.h>

#define MONITOR_CONFIG_MAX POLICY_SIZE_MAX

/* What vitrine-fetcher brings of one file at most. */
#define MONITOR_SUBJECT_MAX ((uint64_t)256 << 20)

#define MONITOR_HOOK_ARGS_MAX 32

/* All text points into the arena. Times are seconds. */
struct monitor_config {
	struct arena arena;
	struct policy *policy;
	struct attest_parties publishers, rebuilders;
	const char *monitoring[POLICY_ITEMS_MAX]; /* by witness; NULL: nowhere */
	const char *repository;                   /* NULL: none */
	bool fetch_subjects;
	uint64_t subject_max; /* bytes of a file that is fetched */
	uint64_t release_signatures, rebuilds_needed;
	uint64_t rebuilt_within, subject_within, stale_after, ahead_after, unreachable_after;
	uint64_t clock_tolerance, interval;
	const char *state;                               /* folder; NULL: not said */
	char *hook[MONITOR_HOOK_ARGS_MAX + 1]; /* argv, NULL behind; hook[0] NULL: none */
};

/* ST_MALFORMED, ST_LIMIT: "line N: ...". A key that is a file must have been expanded. Free with
 * monitor_config_done() whatever the status. */
st_t monitor_config_parse(struct rd text, struct monitor_config *ret, struct err *e);
void monitor_config_done(struct monitor_config *c);

/* What a step may ask for: GET below the logs and where witnesses show what they cosigned, and by
 * HEAD or GET what is below the folder of `repository` that nothing is filled in before. It points
 * into the configuration, which must stay. */
void monitor_config_scope(const struct monitor_config *c, struct fetch_scope *ret);

/* Appends the text with every key that is a file replaced by spki:BASE64, so that who has no files
 * can read it. `read` brings the bytes of a file by its name as written. */
st_t monitor_config_expand(struct rd text,
                           st_t (*read)(void *ctx, const char *name, struct buf *out,
                                        struct err *e),
                           void *ctx, struct buf *out, struct err *e);

#endif
