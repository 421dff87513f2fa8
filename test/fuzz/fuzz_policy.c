/* policy_parse() on hostile bytes: a policy that is read keeps its promises, and all witnesses
 * together meet every quorum while nobody meets only "none". */
#include "tlog/policy.h"

#include <stdlib.h>
#include <string.h>

static void check_policy(const struct policy *p)
{
	bool all[POLICY_ITEMS_MAX], nobody[POLICY_ITEMS_MAX] = {false};
	struct buf words = {0};
	memset(all, true, sizeof all);
	if (p->nlogs > POLICY_ITEMS_MAX || p->nwitnesses > POLICY_ITEMS_MAX)
		abort();
	if (!policy_quorum_met(p, all) || policy_quorum_met(p, nobody) != !p->quorum)
		abort();
	policy_describe_quorum(p, &words);
	if (words.len == 0 && !words.oom)
		abort();
	buf_done(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p = NULL;
	struct err e;
	err_clear(&e);
	st_t st = policy_parse(rd_make(data, size), &p, &e);
	if ((st == ST_OK) != !!p || (st != ST_OK) != !!e.text[0])
		abort();
	if (p)
		check_policy(p);
	policy_free(p);
	return 0;
}
