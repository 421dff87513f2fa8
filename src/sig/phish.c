/* Phishing lists: .pdb and .gdb (which ClamAV reads alike) and .wdb. Checked line by line; not
 * active until mail is taken apart.
 *
 *   .pdb .gdb  R...:Regex[:FL]  H...:Host[:FL]  S...:P:Hex  S...:F:Hex  S...:W:Hex
 *   .wdb       X...:Regex:Regex[:FL]  M...:Host:Host[:FL]  Y...:Regex
 *
 * FL is "min-max", either may be left out; anything else is part of what stands in front. The
 * letter decides, not what follows it up to the colon. */
#include "sig/text.h"

#define WHAT_PDB "phishing signature (.pdb)"
#define WHAT_GDB "hashed address (.gdb)"
#define WHAT_WDB "phishing allow list entry (.wdb)"

/* Takes ":min-max" off the end; false if it leaves this engine out. The upper end is exclusive. */
static bool take_level(struct str *s)
{
	size_t colon = s->n;
	while (colon && s->p[colon - 1] != ':')
		colon--;
	struct str lo, hi;
	if (!colon || !str_cut(str_from(*s, colon), '-', &lo, &hi) || !str_all_digits(lo) ||
	    !str_all_digits(hi))
		return true;
	s->n = colon - 1;
	return str_u64(lo) <= SIG_FLEVEL && (!hi.n || str_u64(hi) > SIG_FLEVEL);
}

/* Splits "letter...:rest". *ret_in is false for a line that is not for this level. */
static st_t read_head(struct sig_reader *r, struct str line, char *ret_kind, struct str *ret_rest,
                      bool *ret_in)
{
	struct str kind;
	*ret_in = take_level(&line);
	if (!*ret_in) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (!str_cut(line, ':', &kind, ret_rest))
		return sig_bad(r, "no ':' in an entry of a phishing list: '%.*s'", SIG_SHOW(line));
	if (!ret_rest->n)
		return sig_bad(r, "nothing behind the ':': '%.*s'", SIG_SHOW(line));
	*ret_kind = kind.n ? kind.p[0] : '\0';
	return ST_OK;
}

/* "P:Hex", "F:Hex" or "W:Hex". */
static st_t check_address_hash(struct sig_reader *r, struct str s)
{
	struct str kind, hex;
	if (!str_cut(s, ':', &kind, &hex) || kind.n != 1 || !strchr("PFW", kind.p[0]))
		return sig_bad(r, "a hashed address is P:, F: or W: and hex digits: '%.*s'", SIG_SHOW(s));
	if (!hex.n || hex.n % 2 || !str_all_hex(hex))
		return sig_bad(r, "not an even number of hex digits: '%.*s'", SIG_SHOW(hex));
	return ST_OK;
}

static st_t read_blocked(struct sig_reader *r, struct str line, const char *what)
{
	char kind = 0;
	struct str rest = {0};
	bool in;
	TRY(read_head(r, line, &kind, &rest, &in));
	if (!in)
		return ST_OK;
	if (kind == 'R')
		TRY(sig_check_regex(r, rest));
	else if (kind == 'S')
		TRY(check_address_hash(r, rest));
	else if (kind != 'H')
		return sig_bad(r, "unknown kind of entry: '%.*s'", SIG_SHOW(line));
	ir_count_inactive(r->set, what);
	return ST_OK;
}

st_t sig_line_pdb(struct sig_reader *r, struct str line)
{
	return read_blocked(r, line, WHAT_PDB);
}

st_t sig_line_gdb(struct sig_reader *r, struct str line)
{
	return read_blocked(r, line, WHAT_GDB);
}

st_t sig_line_wdb(struct sig_reader *r, struct str line)
{
	char kind = 0;
	struct str rest = {0};
	bool in;
	TRY(read_head(r, line, &kind, &rest, &in));
	if (!in)
		return ST_OK;
	if (kind == 'X' || kind == 'Y')
		TRY(sig_check_regex(r, rest));
	else if (kind != 'M')
		return sig_bad(r, "unknown kind of entry: '%.*s'", SIG_SHOW(line));
	ir_count_inactive(r->set, WHAT_WDB);
	return ST_OK;
}
