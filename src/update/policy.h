/* What a customer demands of an update: one text file, vitrine-policy(5). Its lines are those of
 * C2SP tlog-policy (log, witness, group, quorum), publisher and rebuilder as in vitrine-monitor(1),
 * and
 *
 *   repository URL            the first one, and mirrors; http, https, file. None: only bundles
 *   root FILE                 the pinned root.json, beside the policy if relative
 *   set NAME                  which set
 *   release-signatures N      publishers that must have signed; default 1
 *   rebuilds-needed M         rebuilders that must have built the same; default: all that are
 *                             named. Where none is, "rebuilds-needed 0" has to be said
 *   freshness TIME            how old the quorum's cosignatures may be; default 48h
 *   clock-tolerance TIME      how far ahead of our clock they may be; default 5m
 *   hold none|TIME|manual     how long a release waits; default none
 *   compile attested|local
 *   keep N                    releases kept; default 3
 *   known-good DIR, known-bad DIR   files of the customer's own for the health check, beside the
 *                             policy if relative
 *   eicar yes|no              whether a set must find the EICAR test file; default yes
 *   timeout TIME, bandwidth BYTES (a second), proxy URL, ca-file FILE
 *
 * The customer's own file, but read like a hostile one: the jailed verifier gets it too. */
#ifndef VITRINE_UPDATE_POLICY_H
#define VITRINE_UPDATE_POLICY_H

#include "attest/party.h"
#include "base/arena.h"
#include "net/fetch_scope.h"
#include "tlog/policy.h"
#include "update/names.h"
#include "update/source.h"

#include <stdbool.h>

#define UPDATE_POLICY_MAX POLICY_SIZE_MAX
#define UPDATE_PARTIES_MAX ATTEST_PARTIES_MAX

/* A root that is pinned, bytes: expanded, in base64, it must fit into a policy. */
#define UPDATE_ROOT_MAX ((size_t)128 << 10)

/* Of a small file, seconds: longer would keep a timer's run from ending. Bytes a second: slower
 * would look like a server that stalls on purpose. */
#define UPDATE_TIMEOUT_MAX UINT64_C(3600)
#define UPDATE_BANDWIDTH_MIN UINT64_C(1024)
#define UPDATE_BANDWIDTH_MAX (UINT64_C(1) << 40)

/* Releases that were current, kept: "keep". */
#define UPDATE_KEEP_MAX 32

enum update_hold { UPDATE_HOLD_NONE, UPDATE_HOLD_TIME, UPDATE_HOLD_MANUAL };
enum update_compile { UPDATE_COMPILE_ATTESTED, UPDATE_COMPILE_LOCAL };

/* All text points into the arena. Times are seconds. */
struct update_policy {
	struct arena arena;
	struct policy *logs; /* logs, witnesses, quorum */
	struct attest_parties publishers, rebuilders;
	const char *repository[UPDATE_MIRRORS_MAX];
	size_t nrepositories;
	const char *root; /* name of the file, as written; in an expanded text: NULL */
	struct rd root_bytes; /* of an expanded text: the file itself; else empty */
	char set[UPDATE_SET_MAX + 1];
	uint64_t release_signatures, rebuilds_needed;
	uint64_t freshness, clock_tolerance;
	enum update_hold hold;
	uint64_t hold_time;
	enum update_compile compile;
	uint32_t keep;
	const char *known_good, *known_bad; /* NULL: none */
	bool eicar;
	uint64_t timeout, bandwidth;
	const char *proxy, *ca_file; /* NULL: none, the system's */
};

/* ST_MALFORMED, ST_LIMIT: "line N: ..." with what is wrong and what would be right. A policy that
 * demands nothing (no log, no publisher, "quorum none" unsaid) is refused: what is not checked has
 * to be written down. Free with update_policy_done() whatever the status. */
st_t update_policy_parse(struct rd text, struct update_policy *ret, struct err *e);
void update_policy_done(struct update_policy *p);

/* Appends the text with every key and the root replaced by their bytes (spki:BASE64,
 * base64:BASE64), so that who has no files can read it. `read` brings a file by its name as
 * written. */
st_t update_policy_expand(struct rd text,
                          st_t (*read)(void *ctx, const char *name, struct buf *out,
                                       struct err *e),
                          void *ctx, struct buf *out, struct err *e);

/* Bytes of the requests of one update. A hundred have 15 kB; a client that was away for all roots
 * that there may be (TUF_ROOTS_MAX), asking sixteen mirrors, needs less than this. */
#define UPDATE_SEND_MAX ((uint64_t)4 << 20)

/* What an update may ask for: GET below the URLs of the policy's repositories and logs, without a
 * query. It points into the policy, which must stay. */
void update_policy_scope(const struct update_policy *p, struct fetch_scope *ret);

/* What it demands, in sentences for people. */
void update_policy_describe(const struct update_policy *p, struct buf *out);

#endif
