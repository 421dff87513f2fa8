/* Offline proofs (C2SP tlog-proof), read from hostile bytes and written. */
#include "tlog/proof.h"

#include "tlog/text.h"

#include <string.h>

#define HEADER "c2sp.org/tlog-proof@v1"

/* Hashes of the longest path: a tree of 2^63 - 1 leaves has 63 levels above them. */
#define PATH_MAX_HASHES 63

struct proof_reader {
	struct rd in;
	struct rd line;
	uint64_t off; /* of the line */
	struct err *e;
};

#define BAD(r, ...) fail((r)->e, ST_MALFORMED, (r)->off, "tlog-proof: " __VA_ARGS__)

/* "The proof is a sequence of lines separated by newlines (U+000A)." */
static st_t next_line(struct proof_reader *r)
{
	r->off = r->in.pos;
	if (!text_line(&r->in, &r->line))
		return BAD(r, "it ends before the empty line and the checkpoint");
	if (r->line.len && rd_byte(&r->line, r->line.len - 1) == '\r')
		return BAD(r, "lines end with a newline (U+000A), this one with CR LF");
	return ST_OK;
}

/* The rest of the line behind a keyword, if it starts with that. */
static bool line_after(const struct proof_reader *r, const char *keyword, struct rd *ret)
{
	size_t n = strlen(keyword);
	if (!rd_peek(&r->line, keyword, n))
		return false;
	*ret = rd_at(&r->line, n, r->line.len - n);
	return true;
}

/* "The second line MAY start with the string `extra` followed by a space (U+0020) and
 * base64-encoded opaque extra data. If no extra data is present, this line is omitted." */
static st_t read_extra(struct proof_reader *r, struct offline_proof *p)
{
	size_t n;
	if (!line_after(r, "extra ", &p->extra_base64))
		return ST_OK;
	if (!text_base64_check(p->extra_base64, &n))
		return BAD(r, "the extra data is not base64 (RFC 4648 section 4)");
	if (n > PROOF_EXTRA_MAX)
		return fail(r->e, ST_LIMIT, r->off, "tlog-proof: more than %zu bytes of extra data",
		            PROOF_EXTRA_MAX);
	if (n == 0)
		return BAD(r, "an extra line without data; it is to be omitted");
	p->has_extra = true;
	return next_line(r);
}

/* "The next line MUST start with the string `index` followed by a space (U+0020) and the zero-based
 * index of the entry in the log, represented as an ASCII decimal with no leading zeroes (unless the
 * index is `0`)." */
static st_t read_index(struct proof_reader *r, struct offline_proof *p)
{
	struct rd digits;
	if (!line_after(r, "index ", &digits))
		return BAD(r, "the line must start with \"index \"");
	if (!text_decimal(digits, &p->index))
		return BAD(r, "the index is not an ASCII decimal with no leading zeroes");
	if (p->index >= TLOG_SIZE_MAX)
		return BAD(r, "the index is 2^63 - 1 or more");
	return ST_OK;
}

/* "The next zero or more non-empty lines are the base64-encoded Merkle inclusion proof [...], one
 * SHA-256 hash per line [...]. After the inclusion proof lines and an empty line, the
 * checkpoint". */
static st_t read_path(struct proof_reader *r, struct offline_proof *p)
{
	for (;;) {
		TRY(next_line(r));
		if (r->line.len == 0)
			return ST_OK;
		if (p->proof.n == PATH_MAX_HASHES)
			return BAD(r, "more than %d hashes; no tree is that high", PATH_MAX_HASHES);
		if (!text_hash(r->line, &p->proof.hash[p->proof.n]))
			return BAD(r, "hash %zu is not the base64 of 32 bytes", p->proof.n + 1);
		p->proof.n++;
	}
}

st_t offline_proof_parse(struct rd in, struct offline_proof *ret, struct err *e)
{
	struct proof_reader r = {.in = in, .e = e};
	struct offline_proof p = {0};
	if (rd_left(&in) > PROOF_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "tlog-proof: more than %zu bytes", PROOF_SIZE_MAX);
	TRY(next_line(&r));
	if (!text_is(r.line, HEADER))
		return BAD(&r, "the first line must be \"" HEADER "\"");
	TRY(next_line(&r));
	TRY(read_extra(&r, &p));
	TRY(read_index(&r, &p));
	TRY(read_path(&r, &p));
	r.off = r.in.pos;
	if (rd_left(&r.in) == 0)
		return BAD(&r, "it ends before the checkpoint");
	p.checkpoint = rd_sub(&r.in, rd_left(&r.in));
	*ret = p;
	return ST_OK;
}

static st_t check_path(const struct offline_proof *p, const struct checkpoint *c,
                       const struct tlog_hash *leaf, struct err *e)
{
	struct tlog_hasher h;
	TRY(tlog_hasher_init(&h, e));
	st_t st = tlog_check_inclusion(&h, leaf, p->index, c->size, &p->proof, &c->root, e);
	tlog_hasher_done(&h);
	return st;
}

st_t offline_proof_check(const struct policy *p, struct rd in, const struct tlog_hash *leaf,
                         struct checkpoint *ret_checkpoint, struct policy_verdict *ret,
                         struct err *e)
{
	struct offline_proof proof;
	struct note note;
	struct checkpoint c;
	struct policy_verdict v;
	TRY(offline_proof_parse(in, &proof, e));
	TRY(policy_check(p, proof.checkpoint, &note, &c, &v, e));
	TRY(check_path(&proof, &c, leaf, e));
	if (ret_checkpoint)
		*ret_checkpoint = c;
	if (ret)
		*ret = v;
	return ST_OK;
}

void offline_proof_format(const void *extra, size_t nextra, uint64_t index,
                          const struct tlog_proof *proof, struct rd checkpoint, struct buf *out)
{
	buf_add(out, HEADER "\n", strlen(HEADER "\n"));
	if (extra && nextra) {
		buf_add(out, "extra ", 6);
		text_base64_add(out, extra, nextra);
		buf_u8(out, '\n');
	}
	buf_add(out, "index ", 6);
	text_decimal_add(out, index);
	buf_u8(out, '\n');
	for (size_t i = 0; i < proof->n; i++) {
		text_base64_add(out, proof->hash[i].b, TLOG_HASH);
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
	buf_add(out, checkpoint.base, checkpoint.len);
}
