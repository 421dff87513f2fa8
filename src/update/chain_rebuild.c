/* Rebuilders: who built the same from the same text. Their verdicts are entries of the log as well,
 * so that none is said to some and not to others.
 *
 * in-toto's monotonic principle: an attestation that is left out must not turn a refusal into
 * acceptance. So who is not known is ignored; what a known rebuilder signed is not. */
#include "attest/statement.h"
#include "update/chain_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
	struct chain *c;
	size_t k; /* counted from 0 */
	bool by[UPDATE_PARTIES_MAX];
	struct statement say;
	struct chain_proof proof;
	char names[120];
};

static bool is_about(const struct statement *s, const uint8_t sum[32])
{
	for (size_t i = 0; i < s->nsubjects; i++)
		if (!memcmp(s->subject[i].sha256, sum, 32))
			return true;
	return false;
}

static st_t read_verdict(struct verdict *v, const struct dsse *d, struct err *e)
{
	struct err why = {0};
	if (strcmp((const char *)d->type.data, STATEMENT_PAYLOAD_TYPE))
		return fail(e, ST_UNSUPPORTED, 0, "rebuilders: %s signed verdict %zu with a payload of "
		            "\"%.60s\"", v->names, v->k + 1, (const char *)d->type.data);
	st_t st = statement_parse(rd_make(d->payload.data, d->payload.len), &v->say, &why);
	if (st != ST_OK)
		return fail(e, st, 0, "rebuilders: verdict %zu, by %s: %.120s", v->k + 1, v->names,
		            why.text);
	return ST_OK;
}

static st_t prove(struct verdict *v, struct rd entry, struct err *e)
{
	struct chain *c = v->c;
	struct buf proof = {0};
	char name[64];
	struct err why = {0};
	snprintf(name, sizeof name, "rebuild-%zu.tlog-proof", v->k + 1);
	if (!c->rebuild_proof[v->k].listed)
		return fail(e, ST_NOT_FOUND, 0, "rebuilders: no proof that verdict %zu, by %s, is an entry "
		            "of a log", v->k + 1, v->names);
	st_t st = chain_get_small(c, &c->rebuild_proof[v->k], name, PROOF_SIZE_MAX, &proof, &why);
	if (st == ST_OK)
		st = chain_prove_entry(c, entry, rd_make(proof.data, proof.len), &v->proof, &why);
	if (st == ST_OK && c->rq->policy->logs->quorum)
		st = chain_prove_quorum(c, &v->proof, &why);
	if (st == ST_OK)
		st = chain_join_view(c, &v->proof, false, &why);
	buf_done(&proof);
	if (st != ST_OK)
		return fail(e, st, 0, "rebuilders: verdict %zu, by %s: %.160s", v->k + 1, v->names,
		            why.text);
	return ST_OK;
}

static st_t refuse_failed(const struct verdict *v, struct err *e)
{
	return chain_advise(v->c, "do not use this release before people have found out why",
	                    fail(e, ST_CONFLICT, 0, "rebuilders: %s built something else from the same "
	                         "rule text (verdict %zu: FAILED)", v->names, v->k + 1));
}

/* What a verdict says of this release. */
static st_t judge(struct verdict *v, struct rd entry, struct err *e)
{
	struct chain *c = v->c;
	bool vdb = is_about(&v->say, c->r.vdb.sha256);
	bool source = is_about(&v->say, c->r.source.sha256);
	if (v->say.kind != STATEMENT_REBUILD)
		return ST_OK;
	if (!v->say.passed && (vdb || source))
		return refuse_failed(v, e);
	if (!vdb || !source) {
		chain_say(c, "verdict %zu, by %s, is about other files", v->k + 1, v->names);
		return ST_OK;
	}
	TRY(prove(v, entry, e));
	for (size_t i = 0; i < c->rq->policy->rebuilders.n; i++)
		c->r.rebuilt_by[i] = c->r.rebuilt_by[i] || v->by[i];
	return ST_OK;
}

static st_t open_verdict(struct verdict *v, struct rd entry, struct dsse *d, struct err *e)
{
	const struct attest_parties *p = &v->c->rq->policy->rebuilders;
	size_t n;
	st_t st = chain_open_envelope(p, entry, d, v->by, &n, NULL);
	if (st < ST_OK)
		return fail(e, st, 0, "rebuilders: verdict %zu could not be read", v->k + 1);
	if (st != ST_OK || n == 0)
		return ST_OK; /* nobody's whom we know */
	chain_names(p, v->by, v->names, sizeof v->names);
	TRY(read_verdict(v, d, e));
	return judge(v, entry, e);
}

static st_t check_verdict(struct chain *c, size_t k, struct err *e)
{
	struct verdict *v = calloc(1, sizeof *v);
	struct dsse d = {0};
	struct buf entry = {0};
	char name[64];
	if (!v)
		return fail(e, ST_NOMEM, 0, "rebuilders: out of memory");
	*v = (struct verdict){.c = c, .k = k};
	snprintf(name, sizeof name, "rebuild-%zu.dsse", k + 1);
	st_t st = chain_get_small(c, &c->rebuild[k], name, DSSE_SIZE_MAX, &entry, e);
	if (st == ST_OK)
		st = open_verdict(v, rd_make(entry.data, entry.len), &d, e);
	dsse_done(&d);
	statement_done(&v->say);
	buf_done(&entry);
	free(v);
	return st;
}

/* Distinct ones, by their keys: a policy has none twice. */
static size_t count_rebuilders(const struct chain *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->rq->policy->rebuilders.n; i++)
		n += c->r.rebuilt_by[i];
	return n;
}

st_t chain_check_rebuilders(struct chain *c, struct err *e)
{
	const struct update_policy *p = c->rq->policy;
	char names[160];
	if (p->rebuilders.n == 0 && p->rebuilds_needed == 0) {
		chain_not_asked(c, "the policy names no rebuilder");
		return ST_OK;
	}
	for (size_t k = 0; k < c->nrebuilds; k++)
		TRY(check_verdict(c, k, e));
	size_t n = count_rebuilders(c);
	chain_names(&p->rebuilders, c->r.rebuilt_by, names, sizeof names);
	if (n < p->rebuilds_needed)
		return chain_advise(c, "rebuilders may need some hours after a release: try again later",
		                    fail(e, ST_BAD_SIG, 0, "rebuilders: %zu built the same (%s), the "
		                         "policy asks for %llu of %zu%s%.80s", n, names,
		                         (unsigned long long)p->rebuilds_needed, p->rebuilders.n,
		                         c->said[0] ? "; " : "", c->said));
	chain_say(c, "the same was built by %zu of %zu rebuilders (%s); the policy asks for %llu", n,
	          p->rebuilders.n, names, (unsigned long long)p->rebuilds_needed);
	return ST_OK;
}
