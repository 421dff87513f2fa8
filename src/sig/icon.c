/* Icon signatures: .idb "Name:Group1:Group2:Hash". Checked; not active.
 *
 * The hash is 124 hex digits: the width in two (10, 18, 20: 16, 24, 32 points), six records of a
 * three-digit value, x and y, twelve of a two-digit value, x and y, four percentages. Areas are two
 * points wide, so x and y end two before the width. The layout was found with made-up lines. */
#include "sig/text.h"

#define DIGITS 124
#define LONG_RECORDS 6
#define SHORT_RECORDS 12
#define PERCENTAGES 4

enum { F_NAME, F_GROUP1, F_GROUP2, F_HASH, F_COUNT };

/* The next n digits as a number. */
static uint32_t take(struct str *s, size_t n)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 4 | (uint32_t)hex_value(s->p[i]);
	*s = str_from(*s, n);
	return v;
}

static bool take_records(struct str *s, unsigned count, size_t digits, uint32_t max)
{
	bool ok = true;
	for (unsigned i = 0; i < count; i++) {
		take(s, digits);
		ok &= take(s, 2) <= max;
		ok &= take(s, 2) <= max;
	}
	return ok;
}

static bool is_icon_hash(struct str s)
{
	if (s.n != DIGITS || !str_all_hex(s))
		return false;
	uint32_t width = take(&s, 2);
	if (width != 16 && width != 24 && width != 32)
		return false;
	bool ok = take_records(&s, LONG_RECORDS, 3, width - 2);
	ok &= take_records(&s, SHORT_RECORDS, 2, width - 2);
	for (unsigned i = 0; i < PERCENTAGES; i++)
		ok &= take(&s, 2) <= 100;
	return ok;
}

st_t sig_line_idb(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = str_split(line, ':', f, F_COUNT);
	if (n != F_COUNT)
		return sig_bad(r, "an icon signature has 4 fields, this one has %zu", n);
	if (!is_icon_hash(f[F_HASH]))
		return sig_bad(r, "not the hash of an icon: '%.*s'", SIG_SHOW(f[F_HASH]));
	ir_count_inactive(r->set, "icon signature (.idb)");
	return ST_OK;
}
