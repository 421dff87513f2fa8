/* Check of part programs (enum db_op). A program is at most 64 KiB, because its offsets are 16-bit;
 * so is the bitmap of op starts against which branch targets are checked. */
#include "db/view.h"

#include "base/rd.h"

#define PROGRAM_MAX 65536u

struct starts {
	uint64_t bit[PROGRAM_MAX / 64];
};

static bool is_start(const struct starts *s, size_t at)
{
	return at < PROGRAM_MAX && (s->bit[at / 64] >> (at % 64) & 1);
}

/* Moves behind one op. */
static void skip_op(struct rd *r, uint8_t op)
{
	uint16_t n, m;
	switch (op) {
	case DB_OP_END:
		return;
	case DB_OP_BYTES:
		n = rd_u16le(r);
		rd_skip(r, n);
		return;
	case DB_OP_MASKED:
		n = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n);
		return;
	case DB_OP_SKIP:
	case DB_OP_JUMP:
	case DB_OP_BOUND:
		rd_skip(r, 2);
		return;
	case DB_OP_SET:
		rd_skip(r, 32);
		return;
	case DB_OP_NOT:
		n = rd_u16le(r);
		m = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n * m);
		return;
	case DB_OP_ALT:
		n = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n);
		return;
	default:
		r->bad = true;
	}
}

static st_t find_starts(const uint8_t *code, size_t len, struct starts *ret, struct err *e)
{
	struct rd r = rd_make(code, len);
	uint8_t op = DB_OP_COUNT;
	while (rd_left(&r) > 0 && !r.bad) {
		if (op == DB_OP_END)
			return fail(e, ST_MALFORMED, r.pos, "part program: code behind its end");
		ret->bit[r.pos / 64] |= UINT64_C(1) << (r.pos % 64);
		op = rd_u8(&r);
		skip_op(&r, op);
	}
	TRY(rd_check(&r, e, "part program"));
	return op == DB_OP_END ? ST_OK : fail(e, ST_MALFORMED, len, "part program: no end");
}

/* Offsets count from the op's own byte and must move forward, or a program would not end. */
static bool target_ok(const struct starts *s, size_t at, uint16_t off, size_t len)
{
	return off > 0 && at + off < len && is_start(s, at + off);
}

static st_t check_targets(const uint8_t *code, size_t len, const struct starts *s, struct err *e)
{
	struct rd r = rd_make(code, len);
	while (rd_left(&r) > 0) {
		size_t at = r.pos;
		uint8_t op = rd_u8(&r);
		struct rd arg = r;
		skip_op(&r, op);
		if (op != DB_OP_ALT && op != DB_OP_JUMP)
			continue;
		uint16_t n = op == DB_OP_ALT ? rd_u16le(&arg) : 1;
		for (uint16_t k = 0; k < n; k++)
			if (!target_ok(s, at, rd_u16le(&arg), len))
				return fail(e, ST_MALFORMED, at, "part program: wild branch");
	}
	return ST_OK;
}

st_t db_check_program(const uint8_t *code, size_t len, struct err *e)
{
	if (len == 0 || len > PROGRAM_MAX)
		return fail(e, ST_MALFORMED, len, "part program: length %zu", len);
	struct starts s = {0};
	TRY(find_starts(code, len, &s, e));
	return check_targets(code, len, &s, e);
}
