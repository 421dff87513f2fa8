/* The witnesses of a log's policy as the cosigners that its writer asks (log/writer.h). */
#ifndef VITRINE_LOG_COSIGN_H
#define VITRINE_LOG_COSIGN_H

#include "log/writer.h"
#include "witness/submit.h"

struct log_witnesses {
	const struct policy *policy;
	const struct fetch *fetch;
	uint32_t timeout_ms; /* for one checkpoint */
	uint64_t (*now)(void); /* seconds since 1970 */
	/* The last round. */
	struct submit_outcome outcome[POLICY_ITEMS_MAX];
	/* Own. */
	uint64_t known_size[POLICY_ITEMS_MAX];
	struct tlog_hasher h;
};

st_t log_witnesses_init(struct log_witnesses *w, const struct policy *policy,
                        const struct fetch *fetch, uint32_t timeout_ms, uint64_t (*now)(void),
                        struct err *e);
void log_witnesses_done(struct log_witnesses *w);

/* ST_CONFLICT where a witness says that it cosigned another view of this log, whatever the quorum.
 * ST_BAD_SIG where the quorum of the policy is not met: the message names a witness that did not
 * cosign, and why. */
struct log_cosigners log_witnesses_as_cosigners(struct log_witnesses *w);

#endif
