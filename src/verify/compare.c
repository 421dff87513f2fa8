/* Byte comparisons: a number in the object, near a match, against one or two others. Everything
 * here follows what clamscan 1.4.6 does (doc/format/signatures.md, "Byte comparisons"):
 *
 * - The place counts from the start of the last match of the sub-signature it hangs on; all bytes
 *   of the number must lie in the object, not at its very start.
 * - Text numbers are read as strtoll() does: blanks, a sign or (hexadecimal) "0x", not both,
 *   digits, and no further than the first other character; no digits are 0; a number beyond 63
 *   bits never compares. With `exact` there are no blanks in front and nothing behind.
 * - Hexadecimal text in little-endian order is its characters, in pairs, from behind; a "0" goes
 *   in front of an odd number of them, other than one. From a pair with anything but digits (or x)
 *   on all are zeroes. `exact`, as many characters are read as there were: so an odd number of
 *   them has to begin with x, which is read no further.
 * - Raw numbers are signed only if they have 8 bytes. */
#include "verify/view.h"

#include "base/rd.h"

#include <string.h>

struct number {
	const uint8_t *p;
	uint32_t len;
	uint32_t at; /* next character */
};

static int peek(const struct number *n)
{
	return n->at < n->len ? n->p[n->at] : -1;
}

static bool blank(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit(int c, int base)
{
	int v = -1;
	if (c >= '0' && c <= '9')
		v = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		v = (c | 0x20) - 'a' + 10;
	return v < base ? v : -1;
}

static bool starts_hex(const struct number *n)
{
	return n->at + 1 < n->len && n->p[n->at] == '0' && (n->p[n->at + 1] | 0x20) == 'x';
}

/* Digits from n->at on; *ret_over if they make more than 63 bits. */
static uint32_t read_digits(struct number *n, int base, uint64_t *ret, bool *ret_over)
{
	const uint64_t max = INT64_MAX;
	uint32_t count = 0;
	uint64_t v = 0;
	for (int d; (d = digit(peek(n), base)) >= 0; n->at++, count++) {
		*ret_over |= v > (max - (uint64_t)d) / (uint64_t)base;
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*ret = v;
	return count;
}

static bool is_hex(const struct db_compare *c, const struct number *n)
{
	return c->base == DB_CMP_HEX || (c->base == DB_CMP_AUTO && starts_hex(n));
}

static void skip_blanks(struct number *n)
{
	while (blank(peek(n)))
		n->at++;
}

#define AUTO_MIN 3u /* characters from which on the base of a number is found out */

/* `end`: where an exact number ends. */
static bool read_text(const struct db_compare *c, struct number *n, uint32_t end, int64_t *ret)
{
	if (!c->exact)
		skip_blanks(n);
	if (c->base == DB_CMP_AUTO && n->len - n->at < AUTO_MIN)
		return false;
	bool hex = is_hex(c, n), minus = peek(n) == '-', over = false;
	if (minus || peek(n) == '+')
		n->at++;
	else if (hex && starts_hex(n))
		n->at += 2;
	uint64_t v;
	uint32_t digits = read_digits(n, hex ? 16 : 10, &v, &over);
	if (over || (c->exact && (digits == 0 || n->at != end)))
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

#define SWAPPED_MAX 32u /* characters; longer numbers do not fit 63 bits */

static bool in_number(int c)
{
	return digit(c, 16) >= 0 || c == 'x' || c == 'X';
}

/* The characters from n->at on in pairs from behind, in `room` zeroes. */
static void swap_pairs(struct number *n, uint8_t *text, uint32_t room)
{
	bool odd = (n->len - n->at) % 2;
	memset(text, '0', room);
	for (; n->at < n->len; odd = false) {
		int high = odd ? '0' : n->p[n->at], low = n->p[n->at + !odd];
		if (!in_number(high) || !in_number(low))
			return;
		room -= 2;
		text[room] = (uint8_t)high;
		text[room + 1] = (uint8_t)low;
		n->at += odd ? 1 : 2;
	}
}

static bool read_swapped(const struct db_compare *c, struct number *n, int64_t *ret)
{
	struct db_compare plain = {.base = DB_CMP_HEX, .order = DB_CMP_BIG, .exact = c->exact};
	uint8_t text[SWAPPED_MAX];
	if (c->exact && (blank(peek(n)) || starts_hex(n)))
		return false;
	skip_blanks(n);
	if (c->base == DB_CMP_AUTO && n->len - n->at < AUTO_MIN)
		return false;
	if (!is_hex(c, n))
		return false; /* a decimal number has no such order */
	n->at += starts_hex(n) ? 2 : 0;
	uint32_t len = n->len - n->at, room = len + len % 2;
	if (len == 1)
		return read_text(&plain, n, n->len, ret);
	if (room > SWAPPED_MAX)
		return false;
	swap_pairs(n, text, room);
	return read_text(&plain, &(struct number){.p = text, .len = room}, len, ret);
}

static int64_t read_raw(const struct db_compare *c, const uint8_t *p)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < c->len; i++)
		v = v << 8 | p[c->order == DB_CMP_BIG ? i : c->len - 1 - i];
	return (int64_t)v;
}

static bool read_number(const struct db_compare *c, const uint8_t *p, int64_t *ret)
{
	/* Only decimal text can do without a byte order. */
	if (c->order == DB_CMP_NO_ORDER && c->base != DB_CMP_DECIMAL)
		return false;
	struct number text = {.p = p, .len = c->len};
	if (c->base == DB_CMP_RAW) {
		*ret = read_raw(c, p);
		return true;
	}
	return c->order == DB_CMP_LITTLE ? read_swapped(c, &text, ret)
	                                    : read_text(c, &text, c->len, ret);
}

static bool all_hold(const struct db_compare *c, int64_t x)
{
	for (uint32_t i = 0; i < c->ncmp; i++) {
		bool holds = c->op[i] == '=' ? x == c->value[i]
		             : c->op[i] == '<' ? x < c->value[i] : x > c->value[i];
		if (!holds)
			return false;
	}
	return true;
}

/* Of the patterns of a sub-signature, the match that comes last. */
static bool last_start(struct view *v, const struct db_pattern *p, uint32_t n, struct link *links,
                       size_t *ret)
{
	bool found = false;
	size_t last = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct last_match m;
		if (!pattern_last(v, p + i, links, &m) || (found && m.last_part < last))
			continue;
		found = true;
		last = m.last_part;
		*ret = m.start;
	}
	return found;
}

bool compare_holds(struct view *v, const struct db_sig *s, const struct db_pattern *p,
                   struct link *links)
{
	const struct db_compare *c = &v->db->compare[p->part];
	const struct db_pattern *on = &v->db->pattern[s->pattern + c->first];
	size_t start = 0;
	if (v->facts->in_windows && s->target == TARGET_TEXT)
		return false;
	if (!last_start(v, on, c->n, links, &start))
		return false;
	int64_t at = (int64_t)start + c->offset, x;
	if (at <= 0 || (uint64_t)at > v->size || v->size - (uint64_t)at < c->len)
		return false;
	return read_number(c, v->data + at, &x) && all_hold(c, x);
}
