/* Byte comparisons as sub-signatures: "id(offset#options#comparisons)".
 *
 *   offset      := [">>" | "<<"] number        from the start of the last match of `id`
 *   options     := base, byte order, "e" and the number of bytes, as in "hbe4"
 *   comparisons := ("<" | "=" | ">") number, one or two of them with a comma between
 *
 * Without ">>" or "<<" the offset is empty or begins with 0, and is 0.
 * As ClamAV reads them: numbers as strtoll() does, with blanks and a sign in front; "" is 0. */
#include "sig/subsig.h"

#include "db/layout.h"

#include <ctype.h>

bool sig_is_compare(struct str s)
{
	struct str head, tail;
	if (!str_cut(s, '(', &head, &tail) || !str_cut(tail, '#', &head, &tail))
		return false;
	return str_cut(tail, '#', &head, &tail);
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Digits of base 10, or 16 behind "0x"; beyond 63 bits it is the largest number. */
static bool read_digits(struct str s, uint64_t *ret)
{
	bool hex = str_starts(s, "0x") || str_starts(s, "0X");
	uint64_t v = 0, base = hex ? 16 : 10;
	s = str_from(s, hex ? 2 : 0);
	if (hex && !s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int d = hex_value(s.p[i]);
		if (d < 0 || (uint64_t)d >= base)
			return false;
		bool over = v > ((uint64_t)INT64_MAX - (uint64_t)d) / base;
		v = over ? (uint64_t)INT64_MAX : v * base + (uint64_t)d;
	}
	*ret = v;
	return true;
}

static bool read_number(struct str s, int64_t *ret)
{
	while (s.n && blank(s.p[0]))
		s = str_from(s, 1);
	bool minus = str_starts(s, "-");
	uint64_t v;
	if (!read_digits(str_from(s, minus || str_starts(s, "+")), &v))
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool read_offset(struct str s, int64_t *ret)
{
	bool back = str_starts(s, "<<");
	if (!back && !str_starts(s, ">>"))
		return !s.n || str_starts(s, "0"); /* as clamscan: 0, whatever number follows */
	if (s.n == 2)
		return true;
	if (!read_number(str_from(s, 2), ret))
		return false;
	*ret = back ? -*ret : *ret;
	return true;
}

#define HEX_LEN_MAX 18
/* clamscan takes fewer characters, and options without a base, but nothing ever compares then. */
#define AUTO_LEN_MIN 3

static bool check_options(const struct ir_compare *c)
{
	if (c->len == 0 || c->len > DB_COMPARE_LEN_MAX)
		return false;
	if (c->base == DB_CMP_HEX)
		return c->len <= HEX_LEN_MAX;
	if (c->base == DB_CMP_DECIMAL)
		return c->order != DB_CMP_LITTLE;
	return c->base != DB_CMP_RAW || c->len == 1 || c->len == 2 || c->len == 4 || c->len == 8;
}

/* Letters in any order, then the number of bytes. */
static bool read_options(struct str s, struct ir_compare *c, bool *ret_base)
{
	static const char bases[] = "hdai", orders[] = "lb";
	bool has_base = false;
	c->base = DB_CMP_AUTO;
	for (; s.n && isalpha((unsigned char)s.p[0]); s = str_from(s, 1)) {
		const char *base = strchr(bases, s.p[0]), *order = strchr(orders, s.p[0]);
		if (s.p[0] == 'e') {
			c->exact = true;
		} else if (base && !has_base) {
			c->base = (uint8_t)(base - bases);
			has_base = true;
		} else if (order && c->order == DB_CMP_NO_ORDER) {
			c->order = (uint8_t)(order - orders + DB_CMP_LITTLE);
		} else {
			return false;
		}
	}
	*ret_base = has_base;
	uint64_t n = str_u64(s);
	c->len = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return s.n && str_all_digits(s) && check_options(c);
}

static bool read_comparisons(struct str s, struct ir_compare *c)
{
	struct str part[2];
	size_t n = str_split(s, ',', part, 2);
	if (n > 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!part[i].n || !strchr("<=>", part[i].p[0]) ||
		    !read_number(str_from(part[i], 1), &c->value[i]))
			return false;
		c->op[i] = part[i].p[0];
	}
	c->n = (uint8_t)n;
	return true;
}

st_t sig_compare(struct sig_reader *r, struct str s, uint32_t nsubsigs, struct ir_subsig *sub)
{
	struct str id, inside, tail, f[3];
	struct ir_compare *c;
	bool has_base = false;
	TRY(sig_alloc(r, 1, sizeof *c, &c));
	str_cut(s, '(', &id, &inside);
	if (!str_all_digits(id))
		return sig_bad(r, "byte comparison without the id of a sub-signature: '%.*s'", SIG_SHOW(s));
	if (!str_cut(inside, ')', &inside, &tail))
		return sig_bad(r, "byte comparison without ')': '%.*s'", SIG_SHOW(s));
	bool ok = str_split(inside, '#', f, 3) == 3 && read_offset(f[0], &c->offset) &&
	          read_options(f[1], c, &has_base) && read_comparisons(f[2], c);
	if (!ok)
		return sig_bad(r, "byte comparison is not id(>>offset#options#=value): '%.*s'",
		               SIG_SHOW(s));
	uint64_t n = str_u64(id);
	/* An id that is not there never matches, and neither does the comparison. */
	bool never = !has_base || (c->base == DB_CMP_AUTO && c->len < AUTO_LEN_MIN);
	c->subsig = n < nsubsigs && !never ? (uint32_t)n : UINT32_MAX;
	sub->kind = IR_SUBSIG_COMPARE;
	sub->compare = c;
	return ST_OK;
}
