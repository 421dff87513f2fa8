#include "witness/add_checkpoint.h"

#include "tlog/text.h"

enum verdict { SIG_NONE, SIG_GOOD, SIG_BAD, SIG_OUR_FAULT };

/* "The witness MUST verify the checkpoint signature against the public key(s) it trusts for the
 * checkpoint origin, and it MUST ignore signatures from unknown keys." The lines of the trusted
 * ones go to `out`. */
static enum verdict verify_all(const struct witness_log *log, const struct note *n,
                               struct buf *out, struct err *e)
{
	enum verdict all = SIG_NONE;
	for (size_t i = 0; i < log->nkeys; i++) {
		const struct note_signature *s = note_find(n, &log->keys[i]);
		uint64_t time;
		if (!s)
			continue;
		st_t st = note_verify_key(n, &log->keys[i], &time, e);
		if (st != ST_OK)
			return st > 0 ? SIG_BAD : SIG_OUR_FAULT;
		buf_add(out, s->line.base, s->line.len);
		all = SIG_GOOD;
	}
	return all;
}

/* "The witness MUST respond with a "403 Forbidden" HTTP status code if either no signature from a
 * trusted key for the origin is present, or a signature line's key name and ID match a trusted key
 * but the signature itself fails to verify (such a note is malformed per signed-note)." */
static bool check_signatures(const struct witness_log *log, const struct note *n, struct buf *out,
                             struct answer *ret)
{
	struct err e = {0};
	buf_add(out, n->text.base, n->text.len);
	buf_u8(out, '\n');
	switch (verify_all(log, n, out, &e)) {
	case SIG_GOOD:
		return true;
	case SIG_BAD:
		answer_fail(ret, 403, &e);
		return false;
	case SIG_NONE:
		answer_say(ret, 403,
		           "tlog-witness: no signature from a trusted key for the origin is present");
		return false;
	default:
		answer_say(ret, 500, "the witness cannot verify signatures now");
		return false;
	}
}

bool add_checkpoint_check(const struct witness_config *config, struct rd body,
                          struct witness_request *ret_request, const struct witness_log **ret_log,
                          struct buf *ret_signed, struct answer *ret)
{
	struct err e = {0};
	struct witness_request *r = ret_request;
	if (rd_left(&body) > WITNESS_BODY_MAX) {
		answer_say(ret, 413, "the body is longer than 65536 bytes");
		return false;
	}
	st_t st = witness_request_parse(body, r, &e);
	if (st != ST_OK) {
		answer_fail(ret, st > 0 ? 400 : 500, &e);
		return false;
	}
	/* "The old size MUST be equal to or lower than the checkpoint size. Otherwise, the witness
	 * MUST respond with a "400 Bad Request" HTTP status code." */
	if (r->old_size > r->cp.size) {
		answer_say(ret, 400, "tlog-witness: the old size is greater than the checkpoint size");
		return false;
	}
	/* "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found" HTTP
	 * status code." */
	const struct witness_log *log = witness_config_find(config, r->cp.origin);
	if (!log) {
		answer_say(ret, 404, "tlog-witness: the checkpoint origin is unknown to this witness");
		return false;
	}
	*ret_log = log;
	return check_signatures(log, &r->note, ret_signed, ret);
}

/* "The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal,
 * followed by a newline (U+000A)." */
void add_checkpoint_conflict(uint64_t size, struct answer *ret)
{
	ret->status = 409;
	ret->type = ANSWER_TYPE_SIZE;
	ret->body.len = 0;
	text_decimal_add(&ret->body, size);
	buf_u8(&ret->body, '\n');
}

/* What the standard answers with "422 Unprocessable Entity"; NULL where nothing is wrong. */
static const char *find_inconsistency(const struct witness_request *r,
                                      const struct state_record *record)
{
	/* "A checkpoint of size zero MUST have the root hash of the empty tree, which [RFC 6962],
	 * Section 2.1 defines as the hash of the empty string." */
	if (r->wrong_empty_root)
		return "tlog-witness: a checkpoint of size zero must have the root hash of the empty tree";
	/* "If the old size is zero, the consistency proof MUST be empty" */
	if (r->old_size == 0 && r->proof.n)
		return "tlog-witness: the old size is zero, so the consistency proof must be empty";
	/* "If the old size matches the checkpoint size, the witness MUST check that the root hashes are
	 * also identical." */
	if (record->known && record->size == r->cp.size && !tlog_hash_equal(&record->root, &r->cp.root))
		return "tlog-witness: another root hash was cosigned for this size: the log shows two "
			   "views";
	if (r->old_size == r->cp.size && r->proof.n)
		return "RFC 6962 section 2.1.2: the proof between equal sizes must be empty";
	return NULL;
}

/* "the consistency proof lines MUST encode a Merkle Consistency Proof from the old size to the
 * checkpoint size according to [RFC 6962], Section 2.1.2." */
static bool check_proof(const struct witness_request *r, const struct state_record *record,
                        struct tlog_hasher *hasher, struct answer *ret)
{
	struct err e = {0}, named = {0};
	if (r->old_size == 0 || r->old_size == r->cp.size)
		return true;
	st_t st = tlog_check_consistency(hasher, r->old_size, r->cp.size, &record->root, &r->cp.root,
	                                 &r->proof, &e);
	if (st == ST_OK)
		return true;
	(void)!fail(&named, st, 0, "RFC 6962 section 2.1.2: %.200s", e.text);
	answer_fail(ret, st > 0 ? 422 : 500, &named);
	return false;
}

bool add_checkpoint_judge(const struct witness_request *r, const struct state_record *record,
                          struct tlog_hasher *hasher, struct answer *ret)
{
	/* "The witness MUST check that the old size matches the size of the latest checkpoint it
	 * cosigned for the checkpoint's origin (or zero if it never cosigned a checkpoint for that
	 * origin)." */
	uint64_t latest = record->known ? record->size : 0;
	if (r->old_size != latest) {
		add_checkpoint_conflict(latest, ret);
		return false;
	}
	const char *wrong = find_inconsistency(r, record);
	if (wrong) {
		answer_say(ret, 422, wrong);
		return false;
	}
	return check_proof(r, record, hasher, ret);
}
