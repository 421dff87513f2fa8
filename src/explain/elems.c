/* What a part consists of, in words: literals, masks and part programs (enum db_op). The database
 * was checked when it was opened, so programs end and nest as deep as DB_ALT_DEPTH at most. */
#include "explain/words.h"

#include "base/num.h"
#include "base/rd.h"

#include <string.h>

/* Bytes shown in a line. */
#define LINE_BYTES 16u

/* Members of a set that are named one by one. */
#define SET_NAMED 64u

/* What kind of run a byte belongs to. */
enum byte_kind { EXACT, FOLDED, ANY, NIBBLE, MASKED };

static bool is_letter(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
}

static enum byte_kind kind_of(uint8_t value, uint8_t mask)
{
	switch (mask) {
	case 0xff:
		return EXACT;
	case 0:
		return ANY;
	case 0xf0:
	case 0x0f:
		return NIBBLE;
	case 0xdf:
		return is_letter(value) ? FOLDED : MASKED;
	default:
		return MASKED;
	}
}

/* Length of the run at the start. Between letters of either case other bytes are the same in both,
 * so they belong to the run; exact letters do not. */
static size_t run_of(const uint8_t *value, const uint8_t *mask, size_t n, enum byte_kind *ret)
{
	bool exact_letter = false, folded = false;
	*ret = kind_of(value[0], mask[0]);
	size_t i = 0;
	for (; i < n; i++) {
		enum byte_kind k = kind_of(value[i], mask[i]);
		bool text = (k == EXACT || k == FOLDED) && (*ret == EXACT || *ret == FOLDED);
		bool letter = k == EXACT && is_letter(value[i]);
		if (!text && k != *ret)
			break;
		if ((exact_letter && k == FOLDED) || (folded && letter))
			break;
		exact_letter |= letter;
		folded |= k == FOLDED;
	}
	if (folded)
		*ret = FOLDED;
	return i;
}

static void put_dump(struct out *o, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += LINE_BYTES) {
		size_t k = num_min_size(LINE_BYTES, n - i);
		out_bytes(o, p + i, k);
		out_say(o, "%*s", (int)(3 * (LINE_BYTES - k) + 2), "");
		out_quote(o, p + i, k);
		out_remark(o);
	}
}

static void put_literal(struct out *o, const uint8_t *p, size_t n, bool folded, const char *kind)
{
	say_bytes(o, n);
	out_say(o, folded ? ", letters in either case:" : ":");
	if (n <= LINE_BYTES) {
		out_say(o, " ");
		out_bytes(o, p, n);
		out_say(o, "  ");
		out_quote(o, p, n);
	}
	out_open(o, kind);
	out_str(o, "kind", folded ? "bytes_either_case" : "bytes");
	out_num(o, "length", n);
	out_hex(o, "hex", p, n);
	if (n > LINE_BYTES)
		put_dump(o, p, n);
	out_close(o);
}

static void put_any(struct out *o, size_t n)
{
	say_bytes(o, n);
	out_say(o, n == 1 ? ", whatever it is" : ", whatever they are");
	out_open(o, "elements");
	out_str(o, "kind", "any");
	out_num(o, "length", n);
	out_close(o);
}

/* "4? ?1": a question mark is any hex digit. */
static void say_form(struct out *o, const uint8_t *value, const uint8_t *mask, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++)
		out_say(o, "%s%c%c", i ? " " : "", mask[i] & 0xf0 ? digits[value[i] >> 4] : '?',
		        mask[i] & 0x0f ? digits[value[i] & 15] : '?');
}

static void put_nibbles(struct out *o, const uint8_t *value, const uint8_t *mask, size_t n)
{
	say_bytes(o, n);
	out_say(o, " of the form ");
	say_form(o, value, mask, num_min_size(n, LINE_BYTES));
	out_say(o, n > LINE_BYTES ? " ... (each ? is any hex digit)" : " (each ? is any hex digit)");
	out_open(o, "elements");
	out_str(o, "kind", "nibbles");
	out_num(o, "length", n);
	out_hex(o, "value", value, n);
	out_hex(o, "mask", mask, n);
	out_close(o);
}

