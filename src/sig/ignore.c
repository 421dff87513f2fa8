/* Ignore lists: .ign and .ign2, which are read alike. "Name" leaves out every signature of that
 * name, "Name:MD5" only the one whose whole line has this digest, "File:Line:Name" too, whatever
 * file and line are: so does ClamAV. Of entries with one name the last one counts. */
#include "sig/text.h"

/* A name of fewer bytes cannot have a digest, in ClamAV. */
#define MIN_NAME_WITH_MD5 3
#define MD5_DIGITS 32

static st_t read_md5(struct sig_reader *r, struct str s, struct ir_ignore *g)
{
	if (s.n != MD5_DIGITS || !str_all_hex(s))
		return sig_bad(r, "an MD5 digest has 32 hex digits: '%.*s'", SIG_SHOW(s));
	if (g->len < MIN_NAME_WITH_MD5)
		return sig_bad(r, "a name with a digest needs %d bytes: '%.*s'", MIN_NAME_WITH_MD5,
		               (int)g->len, g->name);
	for (size_t i = 0; i < sizeof g->md5; i++)
		g->md5[i] = (uint8_t)(hex_value(s.p[2 * i]) << 4 | hex_value(s.p[2 * i + 1]));
	g->has_md5 = true;
	return ST_OK;
}

st_t sig_line_ign(struct sig_reader *r, struct str line)
{
	struct str f[3];
	size_t n = str_split(line, ':', f, 3);
	if (n > 3)
		return sig_bad(r, "an ignore list entry has at most 3 fields, this one has %zu", n);
	struct str name = f[n == 3 ? 2 : 0];
	struct ir_ignore g = {.name = name.p, .len = (uint32_t)name.n};
	if (!name.n)
		return sig_bad(r, "an ignore list entry without a name");
	if (n == 2)
		TRY(read_md5(r, f[1], &g));
	return ir_add_ignore(r->set, &g, r->e);
}

bool sig_ignored(struct sig_reader *r, struct str name)
{
	if (!r->set->ignores.n)
		return false;
	const struct ir_ignore *g = ir_find_ignore(r->set, name.p, name.n);
	uint8_t md5[DIGEST_MAX];
	if (!g)
		return false;
	if (g->has_md5 &&
	    (digest_bytes(DIGEST_MD5, r->line.p, r->line.n, md5, NULL) != ST_OK ||
	     memcmp(md5, g->md5, sizeof g->md5) != 0))
		return false;
	r->set->ignores.hits++;
	return true;
}
