#include "witness/request.h"

#include "base/num.h"
#include "tlog/text.h"

/* "The old size line MUST consist of the string `old`, a single space (0x20), and the tree size of
 * the previous checkpoint encoded as an ASCII decimal with no leading zeroes (unless the size is
 * zero, in which case the encoding MUST be `0`)." */
static st_t read_old_size(struct rd *in, uint64_t *ret, struct err *e)
{
	struct rd line;
	if (!text_line(in, &line))
		return fail(e, ST_MALFORMED, 0,
					"tlog-witness: the old size line does not end in a newline");
	if (!rd_peek(&line, "old ", 4))
		return fail(e, ST_MALFORMED, 0,
					"tlog-witness: the first line does not begin with \"old \"");
	rd_skip(&line, 4);
	uint64_t v;
	if (!text_decimal(rd_sub(&line, rd_left(&line)), &v))
		return fail(e, ST_MALFORMED, 4,
		            "tlog-witness: the old size is not an ASCII decimal without leading zeroes");
	if (v > TLOG_SIZE_MAX)
		return fail(e, ST_LIMIT, 4, "tlog-witness: the old size is above 2^63 - 1");
	*ret = v;
	return ST_OK;
}

/* "Each consistency proof line MUST encode a single hash in base64." Ends behind the empty line. */
static st_t read_proof(struct rd *in, struct tlog_proof *ret, struct err *e)
{
	ret->n = 0;
	for (;;) {
		size_t at = in->pos;
		struct rd line;
		if (!text_line(in, &line))
			return fail(e, ST_MALFORMED, at,
			            "tlog-witness: no empty line stands before the checkpoint");
		if (rd_left(&line) == 0)
			return ST_OK;
		if (ret->n == WITNESS_PROOF_MAX)
			return fail(e, ST_MALFORMED, at, "tlog-witness: more than %d consistency proof lines",
			            WITNESS_PROOF_MAX);
		if (!text_hash(line, &ret->hash[ret->n]))
			return fail(e, ST_MALFORMED, at,
			            "tlog-witness: consistency proof line %zu is not one hash in base64",
			            ret->n + 1);
		ret->n++;
	}
}

/* A checkpoint whose only fault is the root of an empty tree: put right, it can be read. */
static bool is_wrong_empty_root(struct rd text, struct checkpoint *ret)
{
	struct rd origin, size, root, rest = text;
	struct tlog_hash given, empty;
	uint64_t n;
	if (!text_line(&rest, &origin) || !text_line(&rest, &size) || !text_line(&rest, &root))
		return false;
	if (!text_decimal(size, &n) || n != 0 || !text_hash(root, &given))
		return false;
	tlog_hash_empty(&empty);
	if (tlog_hash_equal(&given, &empty))
		return false;

	struct buf right = {0};
	struct checkpoint cp;
	buf_add(&right, text.base, origin.len);
	buf_add(&right, "\n0\n", 3);
	text_base64_add(&right, empty.b, sizeof empty.b);
	buf_u8(&right, '\n');
	buf_add(&right, rest.base + rest.pos, rd_left(&rest));
	bool ok = !right.oom && checkpoint_parse(rd_make(right.data, right.len), &cp, NULL) == ST_OK;
	buf_done(&right);
	if (ok)
		*ret = (struct checkpoint){.origin = origin, .root = given,
		                           .extensions = rd_sub(&rest, rd_left(&rest))};
	return ok;
}

static st_t read_checkpoint(struct witness_request *r, struct err *e)
{
	r->wrong_empty_root = false;
	TRY(note_parse(r->checkpoint, &r->note, e));
	struct err why = {0};
	st_t st = checkpoint_parse(r->note.text, &r->cp, &why);
	if (st > 0 && is_wrong_empty_root(r->note.text, &r->cp)) {
		r->wrong_empty_root = true;
		return ST_OK;
	}
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%s", why.text);
}

st_t witness_request_parse(struct rd body, struct witness_request *ret, struct err *e)
{
	struct rd in = rd_at(&body, body.pos, rd_left(&body));
	if (in.len > WITNESS_BODY_MAX)
		return fail(e, ST_LIMIT, 0, "the body is longer than %zu bytes", WITNESS_BODY_MAX);
	TRY(read_old_size(&in, &ret->old_size, e));
	TRY(read_proof(&in, &ret->proof, e));
	ret->checkpoint = rd_sub(&in, rd_left(&in));
	return read_checkpoint(ret, e);
}
