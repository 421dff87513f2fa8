/* Engine configuration: .cfg "Category:0xFlags:MinFL:MaxFL". It turns off parts of ClamAV's engine,
 * bit by bit. Checked; not active: what is looked at is not for a signature file to turn off. */
#include "sig/text.h"

static const char *const CATEGORIES[] = {
	"PE:", "ELF:", "MACHO:", "ARCHIVE:", "DOCUMENT:", "MAIL:", "OTHER:", "PHISHING:", "BYTECODE:",
	"STATS:", "PCRE:",
};

static bool is_known(struct str line)
{
	for (size_t i = 0; i < sizeof CATEGORIES / sizeof *CATEGORIES; i++) {
		if (str_starts(line, CATEGORIES[i]))
			return true;
	}
	return false;
}

enum { F_CATEGORY, F_FLAGS, F_MINFL, F_MAXFL, F_COUNT };

/* Fields between colons; empty ones do not count, in ClamAV. */
static size_t split(struct str line, struct str *f)
{
	size_t n = 0;
	while (line.n && n < F_COUNT) {
		str_cut(line, ':', &f[n], &line);
		n += f[n].n > 0;
	}
	return n;
}

/* A level that does not begin with a digit leaves the line out. */
static bool is_level(struct str s)
{
	return s.p[0] >= '0' && s.p[0] <= '9';
}

static bool out_of_level(const struct str *f, size_t n)
{
	if (n > F_MINFL && (!is_level(f[F_MINFL]) || str_u64(f[F_MINFL]) > SIG_FLEVEL))
		return true;
	return n > F_MAXFL && (!is_level(f[F_MAXFL]) || str_u64(f[F_MAXFL]) < SIG_FLEVEL);
}

/* Lines of other categories are passed over, as in ClamAV; so is one without flags. */
st_t sig_line_cfg(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = split(line, f);
	if (out_of_level(f, n)) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (is_known(line) && n > F_FLAGS &&
	    (!str_starts(f[F_FLAGS], "0x") || f[F_FLAGS].n < 3 || hex_value(f[F_FLAGS].p[2]) < 0))
		return sig_bad(r, "flags are not 0x and hex digits: '%.*s'", SIG_SHOW(f[F_FLAGS]));
	ir_count_inactive(r->set, "engine configuration (.cfg)");
	return ST_OK;
}
