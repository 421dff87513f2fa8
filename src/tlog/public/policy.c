/* Policies and offline proofs of <vitrine/tlog.h>. vitrine_tlog_policy is struct policy. */
#include "tlog/policy.h"

#include "tlog/proof.h"
#include "tlog/public/note.h"

#include <string.h>

_Static_assert(VITRINE_TLOG_POLICY_MAX == POLICY_ITEMS_MAX, "one limit");

static const struct policy *inner(const vitrine_tlog_policy *p)
{
	return (const struct policy *)p;
}

enum vitrine_tlog_status vitrine_tlog_policy_parse(const void *text, size_t size,
                                                   vitrine_tlog_policy **ret,
                                                   struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct policy *p;
	st_t st = policy_parse(rd_make(text, size), &p, &e);
	if (st == ST_OK)
		*ret = (vitrine_tlog_policy *)p;
	return public_status(st, &e, error);
}

void vitrine_tlog_policy_free(vitrine_tlog_policy *policy)
{
	policy_free((struct policy *)policy);
}

size_t vitrine_tlog_policy_log_count(const vitrine_tlog_policy *policy)
{
	return inner(policy)->nlogs;
}

size_t vitrine_tlog_policy_witness_count(const vitrine_tlog_policy *policy)
{
	return inner(policy)->nwitnesses;
}

enum vitrine_tlog_status vitrine_tlog_policy_log(const vitrine_tlog_policy *policy, size_t i,
                                                 struct vitrine_tlog_party *ret)
{
	const struct policy *p = inner(policy);
	if (i >= p->nlogs)
		return VITRINE_TLOG_NOT_FOUND;
	const struct policy_log *l = &p->logs[i];
	*ret = (struct vitrine_tlog_party){l->key.name, public_key_out(&l->key), l->url};
	return VITRINE_TLOG_OK;
}

enum vitrine_tlog_status vitrine_tlog_policy_witness(const vitrine_tlog_policy *policy, size_t i,
                                                     struct vitrine_tlog_party *ret)
{
	const struct policy *p = inner(policy);
	if (i >= p->nwitnesses)
		return VITRINE_TLOG_NOT_FOUND;
	const struct policy_witness *w = &p->witnesses[i];
	*ret = (struct vitrine_tlog_party){w->name, public_key_out(&w->key), w->url};
	return VITRINE_TLOG_OK;
}

enum vitrine_tlog_status vitrine_tlog_policy_quorum(const vitrine_tlog_policy *policy,
                                                    char **ret_text, size_t *ret_size)
{
	struct buf b = {0};
	policy_describe_quorum(inner(policy), &b);
	return public_give_text(&b, ret_text, ret_size, NULL);
}

bool vitrine_tlog_policy_quorum_met(const vitrine_tlog_policy *policy, const bool *cosigned)
{
	return policy_quorum_met(inner(policy), cosigned);
}

static void verdict_out(const struct checkpoint *c, const struct policy_verdict *v,
                        struct vitrine_tlog_verdict *ret)
{
	*ret = (struct vitrine_tlog_verdict){.log = v->log, .cosigned_count = v->ncosigned};
	public_checkpoint_out(c, &ret->checkpoint);
	memcpy(ret->cosigned, v->cosigned, sizeof ret->cosigned);
	memcpy(ret->time, v->time, sizeof ret->time);
}

enum vitrine_tlog_status vitrine_tlog_policy_check(const vitrine_tlog_policy *policy,
                                                   const void *data, size_t size,
                                                   struct vitrine_tlog_verdict *ret,
                                                   struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct note n;
	struct checkpoint c;
	struct policy_verdict v;
	st_t st = policy_check(inner(policy), rd_make(data, size), &n, &c, &v, &e);
	if (st == ST_OK && ret)
		verdict_out(&c, &v, ret);
	return public_status(st, &e, error);
}

enum vitrine_tlog_status
vitrine_tlog_offline_proof_parse(const void *data, size_t size,
                                 struct vitrine_tlog_offline_proof *ret,
                                 struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct offline_proof p;
	st_t st = offline_proof_parse(rd_make(data, size), &p, &e);
	if (st != ST_OK)
		return public_status(st, &e, error);
	*ret = (struct vitrine_tlog_offline_proof){.index = p.index,
	                                           .checkpoint = public_span(p.checkpoint),
	                                           .has_extra = p.has_extra};
	public_path_out(&p.proof, &ret->path);
	if (p.has_extra)
		ret->extra_base64 = public_span(p.extra_base64);
	return VITRINE_TLOG_OK;
}

enum vitrine_tlog_status
vitrine_tlog_offline_proof_check(const vitrine_tlog_policy *policy, const void *data, size_t size,
                                 const struct vitrine_tlog_hash *leaf,
                                 struct vitrine_tlog_verdict *ret, struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct checkpoint c;
	struct policy_verdict v;
	struct tlog_hash l = public_hash_in(leaf);
	st_t st = offline_proof_check(inner(policy), rd_make(data, size), &l, &c, &v, &e);
	if (st == ST_OK && ret)
		verdict_out(&c, &v, ret);
	return public_status(st, &e, error);
}

/* Whether what was written can be read: as a proof, a note and a checkpoint. */
static st_t read_back(const struct buf *b, struct err *e)
{
	struct offline_proof p;
	struct note n;
	struct checkpoint c;
	TRY(buf_check(b, e, "tlog-proof"));
	TRY(offline_proof_parse(rd_make(b->data, b->len), &p, e));
	TRY(note_parse(p.checkpoint, &n, e));
	return checkpoint_parse(n.text, &c, e);
}

enum vitrine_tlog_status
vitrine_tlog_offline_proof_format(const void *extra, size_t extra_size, uint64_t index,
                                  const struct vitrine_tlog_hash *path, size_t count,
                                  const void *checkpoint, size_t checkpoint_size, char **ret_proof,
                                  size_t *ret_size, struct vitrine_tlog_error *error)
{
	struct err e = {.st = ST_OK};
	struct buf b = {0};
	struct tlog_proof p;
	if (extra_size > PROOF_EXTRA_MAX || checkpoint_size > NOTE_SIZE_MAX)
		return public_refuse(VITRINE_TLOG_LIMIT, "tlog-proof: too much extra data or checkpoint",
		                     error);
	st_t st = public_path_in(path, count, &p, &e);
	if (st == ST_OK) {
		struct rd note = rd_make(checkpoint, checkpoint_size);
		offline_proof_format(extra, extra_size, index, &p, note, &b);
		st = read_back(&b, &e);
	}
	if (st == ST_OK)
		return public_give_text(&b, ret_proof, ret_size, error);
	buf_done(&b);
	return public_status(st, &e, error);
}
