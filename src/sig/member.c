/* Conditions on members of containers: .cdb "Name:ContainerType:ContainerSize:FileNameRegex:
 * SizeInContainer:RealSize:IsEncrypted:FilePos:Res1:Res2[:MinFL[:MaxFL]]" and the older .zmd, .rmd
 * "Name:Encrypted:FileNameRegex:RealSize:SizeInContainer:CRC32:Method:FilePos:MaxDepth", of which
 * clamscan does not look at method and depth. */
#include "base/ere.h"
#include "db/filetypes.h"
#include "db/layout.h"
#include "sig/text.h"

enum { C_NAME, C_TYPE, C_SIZE, C_REGEX, C_STORED, C_REAL, C_ENCRYPTED, C_POS, C_RES1, C_RES2,
       C_MINFL, C_MAXFL, C_COUNT };
enum { M_NAME, M_ENCRYPTED, M_REGEX, M_REAL, M_STORED, M_CRC, M_METHOD, M_POS, M_DEPTH, M_COUNT };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static st_t keep(struct sig_reader *r, struct str s, const char **ret)
{
	*ret = arena_strndup(&r->set->arena, s.p, s.n);
	return *ret ? ST_OK : fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
}

static void set_any(uint64_t range[2])
{
	range[0] = 0;
	range[1] = UINT64_MAX;
}

/* "*", a number, or "first-last"; nothing is 0. */
static st_t read_range(struct sig_reader *r, struct str s, uint64_t ret[2])
{
	struct str from, to;
	set_any(ret);
	if (str_is(s, "*"))
		return ST_OK;
	bool is_range = str_cut(s, '-', &from, &to);
	if (!str_all_digits(from) || (is_range && (!from.n || !to.n || !is_digit(to.p[0]))))
		return sig_bad(r, "neither a number nor a range: '%.*s'", SIG_SHOW(s));
	ret[0] = str_u64(from);
	ret[1] = is_range ? str_u64(to) : ret[0];
	return ST_OK;
}

/* "*" is any type, as is CL_TYPE_ANY. */
static st_t read_container(struct sig_reader *r, struct str s, uint16_t *ret)
{
	char name[64] = "";
	*ret = FILETYPES;
	if (str_is(s, "*") || str_is(s, "CL_TYPE_ANY"))
		return ST_OK;
	if (s.n < sizeof name)
		memcpy(name, s.p, s.n);
	*ret = (uint16_t)filetype_by_name(name);
	if (*ret == FILETYPES)
		return sig_bad(r, "unknown type of container: '%.*s'", SIG_SHOW(s));
	return ST_OK;
}

/* *ret_inactive: an expression that needs more than we give it. */
static st_t read_regex(struct sig_reader *r, struct str s, struct ir_member *m, bool *ret_inactive)
{
	struct ere *x = NULL;
	struct err why = {0};
	*ret_inactive = false;
	if (str_is(s, "*"))
		return ST_OK;
	st_t st = ere_new(s.p, s.n, &x, &why);
	ere_free(x);
	if (st < 0)
		return fail(r->e, st, 0, "%s", why.text);
	if (st == ST_MALFORMED)
		return sig_bad(r, "%s: '%.*s'", why.text, SIG_SHOW(s));
	*ret_inactive = st != ST_OK;
	m->regex_len = (uint32_t)s.n;
	return keep(r, s, &m->regex);
}

static st_t add_member(struct sig_reader *r, const struct ir_member *m, struct str name)
{
	struct ir_member *copy;
	if (!name.n)
		return sig_bad(r, "the name is empty");
	TRY(sig_alloc(r, 1, sizeof *copy, &copy));
	*copy = *m;
	copy->flags = r->flags;
	copy->name_len = (uint32_t)name.n;
	TRY(keep(r, name, &copy->name));
	copy->next = r->set->members;
	r->set->members = copy;
	r->set->nmembers++;
	return ST_OK;
}

/* Levels here are digits only. */
static st_t read_levels(struct sig_reader *r, const struct str *f, size_t n, bool *ret_out)
{
	*ret_out = false;
	for (size_t i = C_MINFL; i < n; i++)
		if (!str_all_digits(f[i]))
			return sig_bad(r, "level is not a number: '%.*s'", SIG_SHOW(f[i]));
	*ret_out = (n > C_MINFL && str_atoi(f[C_MINFL]) > SIG_FLEVEL) ||
	           (n > C_MAXFL && str_atoi(f[C_MAXFL]) < SIG_FLEVEL);
	return ST_OK;
}