static void put_masked(struct out *o, const uint8_t *value, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out_say(o, "1 byte whose bits %02x are %02x", mask[i], value[i]);
		out_open(o, "elements");
		out_str(o, "kind", "masked");
		out_hex(o, "value", value + i, 1);
		out_hex(o, "mask", mask + i, 1);
		out_close(o);
	}
}

static void put_runs(struct out *o, const uint8_t *value, const uint8_t *mask, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		enum byte_kind kind;
		k = run_of(value + i, mask + i, n - i, &kind);
		if (kind == EXACT || kind == FOLDED)
			put_literal(o, value + i, k, kind == FOLDED, "elements");
		else if (kind == ANY)
			put_any(o, k);
		else if (kind == NIBBLE)
			put_nibbles(o, value + i, mask + i, k);
		else
			put_masked(o, value + i, mask + i, k);
	}
}

static bool in_set(const uint8_t *set, unsigned b)
{
	return set[b / 8] >> (b % 8) & 1;
}

/* "41 to 5a, 5f" */
static void say_set(struct out *o, const uint8_t *set, bool members)
{
	bool first = true;
	for (unsigned b = 0; b < 256; b++) {
		unsigned last = b;
		if (in_set(set, b) != members)
			continue;
		while (last < 255 && in_set(set, last + 1) == members)
			last++;
		out_say(o, "%s%02x", first ? "" : ", ", b);
		if (last > b)
			out_say(o, last > b + 1 ? " to %02x" : ", %02x", last);
		first = false;
		b = last;
	}
}

static void put_set(struct out *o, const uint8_t *set)
{
	uint8_t text[256];
	size_t n = 0;
	for (unsigned b = 0; b < 256; b++)
		if (in_set(set, b))
			text[n++] = (uint8_t)b;
	bool few = n <= 128;
	if (n == 0)
		out_say(o, "1 byte that cannot be (an empty set: it never matches)");
	else if (n == 256)
		out_say(o, "1 byte, whatever it is");
	else
		out_say(o, few ? "1 byte, one of: " : "1 byte, but none of: ");
	if (n > 0 && n < 256)
		say_set(o, set, few);
	if (n > 0 && n <= SET_NAMED) {
		out_say(o, "  ");
		out_quote(o, text, n);
	}
	out_open(o, "elements");
	out_str(o, "kind", "set");
	out_hex(o, "members", text, n);
	out_close(o);
}

static void put_not(struct out *o, const uint8_t *arg, uint16_t nalts, uint16_t n)
{
	say_bytes(o, n);
	out_say(o, " that %s none of:", n == 1 ? "is" : "are");
	out_open(o, "elements");
	out_str(o, "kind", "none_of");
	out_num(o, "length", n);
	for (uint16_t k = 0; k < nalts; k++, arg += 2 * (size_t)n) {
		enum byte_kind kind = ANY;
		size_t run = n ? run_of(arg, arg + n, n, &kind) : 0;
		if (run == n && (kind == EXACT || kind == FOLDED)) {
			put_literal(o, arg, n, kind == FOLDED, "alternatives");
			continue;
		}
		out_say(o, "alternative %u", k + 1);
		out_open(o, "alternatives");
		put_runs(o, arg, arg + n, n);
		out_close(o);
	}
	out_close(o);
}

static void put_bound(struct out *o, uint8_t kind, uint8_t side)
{
	const char *where = side == 0 ? "in front of this place" : "behind this place";
	const char *edge = side == 0 ? "the start" : "the end";
	if (kind == 'W')
		out_say(o, "%s: a byte that is no letter and no digit, or %s of the file", where, edge);
	else if (kind == 'L')
		out_say(o, "%s: a line end%s, or %s of the file", where,
		        side == 0 ? " (LF)" : " (LF or CR LF)", edge);
	else
		out_say(o, "%s: one of %s, or %s of the file", where,
		        side == 0 ? "space - . / < @ _" : "LF CR space \" ' - / = > _", edge);
	out_open(o, "elements");
	out_str(o, "kind", "boundary");
	out_str(o, "boundary", kind == 'W' ? "W" : kind == 'L' ? "L" : "B");
	out_str(o, "side", side == 0 ? "before" : "behind");
	out_close(o);
}

