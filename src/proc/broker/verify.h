/* The chain of an update in a process of its own (vitrine-verifier), seen from the activator: it
 * opens folders and files, passes descriptors, and is told what held. The verifier has no network:
 * a fetcher, its only way out, is started for it, and may be asked for files below the policy's
 * URLs and nothing else (update_policy_scope()). It may read the repository folder or bundle, read
 * what is installed, and write below "tuf/" and "spool/" of the state; nothing else. What it says
 * is hostile input to its parent. */
#ifndef VITRINE_PROC_BROKER_VERIFY_H
#define VITRINE_PROC_BROKER_VERIFY_H

#include "proc/broker/fetcher.h"
#include "update/chain.h"

struct verify_request {
	struct rd policy;  /* expanded text */
	int64_t now, seen;
	const uint8_t *have; /* as in struct chain_request */
	bool want_source, evidence_only, want_tiles, want_packed;
	int tuf_fd, spool_fd;              /* folders (not O_PATH); evidence_only: spool_fd -1 */
	int old_vdb_fd, old_source_fd;     /* -1: nothing */
	int folder_fd, bundle_fd;          /* one of them instead of the policy's URLs; -1 */
	uint32_t mirror; /* K: of the policy's URLs only its K-th repository line, which must be one;
	                  * 0: all of them */
	struct fetcher_opts fetcher; /* its scope is not looked at: the policy's holds */
	int stop_fd; /* readable: end at once (ST_TIMEOUT); -1: none */
	const char *verifier_path; /* NULL: the installed one; another for tests */
};

struct verify_out {
	void (*event)(void *ctx, const struct chain_event *ev);
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t size);
	st_t (*keep)(void *ctx, const char *path, struct rd bytes, struct err *e);
	void *ctx;
};

/* What was moved and used, for people and for the bars. */
struct verify_cost {
	uint64_t bytes, requests;
	uint64_t cpu_us, peak_kb; /* of the verifier */
	uint64_t fetch_cpu_us;
	uint64_t sent; /* bytes of requests, by the fetcher's word; or FETCHER_SENT_UNKNOWN */
	/* Whose data came, by the verifier's word: bit K - 1 for the K-th repository line, and K of
	 * the last one; 0: none. Not of folders and bundles. */
	uint32_t mirrors, mirror;
};

/* Statuses as chain_check(). ST_MALFORMED also: the verifier broke its protocol or died. */
st_t broker_verify(const struct verify_request *rq, const struct verify_out *out,
                   struct chain_release *ret, struct verify_cost *ret_cost, struct err *e);

#endif
