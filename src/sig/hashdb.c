/* Hash signatures: .hdb .hsb .hdu .hsu .fp .sfp .imp "Digest:Size:Name[:MinFL[:MaxFL]]" and .mdb
 * .msb .mdu .msu "Size:Digest:Name...". Files have millions of lines: nothing is allocated per
 * line, the name stays in the source text. */
#include "sig/text.h"

enum { F_NAME = 2, F_MINFL, F_MAXFL, F_COUNT };

/* Wildcard sizes came with this level; older engines would not understand the line. */
#define FLEVEL_ANY_SIZE 73

static const int8_t HEX[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The digest kind with that many hex digits, or DIGEST_KINDS. */
static enum digest_kind kind_of_length(size_t n)
{
	switch (n) {
	case 32:
		return DIGEST_MD5;
	case 40:
		return DIGEST_SHA1;
	case 64:
		return DIGEST_SHA256;
	default:
		return DIGEST_KINDS;
	}
}

static bool hex_decode(struct str hex, uint8_t *ret)
{
	int ok = 1;
	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		int hi = HEX[(uint8_t)hex.p[i]] - 1;
		int lo = HEX[(uint8_t)hex.p[i + 1]] - 1;
		ok &= (hi >= 0) & (lo >= 0);
		ret[i / 2] = (uint8_t)((unsigned)hi << 4 | (unsigned)lo);
	}
	return ok;
}

/* "*" or 1..4294967294, as strtoul() takes it: blanks and "+" in front are allowed. Import hashes
 * had "*" from the start. */
static st_t read_size(struct sig_reader *r, struct str s, const struct str *minfl, uint32_t *ret)
{
	if (str_is(s, "*")) {
		bool levelled = minfl && str_atoi(*minfl) >= FLEVEL_ANY_SIZE;
		if (!levelled && r->use != IR_HASH_IMPORT)
			return sig_bad(r, "size \"*\" needs a minimum level of at least %d", FLEVEL_ANY_SIZE);
		*ret = IR_SIZE_ANY;
		return ST_OK;
	}
	size_t i = 0;
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	i += i < s.n && s.p[i] == '+';
	struct str digits = str_from(s, i);
	uint64_t v = str_u64(digits);
	if (!str_all_digits(digits) || v == 0 || v >= UINT32_MAX)
		return sig_bad(r, "size is not a number from 1 to 4294967294: '%.*s'", SIG_SHOW(s));
	*ret = (uint32_t)v;
	return ST_OK;
}

st_t sig_line_hash(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = str_split(line, ':', f, F_COUNT);
	if (n <= F_NAME || n > F_COUNT)
		return sig_bad(r, "a hash line has 3 to 5 fields, this one has %zu", n);
	if ((n > F_MINFL && str_atoi(f[F_MINFL]) > SIG_FLEVEL) ||
	    (n > F_MAXFL && str_atoi(f[F_MAXFL]) < SIG_FLEVEL)) {
		r->set->nflevel++;
		return ST_OK;
	}
	bool section = r->use == IR_HASH_SECTION;
	struct str name = str_name(f[F_NAME]);
	struct ir_hash head = {.name = name.p, .name_len = name.n & 0xffffff, .flags = r->flags};
	TRY(read_size(r, f[section ? 0 : 1], n > F_MINFL ? &f[F_MINFL] : NULL, &head.size));
	if (sig_ignored(r, f[F_NAME]))
		return ST_OK;
	struct str hex = f[section ? 1 : 0];
	enum digest_kind kind = kind_of_length(hex.n);
	if (kind == DIGEST_KINDS)
		return sig_bad(r, "a digest has 32, 40 or 64 hex digits, this one has %zu", hex.n);
	uint8_t digest[DIGEST_MAX];
	if (!hex_decode(hex, digest))
		return sig_bad(r, "digest is not hexadecimal: '%.*s'", SIG_SHOW(hex));
	if (!name.n)
		return sig_bad(r, "the name is empty");
	return ir_add_hash(r->set, r->use, kind, &head, digest, r->e);
}