static void put_near(struct out *o, const uint8_t *arg)
{
	const uint8_t side = arg[0], min = arg[1], max = arg[2], value = arg[3], mask = arg[4];
	if (mask == 0xff)
		out_say(o, "a byte %02x ", value);
	else if (mask == 0)
		out_say(o, "any byte ");
	else {
		out_say(o, "a byte of the form ");
		say_form(o, &value, &mask, 1);
		out_say(o, " ");
	}
	if (mask == 0xff) {
		out_quote(o, &value, 1);
		out_say(o, " ");
	}
	out_say(o, "stands %s this place, with ", side == 0 ? "in front of" : "behind");
	if (min == max)
		say_bytes(o, min);
	else
		out_say(o, "%u to %u bytes", min, max);
	out_say(o, " between");
	out_open(o, "elements");
	out_str(o, "kind", "near");
	out_str(o, "side", side == 0 ? "before" : "behind");
	out_num(o, "min", min);
	out_num(o, "max", max);
	out_hex(o, "value", &value, 1);
	out_hex(o, "mask", &mask, 1);
	out_close(o);
}

static void put_sequence(struct out *o, struct rd *r);

/* True if the branch at r is some bytes and nothing else; they are shown in one line then. */
static bool put_plain_branch(struct out *o, struct rd *r)
{
	struct rd b = *r;
	if (rd_u8(&b) != DB_OP_BYTES)
		return false;
	uint16_t n = rd_u16le(&b);
	const uint8_t *p = rd_take(&b, n);
	if (!p || rd_u8(&b) != DB_OP_JUMP)
		return false;
	put_literal(o, p, n, false, "alternatives");
	rd_skip(&b, 2);
	*r = b;
	return true;
}

/* The rest of an ALT; r is behind its last branch afterwards. */
static void put_alt(struct out *o, struct rd *r)
{
	uint16_t n = rd_u16le(r);
	rd_skip(r, 2 * (size_t)n);
	out_say(o, "one of these %u:", n);
	out_open(o, "elements");
	out_str(o, "kind", "one_of");
	for (uint16_t k = 0; k < n && !r->bad; k++) {
		if (put_plain_branch(o, r))
			continue;
		out_say(o, "alternative %u:", k + 1);
		if (rd_byte(r, r->pos) == DB_OP_JUMP)
			out_say(o, " nothing");
		out_open(o, "alternatives");
		put_sequence(o, r);
		out_close(o);
	}
	out_close(o);
}

static void put_op(struct out *o, uint8_t op, struct rd *r)
{
	static const uint8_t all[1] = {0};
	uint16_t n = 0, m;
	const uint8_t *p;
	switch (op) {
	case DB_OP_BYTES:
		n = rd_u16le(r);
		p = rd_take(r, n);
		if (p && n)
			put_literal(o, p, n, false, "elements");
		return;
	case DB_OP_MASKED:
		n = rd_u16le(r);
		p = rd_take(r, 2 * (size_t)n);
		if (p)
			put_runs(o, p, p + n, n);
		return;
	case DB_OP_SKIP:
		put_any(o, rd_u16le(r));
		return;
	case DB_OP_SET:
		p = rd_take(r, 32);
		if (p)
			put_set(o, p);
		return;
	case DB_OP_NOT:
		n = rd_u16le(r);
		m = rd_u16le(r);
		p = rd_take(r, 2 * (size_t)n * m);
		put_not(o, p ? p : all, p ? n : 0, m);
		return;
	case DB_OP_BOUND:
		p = rd_take(r, 2);
		if (p)
			put_bound(o, p[0], p[1]);
		return;
	case DB_OP_NEAR:
		p = rd_take(r, 5);
		if (p)
			put_near(o, p);
		return;
	default:
		put_alt(o, r);
	}
}

/* Up to the END, or behind the JUMP, that ends the sequence. */
static void put_sequence(struct out *o, struct rd *r)
{
	while (!r->bad && rd_left(r) > 0 && o->st == ST_OK) {
		uint8_t op = rd_u8(r);
		if (op == DB_OP_JUMP)
			rd_skip(r, 2);
		if (op == DB_OP_END || op == DB_OP_JUMP)
			return;
		put_op(o, op, r);
	}
}

