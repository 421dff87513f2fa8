/* Check of part programs (enum db_op): every op is whole, alternatives nest as the compiler writes
 * them, and the program takes as many bytes as its part says.
 *
 *   program  := sequence END
 *   sequence := op*                                      op: anything but ALT, JUMP and END
 *             | sequence alternation sequence
 *   alternation := ALT n offsets, n branches one behind the other
 *   branch   := sequence JUMP to behind the last branch
 *
 * So a program runs once over its bytes, however its alternatives nest. */
#include "db/view.h"

#include "base/rd.h"

/* Offsets in a program are 16-bit. */
#define PROGRAM_MAX 65536u

/* A sequence and what ended it. */
struct seq {
	uint64_t min, max; /* bytes that a match of it takes */
	uint8_t op;        /* DB_OP_END or DB_OP_JUMP */
	size_t target;     /* of the jump */
};

static st_t broken(const struct rd *r, struct err *e, const char *why)
{
	return fail(e, ST_MALFORMED, r->pos, "part program: %s", why);
}

static st_t check_seq(struct rd *r, unsigned depth, struct seq *ret, struct err *e);

/* An op without branches; *ret_len is the bytes that it takes. */
static st_t check_op(struct rd *r, uint8_t op, uint64_t *ret_len, struct err *e)
{
	uint16_t n = 1, m;
	uint8_t kind, side;
	switch (op) {
	case DB_OP_BYTES:
		n = rd_u16le(r);
		rd_skip(r, n);
		break;
	case DB_OP_MASKED:
		n = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n);
		break;
	case DB_OP_SKIP:
		n = rd_u16le(r);
		break;
	case DB_OP_SET:
		rd_skip(r, 32);
		break;
	case DB_OP_NOT:
		m = rd_u16le(r);
		n = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n * m);
		break;
	case DB_OP_BOUND:
		n = 0;
		kind = rd_u8(r);
		side = rd_u8(r);
		if ((kind != 'B' && kind != 'L' && kind != 'W') || side > 1)
			return broken(r, e, "unknown boundary");
		break;
	case DB_OP_NEAR:
		n = 0;
		side = rd_u8(r);
		rd_skip(r, 4);
		if (side > 1)
			return broken(r, e, "unknown side");
		break;
	default:
		return broken(r, e, "unknown op");
	}
	*ret_len = n;
	return rd_check(r, e, "part program");
}

/* The rest of an ALT whose op byte stands at `at`. */
static st_t check_alt(struct rd *r, size_t at, unsigned depth, struct seq *ret, struct err *e)
{
	uint16_t n = rd_u16le(r);
	struct rd offsets = rd_sub(r, 2 * (size_t)n);
	TRY(rd_check(r, e, "part program"));
	if (n == 0 || depth >= DB_ALT_DEPTH)
		return broken(r, e, "no alternatives, or nested too deep");
	*ret = (struct seq){.min = UINT64_MAX};
	for (uint16_t k = 0; k < n; k++) {
		struct seq b;
		if (at + rd_u16le(&offsets) != r->pos)
			return broken(r, e, "branches do not follow each other");
		TRY(check_seq(r, depth + 1, &b, e));
		if (b.op != DB_OP_JUMP || (k > 0 && b.target != ret->target))
			return broken(r, e, "branches do not meet");
		ret->target = b.target;
		ret->min = b.min < ret->min ? b.min : ret->min;
		ret->max = b.max > ret->max ? b.max : ret->max;
	}
	return ret->target == r->pos ? ST_OK : broken(r, e, "branches end elsewhere");
}

static st_t check_seq(struct rd *r, unsigned depth, struct seq *ret, struct err *e)
{
	*ret = (struct seq){0};
	for (;;) {
		size_t at = r->pos;
		uint8_t op = rd_u8(r);
		TRY(rd_check(r, e, "part program"));
		if (op == DB_OP_END || op == DB_OP_JUMP) {
			ret->op = op;
			ret->target = at + (op == DB_OP_JUMP ? rd_u16le(r) : 0u);
			return rd_check(r, e, "part program");
		}
		struct seq x = {0};
		if (op == DB_OP_ALT) {
			TRY(check_alt(r, at, depth, &x, e));
		} else {
			TRY(check_op(r, op, &x.min, e));
			x.max = x.min;
		}
		ret->min += x.min;
		ret->max += x.max;
	}
}

st_t db_check_program(const uint8_t *code, size_t len, uint64_t *ret_min, uint64_t *ret_max,
                      struct err *e)
{
	struct rd r = rd_make(code, len);
	struct seq s;
	if (len == 0 || len > PROGRAM_MAX)
		return fail(e, ST_MALFORMED, len, "part program: length %zu", len);
	TRY(check_seq(&r, 0, &s, e));
	if (s.op != DB_OP_END || r.pos != len)
		return broken(&r, e, "does not end where its part ends");
	*ret_min = s.min;
	*ret_max = s.max;
	return ST_OK;
}