static st_t read_encrypted(struct sig_reader *r, struct str s, uint8_t *ret)
{
	bool is_any = str_is(s, "*");
	if (!is_any && !str_is(s, "0") && !str_is(s, "1"))
		return sig_bad(r, "IsEncrypted is neither 0 nor 1 nor *: '%.*s'", SIG_SHOW(s));
	*ret = is_any ? DB_MEMBER_ANY : (uint8_t)(s.p[0] - '0');
	return ST_OK;
}

st_t sig_line_cdb(struct sig_reader *r, struct str line)
{
	struct str f[C_COUNT];
	struct ir_member m = {0};
	bool out_of_level, inactive;
	size_t n = str_split(line, ':', f, C_COUNT);
	if (n <= C_RES2 || n > C_COUNT)
		return sig_bad(r, "a line has 10 to 12 fields, this one has %zu", n);
	if (sig_ignored(r, f[C_NAME]))
		return ST_OK;
	TRY(read_levels(r, f, n, &out_of_level));
	if (out_of_level) {
		r->set->nflevel++;
		return ST_OK;
	}
	TRY(read_container(r, f[C_TYPE], &m.container));
	TRY(read_range(r, f[C_SIZE], m.range[DB_MEMBER_CONTAINER]));
	TRY(read_regex(r, f[C_REGEX], &m, &inactive));
	TRY(read_range(r, f[C_STORED], m.range[DB_MEMBER_STORED]));
	TRY(read_range(r, f[C_REAL], m.range[DB_MEMBER_REAL]));
	TRY(read_encrypted(r, f[C_ENCRYPTED], &m.encrypted));
	TRY(read_range(r, f[C_POS], m.range[DB_MEMBER_POSITION]));
	if (!inactive)
		return add_member(r, &m, f[C_NAME]);
	ir_count_inactive(r->set, "expression beyond the limits of the database");
	return ST_OK;
}

/* "*" or a number. */
static st_t read_number(struct sig_reader *r, struct str s, uint64_t ret[2])
{
	set_any(ret);
	if (str_is(s, "*"))
		return ST_OK;
	if (!str_all_digits(s) || !s.n)
		return sig_bad(r, "neither a number nor *: '%.*s'", SIG_SHOW(s));
	ret[0] = ret[1] = str_u64(s);
	return ST_OK;
}

/* 0 is no condition. */
static st_t read_crc(struct sig_reader *r, struct str s, struct ir_member *m)
{
	if (str_is(s, "*"))
		return ST_OK;
	if (s.n > 8 || s.n % 2)
		return sig_bad(r, "CRC has 2, 4, 6 or 8 hex digits: '%.*s'", SIG_SHOW(s));
	for (size_t i = 0; i < s.n; i++) {
		int v = hex_value(s.p[i]);
		if (v < 0)
			return sig_bad(r, "CRC is not hexadecimal: '%.*s'", SIG_SHOW(s));
		m->crc = m->crc << 4 | (uint32_t)v;
	}
	m->has_crc = m->crc != 0;
	return ST_OK;
}

static st_t line_old(struct sig_reader *r, struct str line, enum file_type container)
{
	struct str f[M_COUNT];
	struct ir_member m = {.container = (uint16_t)container};
	uint64_t encrypted[2];
	bool inactive;
	size_t n = str_split(line, ':', f, M_COUNT);
	if (n != M_COUNT)
		return sig_bad(r, "a line has 9 fields, this one has %zu", n);
	if (sig_ignored(r, f[M_NAME]))
		return ST_OK;
	set_any(m.range[DB_MEMBER_CONTAINER]);
	TRY(read_number(r, f[M_ENCRYPTED], encrypted));
	m.encrypted = encrypted[1] > 1 ? DB_MEMBER_ANY : (uint8_t)encrypted[1];
	TRY(read_regex(r, f[M_REGEX], &m, &inactive));
	TRY(read_number(r, f[M_REAL], m.range[DB_MEMBER_REAL]));
	TRY(read_number(r, f[M_STORED], m.range[DB_MEMBER_STORED]));
	TRY(read_crc(r, f[M_CRC], &m));
	TRY(read_number(r, f[M_POS], m.range[DB_MEMBER_POSITION]));
	if (!inactive)
		return add_member(r, &m, f[M_NAME]);
	ir_count_inactive(r->set, "expression beyond the limits of the database");
	return ST_OK;
}

st_t sig_line_zmd(struct sig_reader *r, struct str line)
{
	return line_old(r, line, FT_ZIP);
}

st_t sig_line_rmd(struct sig_reader *r, struct str line)
{
	return line_old(r, line, FT_RAR);
}
