/* Passwords of archives: .pwdb "Name;TargetDescription;0|1;Password", 0: as it stands, 1: in hex.
 * The name is for people. More fields are passed over, as in clamscan. */
#include "db/filetypes.h"
#include "sig/text.h"

enum { P_NAME, P_TDB, P_KIND, P_TEXT, P_COUNT };
enum { KIND_TEXT = 0, KIND_HEX = 1 };

/* The type that Container: names; checked to be a known one by sig_tdb(). */
static st_t read_container(struct sig_reader *r, struct str tdb, uint16_t *ret)
{
	bool more = true;
	*ret = FILETYPES;
	while (more) {
		struct str attribute, key, value;
		more = str_cut(tdb, ',', &attribute, &tdb);
		if (!str_cut(attribute, ':', &key, &value) || !str_is(key, "Container"))
			continue;
		if (str_is(value, "CL_TYPE_ZIP"))
			*ret = FT_ZIP;
		else if (str_is(value, "CL_TYPE_RAR"))
			*ret = FT_RAR;
		else if (!str_is(value, "CL_TYPE_ANY"))
			return sig_bad(r, "no passwords for '%.*s'", SIG_SHOW(value));
	}
	return ST_OK;
}

static st_t read_text(struct sig_reader *r, struct str s, bool hex, struct ir_password *p)
{
	char *text;
	size_t n = hex ? s.n / 2 : s.n;
	if (hex && s.n % 2)
		return sig_bad(r, "odd number of hex digits: '%.*s'", SIG_SHOW(s));
	TRY(sig_alloc(r, n + 1, 1, &text));
	for (size_t i = 0; i < n; i++) {
		int v = hex ? hex_value(s.p[2 * i]) << 4 | hex_value(s.p[2 * i + 1]) : (uint8_t)s.p[i];
		if (hex && (hex_value(s.p[2 * i]) < 0 || hex_value(s.p[2 * i + 1]) < 0))
			return sig_bad(r, "password is not hexadecimal: '%.*s'", SIG_SHOW(s));
		text[i] = (char)v;
	}
	p->text = text;
	p->len = (uint32_t)n;
	return ST_OK;
}

/* `t` of a good line. An attribute that is not about passwords counts for nothing. */
static bool is_left_out(struct sig_reader *r, const struct sig_tdb *t, const struct ir_password *p)
{
	if (t->out_of_level)
		r->set->nflevel++;
	else if (t->skip)
		ir_count_inactive(r->set, t->inactive);
	else if (memchr(p->text, 0, p->len))
		ir_count_inactive(r->set, "password with a NUL");
	else
		return p->len == 0;
	return true;
}

static st_t add_password(struct sig_reader *r, const struct ir_password *p)
{
	struct ir_password *copy;
	TRY(sig_alloc(r, 1, sizeof *copy, &copy));
	*copy = *p;
	*r->set->passwords_tail = copy;
	r->set->passwords_tail = &copy->next;
	return ST_OK;
}

st_t sig_line_pwdb(struct sig_reader *r, struct str line)
{
	struct str f[P_COUNT];
	struct sig_tdb t;
	struct ir_password p = {0};
	if (str_split(line, ';', f, P_COUNT) < P_COUNT)
		return sig_bad(r, "a line has four fields");
	TRY(sig_tdb(r, f[P_TDB], false, &t));
	TRY(read_container(r, f[P_TDB], &p.container));
	uint32_t kind = str_atoi(f[P_KIND]);
	if (kind != KIND_TEXT && kind != KIND_HEX) {
		ir_count_inactive(r->set, "password of an unknown kind");
		return ST_OK;
	}
	TRY(read_text(r, f[P_TEXT], kind == KIND_HEX, &p));
	return is_left_out(r, &t, &p) ? ST_OK : add_password(r, &p);
}
