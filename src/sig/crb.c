/* Certificate rules: .crb "Name;Trusted;Subject;Serial;PubKey;Exponent;CodeSign;TimeSign;CertSign;
 * NotBefore;Comment[;MinFL[;MaxFL]]". Checked; not active. */
#include "sig/text.h"

enum {
	F_NAME, F_TRUSTED, F_SUBJECT, F_SERIAL, F_KEY, F_EXPONENT, F_CODE, F_TIME, F_CERT, F_BEFORE,
	F_COMMENT, F_MINFL, F_MAXFL, F_COUNT
};

#define SHA1_DIGITS 40

static bool is_sha1(struct str s)
{
	return s.n == SHA1_DIGITS && str_all_hex(s);
}

/* Only the first character counts, in ClamAV. */
static st_t check_flag(struct sig_reader *r, struct str s, const char *what)
{
	if (str_starts(s, "0") || str_starts(s, "1"))
		return ST_OK;
	return sig_bad(r, "%s is neither 0 nor 1: '%.*s'", what, SIG_SHOW(s));
}

st_t sig_line_crb(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = str_split(line, ';', f, F_COUNT);
	if (n <= F_COMMENT || n > F_COUNT)
		return sig_bad(r, "a certificate rule has 11 to 13 fields, this one has %zu", n);
	if ((n > F_MINFL && str_atoi(f[F_MINFL]) > SIG_FLEVEL) ||
	    (n > F_MAXFL && str_atoi(f[F_MAXFL]) < SIG_FLEVEL)) {
		r->set->nflevel++;
		return ST_OK;
	}
	TRY(check_flag(r, f[F_TRUSTED], "Trusted"));
	if (!is_sha1(f[F_SUBJECT]))
		return sig_bad(r, "the subject is not a SHA-1 digest: '%.*s'", SIG_SHOW(f[F_SUBJECT]));
	if (f[F_SERIAL].n && !is_sha1(f[F_SERIAL]))
		return sig_bad(r, "the serial number is not a SHA-1 digest: '%.*s'", SIG_SHOW(f[F_SERIAL]));
	if (!f[F_KEY].n || hex_value(f[F_KEY].p[0]) < 0)
		return sig_bad(r, "the public key is not hexadecimal: '%.*s'", SIG_SHOW(f[F_KEY]));
	TRY(check_flag(r, f[F_CODE], "CodeSign"));
	TRY(check_flag(r, f[F_TIME], "TimeSign"));
	TRY(check_flag(r, f[F_CERT], "CertSign"));
	ir_count_inactive(r->set, "certificate rule (.crb)");
	return ST_OK;
}