void explain_part(struct out *o, const struct db_view *db, const struct db_part *p)
{
	const uint8_t *code = db->code + p->code;
	if (p->kind == DB_PART_LITERAL) {
		put_literal(o, code, p->min_len, false, "elements");
	} else if (p->kind == DB_PART_MASKED) {
		put_runs(o, code, code + p->min_len, p->min_len);
	} else {
		struct rd r = rd_make(code, p->code_len);
		put_sequence(o, &r);
	}
}

/* -- fixed bytes ---------------------------------------------------------------------------- */

struct window {
	uint32_t at, n;
	uint8_t *value, *mask;
	uint64_t pos; /* in the part */
};

static void window_add(struct window *w, const uint8_t *value, const uint8_t *mask, uint32_t n)
{
	for (uint32_t i = 0; i < n && value; i++) {
		uint64_t at = w->pos + i;
		if (at < w->at || at - w->at >= w->n)
			continue;
		w->value[at - w->at] = value[i];
		w->mask[at - w->at] = mask ? mask[i] : 0xff;
	}
	w->pos += n;
}

/* Over an op whose matches have one length; false at an alternation, behind which nothing is known
 * here. */
static bool window_op(struct window *w, struct rd *r)
{
	uint16_t n, m;
	const uint8_t *p;
	switch (rd_u8(r)) {
	case DB_OP_BYTES:
		n = rd_u16le(r);
		window_add(w, rd_take(r, n), NULL, n);
		return true;
	case DB_OP_MASKED:
		n = rd_u16le(r);
		p = rd_take(r, 2 * (size_t)n);
		window_add(w, p, p ? p + n : NULL, n);
		return true;
	case DB_OP_SKIP:
		w->pos += rd_u16le(r);
		return true;
	case DB_OP_SET:
		rd_skip(r, 32);
		w->pos++;
		return true;
	case DB_OP_NOT:
		n = rd_u16le(r);
		m = rd_u16le(r);
		rd_skip(r, 2 * (size_t)n * m);
		w->pos += m;
		return true;
	case DB_OP_BOUND:
		rd_skip(r, 2);
		return true;
	case DB_OP_NEAR:
		rd_skip(r, 5);
		return true;
	default:
		return false;
	}
}

/* Over an alternation whose branches are all as long as the first one; the position of `r` is
 * behind it afterwards. Nested ones are given up on. */
static bool window_alt(struct window *w, struct rd *r)
{
	uint16_t n = rd_u16le(r);
	struct window none = {.pos = 0};
	uint64_t len = 0;
	rd_skip(r, 2 * (size_t)n);
	for (uint16_t k = 0; k < n && !r->bad; k++) {
		none.pos = 0;
		while (!r->bad && rd_byte(r, r->pos) != DB_OP_JUMP)
			if (!window_op(&none, r))
				return false;
		rd_skip(r, 3);
		if (k > 0 && none.pos != len)
			return false;
		len = none.pos;
	}
	w->pos += len;
	return !r->bad;
}

void part_window(const struct db_view *db, const struct db_part *p, uint32_t at, uint32_t n,
                 uint8_t *value, uint8_t *mask)
{
	struct window w = {.at = at, .n = n, .value = value, .mask = mask};
	const uint8_t *code = db->code + p->code;
	memset(value, 0, n);
	memset(mask, 0, n);
	if (p->kind != DB_PART_PROGRAM) {
		window_add(&w, code, p->kind == DB_PART_MASKED ? code + p->min_len : NULL, p->min_len);
		return;
	}
	struct rd r = rd_make(code, p->code_len);
	while (!r.bad && w.pos < (uint64_t)at + n && rd_left(&r) > 0) {
		bool alt = rd_byte(&r, r.pos) == DB_OP_ALT;
		if (alt)
			rd_skip(&r, 1);
		if (alt ? !window_alt(&w, &r) : !window_op(&w, &r))
			return;
	}
}
