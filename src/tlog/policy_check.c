/* Judges a checkpoint by a policy (C2SP tlog-policy): "a checkpoint is considered valid if it is
 * signed by any one of the listed logs, and it is cosigned by witnesses according to the defined
 * quorum rule." */
#include "tlog/policy.h"
#include "tlog/text.h"

#include <string.h>

/* "This name MUST correspond to the log's origin line." */
static bool is_origin_known(const struct policy *p, struct rd origin)
{
	for (size_t i = 0; i < p->nlogs; i++)
		if (text_is(origin, p->logs[i].key.name))
			return true;
	return false;
}

struct judgement {
	const struct policy *p;
	const struct note *note;
	struct rd origin;
	bool has_log;
	struct policy_verdict v;
};

/* C2SP signed-note: "If a signature from a known key fails to verify, clients SHOULD reject the
 * whole note." Where libcrypto has not the algorithm of a known key, nothing was verified: it does
 * not count. ret_time: 0 also where ret_valid is false. */
static st_t verify_key(const struct judgement *j, const struct note_key *k, bool *ret_valid,
                       uint64_t *ret_time, struct err *e)
{
	struct err why = {.st = ST_OK};
	uint64_t time = 0;
	st_t st = note_verify_key(j->note, k, &time, &why);
	if (st != ST_OK && st != ST_UNSUPPORTED && st != ST_NOT_FOUND)
		return fail(e, st < 0 ? st : ST_BAD_SIG, 0, "checkpoint: %s", why.text);
	*ret_valid = st == ST_OK;
	*ret_time = time;
	return ST_OK;
}

static st_t judge_logs(struct judgement *j, struct err *e)
{
	for (size_t i = 0; i < j->p->nlogs; i++) {
		const struct note_key *k = &j->p->logs[i].key;
		bool valid = false;
		uint64_t time = 0;
		TRY(verify_key(j, k, &valid, &time, e));
		if (!valid || j->has_log || !text_is(j->origin, k->name))
			continue;
		j->v.log = i;
		j->has_log = true;
	}
	return ST_OK;
}

static st_t judge_witnesses(struct judgement *j, struct err *e)
{
	struct policy_verdict *v = &j->v;
	for (size_t i = 0; i < j->p->nwitnesses; i++) {
		TRY(verify_key(j, &j->p->witnesses[i].key, &v->cosigned[i], &v->time[i], e));
		v->ncosigned += v->cosigned[i];
	}
	return ST_OK;
}

/* The names of those witnesses that did (or did not) cosign. */
static void add_names(const struct judgement *j, bool cosigned, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < j->p->nwitnesses; i++) {
		if (j->v.cosigned[i] != cosigned)
			continue;
		if (any)
			buf_add(out, ", ", 2);
		buf_add(out, j->p->witnesses[i].name, strlen(j->p->witnesses[i].name));
		any = true;
	}
	if (!any)
		buf_add(out, "nobody", 6);
	buf_u8(out, 0);
}

/* Says who is missing; running out of memory for that must not change the verdict. */
static st_t refuse_quorum(const struct judgement *j, struct err *e)
{
	struct buf need = {0}, have = {0}, lack = {0};
	policy_describe_quorum(j->p, &need);
	buf_u8(&need, 0);
	add_names(j, true, &have);
	add_names(j, false, &lack);
	bool oom = need.oom || have.oom || lack.oom;
	st_t st = oom ? fail(e, ST_BAD_SIG, 0, "checkpoint: the quorum is not met")
	              : fail(e, ST_BAD_SIG, 0,
	                     "checkpoint: the quorum is not met: missing %s; cosigned by %s; "
	                     "the policy asks for %s",
	                     (char *)lack.data, (char *)have.data, (char *)need.data);
	buf_done(&need);
	buf_done(&have);
	buf_done(&lack);
	return st;
}

static st_t judge(struct judgement *j, struct err *e)
{
	if (!is_origin_known(j->p, j->origin))
		return fail(e, ST_NOT_FOUND, 0,
		            "checkpoint: its origin \"%.*s\" is that of no log in the policy",
		            (int)(j->origin.len < 128 ? j->origin.len : 128), (const char *)j->origin.base);
	TRY(judge_logs(j, e));
	TRY(judge_witnesses(j, e));
	if (!j->has_log)
		return fail(e, ST_BAD_SIG, 0, "checkpoint: not signed by its log (a key of the policy)");
	return policy_quorum_met(j->p, j->v.cosigned) ? ST_OK : refuse_quorum(j, e);
}

st_t policy_check(const struct policy *p, struct rd in, struct note *ret_note,
                  struct checkpoint *ret_checkpoint, struct policy_verdict *ret, struct err *e)
{
	TRY(note_parse(in, ret_note, e));
	TRY(checkpoint_parse(ret_note->text, ret_checkpoint, e));
	struct judgement j = {.p = p, .note = ret_note, .origin = ret_checkpoint->origin};
	TRY(judge(&j, e));
	*ret = j.v;
	return ST_OK;
}
