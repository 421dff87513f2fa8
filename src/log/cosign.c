#include "log/cosign.h"

st_t log_witnesses_init(struct log_witnesses *w, const struct policy *policy,
                        const struct fetch *fetch, uint32_t timeout_ms, uint64_t (*now)(void),
                        struct err *e)
{
	*w = (struct log_witnesses){
		.policy = policy, .fetch = fetch, .timeout_ms = timeout_ms, .now = now};
	return tlog_hasher_init(&w->h, e);
}

void log_witnesses_done(struct log_witnesses *w)
{
	tlog_hasher_done(&w->h);
}

/* A witness's word that there is another view of this log outweighs a quorum that has not seen it:
 * a log that waits can go on tomorrow, one that said two things cannot take one back. */
static st_t check_contradictions(const struct log_witnesses *w, struct err *e)
{
	for (size_t i = 0; i < w->policy->nwitnesses; i++)
		if (w->outcome[i].contradicts)
			return fail(e, ST_CONFLICT, 0,
			            "log: not published: witness %.40s: %.130s; compare with others before "
			            "anything else (doc/log.md)", w->policy->witnesses[i].name,
			            w->outcome[i].error);
	return ST_OK;
}

static st_t judge(const struct log_witnesses *w, struct err *e)
{
	bool cosigned[POLICY_ITEMS_MAX] = {false};
	size_t have = 0, missing = 0;
	for (size_t i = w->policy->nwitnesses; i-- > 0;) {
		cosigned[i] = w->outcome[i].cosigned;
		have += cosigned[i];
		missing = cosigned[i] ? missing : i;
	}
	if (policy_quorum_met(w->policy, cosigned))
		return ST_OK;
	if (have == w->policy->nwitnesses)
		return fail(e, ST_BAD_SIG, 0, "the policy's quorum cannot be met");
	const char *why = w->outcome[missing].error;
	return fail(e, ST_BAD_SIG, 0,
	            "log: not published: %zu of %zu witnesses cosigned, not the quorum of the policy; "
	            "%.40s: %.100s", have, w->policy->nwitnesses, w->policy->witnesses[missing].name,
	            why[0] ? why : "has no URL");
}

static st_t collect(void *ctx, struct rd note, const struct tlog_nodes *nodes, uint64_t size,
                    struct buf *ret_lines, struct err *e)
{
	struct log_witnesses *w = ctx;
	const struct submit s = {
		.policy = w->policy,
		.fetch = w->fetch,
		.nodes = nodes,
		.hasher = &w->h,
		.timeout_ms = w->timeout_ms,
		.now = w->now(),
		.known_size = w->known_size,
	};
	(void)size;
	for (size_t i = 0; i < POLICY_ITEMS_MAX; i++)
		w->outcome[i] = (struct submit_outcome){0};
	TRY(submit_checkpoint(&s, note, ret_lines, w->outcome, e));
	TRY(check_contradictions(w, e));
	return judge(w, e);
}

struct log_cosigners log_witnesses_as_cosigners(struct log_witnesses *w)
{
	return (struct log_cosigners){.collect = collect, .ctx = w};
}
