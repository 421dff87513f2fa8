/* What a policy demands, in sentences. */
#include "tlog/text.h"
#include "update/policy.h"

#include <stdio.h>

/* "48 hours", "90 seconds": the largest unit that leaves nothing over; below three days, hours. */
static void add_time(struct buf *out, uint64_t seconds)
{
	static const struct {
		const char *name;
		uint64_t seconds, from;
	} units[] = {
	    {"day", 86400, 3 * 86400}, {"hour", 3600, 3600}, {"minute", 60, 60}, {"second", 1, 0}};
	size_t i = 0;
	while (seconds % units[i].seconds || seconds < units[i].from)
		i++;
	uint64_t n = seconds / units[i].seconds;
	text_decimal_add(out, n);
	buf_u8(out, ' ');
	buf_text(out, units[i].name);
	if (n != 1)
		buf_u8(out, 's');
}

/* "2 of 3 publishers: a, b, c". */
static void add_parties(struct buf *out, uint64_t needed, const struct attest_parties *all,
                        const char *what)
{
	text_decimal_add(out, needed);
	buf_text(out, " of ");
	text_decimal_add(out, all->n);
	buf_u8(out, ' ');
	buf_text(out, what);
	for (size_t i = 0; i < all->n; i++) {
		buf_text(out, i ? ", " : ": ");
		buf_text(out, all->v[i].name);
	}
}

static void add_where(const struct update_policy *p, struct buf *out)
{
	buf_text(out, "The set \"");
	buf_text(out, p->set);
	if (p->nrepositories == 0) {
		buf_text(out, "\" comes from bundles only: no repository is named.\n");
		return;
	}
	buf_text(out, "\" comes from ");
	buf_text(out, p->repository[0]);
	for (size_t i = 1; i < p->nrepositories; i++) {
		buf_text(out, i == 1 ? "; mirrors: " : ", ");
		buf_text(out, p->repository[i]);
	}
	buf_text(out, ".\nIts TUF metadata must lead from the pinned root");
	if (p->root) {
		buf_text(out, " (");
		buf_text(out, p->root);
		buf_u8(out, ')');
	}
	buf_text(out, " to the release.\n");
}

static void add_log(const struct update_policy *p, struct buf *out)
{
	const struct policy *l = p->logs;
	buf_text(out, l->nlogs == 1 ? "It must be an entry of the log " : "It must be an entry of one "
	                                                                  "of the logs ");
	for (size_t i = 0; i < l->nlogs; i++) {
		buf_text(out, i ? ", " : "");
		buf_text(out, l->logs[i].key.name);
	}
	buf_text(out, ", whose tree must extend the one that was seen before.\n");
	if (!l->quorum) {
		buf_text(out, "No witness has to have seen the log: not asked for (\"quorum none\").\n");
		return;
	}
	buf_text(out, "The log's checkpoint must be cosigned by witnesses: ");
	policy_describe_quorum(l, out);
	buf_text(out, "; at most ");
	add_time(out, p->freshness);
	buf_text(out, " ago.\n");
}

static void add_rebuilders(const struct update_policy *p, struct buf *out)
{
	if (p->rebuilders.n == 0) {
		buf_text(out, "Nobody rebuilds: not asked for.\n");
		return;
	}
	if (p->rebuilds_needed == 0) {
		buf_text(out, "No rebuild is needed (\"rebuilds-needed 0\"); that of a named rebuilder "
		              "must not differ.\n");
		return;
	}
	buf_text(out, "The same files must have been rebuilt from the source by ");
	add_parties(out, p->rebuilds_needed, &p->rebuilders, "rebuilders");
	buf_text(out, "; none may have built others.\n");
}

static void add_health(const struct update_policy *p, struct buf *out)
{
	buf_text(out, p->compile == UPDATE_COMPILE_LOCAL
	                  ? "The database is compiled here from the rule text, and must be the same.\n"
	                  : "The database is taken as it was attested.\n");
	if (p->eicar || p->known_bad) {
		buf_text(out, "Before it is used it must find ");
		buf_text(out, p->eicar ? "the EICAR test file" : "");
		buf_text(out, p->eicar && p->known_bad ? " and " : "");
		if (p->known_bad) {
			buf_text(out, "every file in ");
			buf_text(out, p->known_bad);
		}
		buf_text(out, ".\n");
	}
	if (p->known_good) {
		buf_text(out, "It must find nothing in ");
		buf_text(out, p->known_good);
		buf_text(out, ".\n");
	}
}

static void add_hold(const struct update_policy *p, struct buf *out)
{
	if (p->hold == UPDATE_HOLD_NONE)
		buf_text(out, "A release that passed is used at once.\n");
	if (p->hold == UPDATE_HOLD_MANUAL)
		buf_text(out, "A release that passed waits until it is approved.\n");
	if (p->hold == UPDATE_HOLD_TIME) {
		buf_text(out, "A release that passed waits for ");
		add_time(out, p->hold_time);
		buf_text(out, ", or until it is approved.\n");
	}
	if (p->keep == 1) {
		buf_text(out, "Only the release in use is kept: there is none to go back to.\n");
		return;
	}
	buf_text(out, "The last ");
	text_decimal_add(out, p->keep);
	buf_text(out, " releases that were in use are kept.\n");
}

void update_policy_describe(const struct update_policy *p, struct buf *out)
{
	add_where(p, out);
	buf_text(out, "A release must be signed by ");
	add_parties(out, p->release_signatures, &p->publishers, "publishers");
	buf_text(out, ".\n");
	add_log(p, out);
	add_rebuilders(p, out);
	add_health(p, out);
	add_hold(p, out);
}
