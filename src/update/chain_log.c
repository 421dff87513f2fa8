/* The log's links: the statement is an entry of it, the quorum of witnesses saw the tree with it,
 * and not too long ago. */
#include "update/chain_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static st_t hash_entry(struct rd entry, struct tlog_hash *ret, struct err *e)
{
	struct tlog_hasher h;
	size_t n = rd_left(&entry);
	TRY(tlog_hasher_init(&h, e));
	tlog_hash_leaf(&h, entry.base + entry.pos, n, ret);
	st_t st = tlog_hasher_check(&h, e);
	tlog_hasher_done(&h);
	return st;
}

static st_t check_path(const struct offline_proof *o, const struct chain_proof *p, struct err *e)
{
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	st_t st = tlog_check_inclusion(&h, &p->leaf, o->index, p->c.size, &o->proof, &p->c.root, e);
	tlog_hasher_done(&h);
	return st;
}

/* policy_check() with room of its own for the note, which has a hundred signatures. */
static st_t judge(const struct policy *p, struct chain_proof *ret, struct err *e)
{
	struct note *note = malloc(sizeof *note);
	if (!note)
		return fail(e, ST_NOMEM, 0, "log: out of memory");
	st_t st = policy_check(p, ret->note, note, &ret->c, &ret->verdict, e);
	free(note);
	return st;
}

st_t chain_prove_entry(struct chain *c, struct rd entry, struct rd proof, struct chain_proof *ret,
                       struct err *e)
{
	struct offline_proof o;
	struct policy logs = *c->rq->policy->logs; /* who cosigned is the next link */
	logs.nwitnesses = 0;
	logs.quorum = NULL;
	*ret = (struct chain_proof){.log = 0};
	TRY(hash_entry(entry, &ret->leaf, e));
	TRY(offline_proof_parse(proof, &o, e));
	ret->note = o.checkpoint;
	ret->index = o.index;
	TRY(judge(&logs, ret, e));
	ret->log = ret->verdict.log;
	return check_path(&o, ret, e);
}

st_t chain_prove_quorum(struct chain *c, struct chain_proof *p, struct err *e)
{
	return judge(c->rq->policy->logs, p, e);
}

st_t chain_check_log(struct chain *c, struct err *e)
{
	struct chain_proof *p = &c->entry;
	if (!c->proof.listed)
		return chain_advise(c, "the publisher has to add it: vitrine publish evidence",
		                    fail(e, ST_NOT_FOUND, 0, "log: no proof that the release is an entry "
		                         "of a log: %s", c->no_proof));
	TRY(chain_get_small(c, &c->proof, "release.tlog-proof", PROOF_SIZE_MAX, &c->proof_bytes, e));
	TRY(chain_prove_entry(c, rd_make(c->envelope.data, c->envelope.len),
	                      rd_make(c->proof_bytes.data, c->proof_bytes.len), p, e));
	c->r.log_index = p->index;
	c->r.tree_size = p->c.size;
	memcpy(c->r.entry, p->leaf.b, sizeof c->r.entry);
	memcpy(c->r.tree_root, p->c.root.b, sizeof c->r.tree_root);
	snprintf(c->r.origin, sizeof c->r.origin, "%s", c->rq->policy->logs->logs[p->log].key.name);
	chain_say(c, "entry %llu of %s, which has %llu", (unsigned long long)p->index, c->r.origin,
	          (unsigned long long)p->c.size);
	return ST_OK;
}

static void witness_names(const struct policy *p, const struct policy_verdict *v, char *ret,
                          size_t cap)
{
	size_t n = 0;
	snprintf(ret, cap, "nobody");
	for (size_t i = 0; i < p->nwitnesses && n < cap; i++)
		if (v->cosigned[i])
			n += (size_t)snprintf(ret + n, cap - n, "%s%.40s", n ? ", " : "",
			                      p->witnesses[i].name);
}

st_t chain_check_witnesses(struct chain *c, struct err *e)
{
	const struct policy *p = c->rq->policy->logs;
	char names[200];
	if (!p->quorum) {
		chain_not_asked(c, "the policy says \"quorum none\": nobody but the log's owner need have "
		                "seen this tree");
		return ST_OK;
	}
	TRY(chain_prove_quorum(c, &c->entry, e));
	c->r.cosigned = c->entry.verdict;
	witness_names(p, &c->r.cosigned, names, sizeof names);
	chain_say(c, "cosigned by %zu of %zu witnesses (%s)", c->r.cosigned.ncosigned, p->nwitnesses,
	          names);
	return ST_OK;
}

/* The newest time at or after which a quorum cosigned, by cosignatures not later than `latest`;
 * 0: there is none. */
static uint64_t quorum_time(const struct policy *p, const struct policy_verdict *v, uint64_t latest)
{
	uint64_t best = 0;
	for (size_t i = 0; i < p->nwitnesses; i++) {
		bool since[POLICY_ITEMS_MAX] = {false};
		uint64_t t = v->time[i];
		if (!v->cosigned[i] || t <= best)
			continue;
		for (size_t k = 0; k < p->nwitnesses; k++)
			since[k] = v->cosigned[k] && v->time[k] >= t && v->time[k] <= latest;
		if (policy_quorum_met(p, since))
			best = t;
	}
	return best;
}

/* The quorum's time is what a mirror cannot make younger: an old view, however well signed, is
 * refused (freeze). */
static st_t check_age(struct chain *c, uint64_t t, struct err *e)
{
	char at[CHAIN_TIME_MAX], age[CHAIN_TIME_MAX], limit[CHAIN_TIME_MAX];
	int64_t old = c->rq->now - (int64_t)t;
	int64_t freshness = (int64_t)c->rq->policy->freshness;
	chain_time((int64_t)t, at);
	chain_span(old, age);
	chain_span(freshness, limit);
	if (old > freshness)
		return fail(e, ST_TIMEOUT, 0, "freshness: the quorum cosigned at %s, %s ago; the policy "
		            "allows %s", at, age, limit);
	chain_say(c, "the quorum's time is %s, %s ago; the policy allows %s", at, age, limit);
	return ST_OK;
}

st_t chain_check_freshness(struct chain *c, struct err *e)
{
	const struct update_policy *p = c->rq->policy;
	if (!p->logs->quorum) {
		chain_not_asked(c, "without a quorum nobody says how old the tree is");
		return ST_OK;
	}
	uint64_t latest = (uint64_t)c->rq->now + p->clock_tolerance;
	uint64_t t = quorum_time(p->logs, &c->r.cosigned, latest);
	if (!t)
		return chain_advise(c, "set the clock of this machine, if it is slow; else a witness's is "
		                    "wrong",
		                    fail(e, ST_CONFLICT, 0, "freshness: cosignatures are from times to "
		                         "come, and without them there is no quorum"));
	return check_age(c, t, e);
}
