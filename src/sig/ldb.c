/* Logical signatures: .ldb .ldu "Name;TDB;Expression;Subsig0;Subsig1;...". A sub-signature is body
 * content with offset and modifiers, or one of the kinds that are recognised but not active. */
#include "sig/text.h"

enum { F_NAME, F_TDB, F_EXPR, F_SUBSIG };
#define FIELDS_MAX (F_SUBSIG + IR_SUBSIGS_MAX)

struct ldb {
	struct sig_reader *r;
	struct sig_tdb tdb;
	struct sig_note note;
	struct ir_sig *sig;
};

static st_t read_mods(struct ldb *l, struct str s, unsigned *ret)
{
	static const struct {
		char c;
		unsigned mod;
	} known[] = {{'i', SIG_MOD_NOCASE}, {'w', SIG_MOD_WIDE}, {'a', SIG_MOD_ASCII},
	             {'f', SIG_MOD_FULLWORD}};
	unsigned mods = 0;
	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;
		while (k < 4 && known[k].c != s.p[i])
			k++;
		if (k == 4)
			return sig_bad(l->r, "unknown modifier: '%.*s'", SIG_SHOW(s));
		mods |= known[k].mod;
	}
	*ret = mods;
	return ST_OK;
}

/* Body content: [offset:]hex[::mods]. Fields as ClamAV counts them: with two or four there is an
 * offset, with three or four there are modifiers; of five and more only the first is looked at. */
static st_t body_subsig(struct ldb *l, struct str s, struct ir_subsig *sub)
{
	struct str f[4], offset = STR("*"), hex, modtext = {0};
	size_t n = str_split(s, ':', f, 4);
	bool has_offset = n == 2 || n == 4;
	if (has_offset)
		offset = f[0];
	hex = f[has_offset];
	if (n == 3 || n == 4)
		modtext = f[n - 1];
	unsigned mods = 0;
	TRY(read_mods(l, modtext, &mods));
	bool wide = mods & SIG_MOD_WIDE, ascii = !wide || (mods & SIG_MOD_ASCII);
	unsigned common = mods & ~(unsigned)SIG_MOD_WIDE;
	struct ir_offset off;
	TRY(sig_offset(l->r, offset, l->tdb.target, &off, &l->note));
	TRY(sig_alloc(l->r, 2, sizeof *sub->patterns, &sub->patterns));
	if (ascii)
		TRY(sig_body(l->r, hex, common, mods, &sub->patterns[sub->npatterns++], &l->note));
	if (wide)
		TRY(sig_body(l->r, hex, mods, mods, &sub->patterns[sub->npatterns++], &l->note));
	for (uint32_t i = 0; i < sub->npatterns; i++)
		sub->patterns[i].offset = off;
	return ST_OK;
}

/* "${min-max}group$" */
static st_t macro_subsig(struct ldb *l, struct str s)
{
	struct str inside, group, lo, hi;
	if (s.n < 2 || s.p[s.n - 1] != '$')
		return sig_bad(l->r, "macro without '$' at its end: '%.*s'", SIG_SHOW(s));
	struct str body = {s.p + 2, s.n - 3};
	bool ok = str_starts(s, "${") && str_cut(body, '}', &inside, &group) &&
	          str_cut(inside, '-', &lo, &hi) && lo.n && hi.n && str_all_digits(lo) &&
	          str_all_digits(hi) && group.n && str_all_digits(group) && str_u64(group) < 32;
	if (!ok)
		return sig_bad(l->r, "macro is not ${min-max}group$ with a group below 32: '%.*s'",
		               SIG_SHOW(s));
	l->note.inactive = "macro group";
	return ST_OK;
}

/* "fuzzy_img#<16 hex digits>[#0]" */
static st_t fuzzy_subsig(struct ldb *l, struct str s)
{
	struct str hash, distance;
	bool has_distance = str_cut(str_from(s, 10), '#', &hash, &distance);
	bool ok = hash.n == 16 && (!has_distance || str_is(distance, "0"));
	for (size_t i = 0; i < hash.n; i++)
		ok &= hex_value(hash.p[i]) >= 0;
	if (!ok)
		return sig_bad(l->r, "not fuzzy_img#<16 hex digits>[#0]: '%.*s'", SIG_SHOW(s));
	l->note.inactive = "fuzzy image hash";
	return ST_OK;
}

/* Splits "[offset:]trigger/regex/flags"; the regex runs to the last '/'. */
static st_t split_regex(struct ldb *l, struct str s, struct str *ret_front, struct str *ret_regex,
                        struct str *ret_flags)
{
	struct str rest, mods;
	str_cut(s, '/', ret_front, &rest);
	size_t end = rest.n;
	while (end && rest.p[end - 1] != '/')
		end--;
	*ret_flags = str_from(rest, end);
	bool has_mods = str_cut(*ret_flags, ':', ret_flags, &mods);
	if (!end || (has_mods && !str_starts(mods, ":")))
		return sig_bad(l->r, "regular expression without '/' at its end: '%.*s'", SIG_SHOW(s));
	*ret_regex = (struct str){rest.p, end - 1};
	if (!ret_regex->n)
		return sig_bad(l->r, "regular expression is empty: '%.*s'", SIG_SHOW(s));
	return ST_OK;
}

/* A regular expression: its trigger names earlier sub-signatures. The regex is not compiled. */
static st_t regex_subsig(struct ldb *l, struct str s, uint32_t index)
{
	struct str front, regex, flags, offset, trigger;
	TRY(split_regex(l, s, &front, &regex, &flags));
	for (size_t i = 0; i < flags.n; i++) {
		if (!strchr("grismxAEUe", flags.p[i]))
			return sig_bad(l->r, "unknown flag of a regular expression: '%c'", flags.p[i]);
	}
	trigger = front;
	if (memchr(front.p, ':', front.n)) {
		struct ir_offset unused;
		str_cut(front, ':', &offset, &trigger);
		TRY(sig_offset(l->r, offset, l->tdb.target, &unused, &l->note));
	}
	if (!trigger.n)
		return sig_bad(l->r, "regular expression without a trigger: '%.*s'", SIG_SHOW(s));
	struct sig_expr x;
	TRY(sig_expr(l->r, trigger, 0, &x));
	if (x.nids > index)
		return sig_bad(l->r, "the trigger of a regular expression names a sub-signature that is "
		               "not in front of it: '%.*s'", SIG_SHOW(trigger));
	l->note.inactive = "regular expression";
	return ST_OK;
}

/* True for "id(offset#options#comparisons)". */
static bool is_byte_compare(struct str s)
{
	struct str head, tail;
	if (!str_cut(s, '(', &head, &tail) || !str_cut(tail, '#', &head, &tail))
		return false;
	return str_cut(tail, '#', &head, &tail);
}

/* A decimal number or 0x and hex digits. */
static bool is_number(struct str s)
{
	if (!str_starts(s, "0x"))
		return s.n && str_all_digits(s);
	for (size_t i = 2; i < s.n; i++) {
		if (hex_value(s.p[i]) < 0)
			return false;
	}
	return s.n > 2;
}

/* "[h|d|a|i][l|b][e]N"; raw numbers ("i") have 1, 2, 4 or 8 bytes, decimal ones no "l". */
static bool is_compare_options(struct str s)
{
	if (!s.n || !strchr("hdai", s.p[0]))
		return false;
	char base = s.p[0];
	s = str_from(s, 1);
	if (str_starts(s, "l") && base == 'd')
		return false;
	s = str_from(s, str_starts(s, "l") || str_starts(s, "b"));
	s = str_from(s, str_starts(s, "e"));
	uint64_t n = str_u64(s);
	return s.n && str_all_digits(s) && (base != 'i' || n == 1 || n == 2 || n == 4 || n == 8);
}

/* One or two of "<X" "=X" ">X". */
static bool is_comparisons(struct str s)
{
	struct str part[2];
	size_t n = str_split(s, ',', part, 2);
	for (size_t i = 0; i < n && i < 2; i++) {
		if (!part[i].n || !strchr("<=>", part[i].p[0]) || !is_number(str_from(part[i], 1)))
			return false;
	}
	return n <= 2;
}

static st_t byte_compare_subsig(struct ldb *l, struct str s)
{
	struct str id, inside, tail, f[3];
	str_cut(s, '(', &id, &inside);
	if (!str_all_digits(id))
		return sig_bad(l->r, "byte comparison without the id of a sub-signature: '%.*s'",
		               SIG_SHOW(s));
	if (!str_cut(inside, ')', &inside, &tail))
		return sig_bad(l->r, "byte comparison without ')': '%.*s'", SIG_SHOW(s));
	bool ok = str_split(inside, '#', f, 3) == 3 &&
	          (str_starts(f[0], ">>") || str_starts(f[0], "<<")) && is_number(str_from(f[0], 2)) &&
	          is_compare_options(f[1]) && is_comparisons(f[2]);
	if (!ok)
		return sig_bad(l->r, "byte comparison is not id(>>offset#options#=value): '%.*s'",
		               SIG_SHOW(s));
	l->note.inactive = "byte comparison";
	return ST_OK;
}

static st_t read_subsig(struct ldb *l, struct str s, uint32_t index, struct ir_subsig *sub)
{
	if (str_starts(s, "$"))
		return macro_subsig(l, s);
	if (str_starts(s, "fuzzy_img#"))
		return fuzzy_subsig(l, s);
	if (s.n && memchr(s.p, '/', s.n))
		return regex_subsig(l, s, index);
	if (is_byte_compare(s))
		return byte_compare_subsig(l, s);
	return body_subsig(l, s, sub);
}

static void add_range(struct ir_sig *sig, uint32_t *at, uint8_t op, const struct sig_range *range)
{
	if (range->set)
		sig->conds[(*at)++] = (struct ir_cond){.op = op, .a = range->min, .b = range->max};
}

/* The expression ANDed with the ranges of the target description, these first. */
static void set_conditions(struct ldb *l, struct sig_expr *x)
{
	struct ir_sig *sig = l->sig;
	uint32_t n = 0;
	sig->conds = x->conds;
	add_range(sig, &n, IR_COND_FILESIZE, &l->tdb.size);
	add_range(sig, &n, IR_COND_EP, &l->tdb.entry);
	add_range(sig, &n, IR_COND_SECTIONS, &l->tdb.sections);
	memmove(sig->conds + n, sig->conds + SIG_TDB_CONDS, x->nconds * sizeof *sig->conds);
	sig->nconds = n + x->nconds;
	if (n)
		sig->conds[sig->nconds++] = (struct ir_cond){.op = IR_COND_AND, .a = n + 1};
}

static st_t read_signature(struct ldb *l, const struct str *f, struct sig_expr *x)
{
	struct sig_reader *r = l->r;
	TRY(sig_alloc(r, 1, sizeof *l->sig, &l->sig));
	l->sig->name = arena_strndup(&r->set->arena, f[F_NAME].p, f[F_NAME].n);
	if (!l->sig->name)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	l->sig->target = (uint8_t)l->tdb.target;
	l->sig->flags = r->flags | IR_SIG_LOGICAL;
	l->sig->nsubsigs = (uint32_t)x->nids;
	TRY(sig_alloc(r, l->sig->nsubsigs, sizeof *l->sig->subsigs, &l->sig->subsigs));
	for (uint32_t i = 0; i < l->sig->nsubsigs; i++) {
		TRY(read_subsig(l, f[F_SUBSIG + i], i, &l->sig->subsigs[i]));
	}
	if (l->note.inactive) {
		ir_count_inactive(r->set, l->note.inactive);
		return ST_OK;
	}
	set_conditions(l, x);
	return ir_add_sig(r->set, l->sig, r->e);
}

st_t sig_line_ldb(struct sig_reader *r, struct str line)
{
	struct str f[FIELDS_MAX];
	size_t n = str_split(line, ';', f, FIELDS_MAX);
	if (n <= F_SUBSIG)
		return sig_bad(r, "a logical signature has at least 4 fields, this one has %zu", n);
	struct sig_expr x;
	TRY(sig_expr(r, f[F_EXPR], SIG_TDB_CONDS, &x));
	size_t nsubsigs = n - F_SUBSIG;
	if (nsubsigs > IR_SUBSIGS_MAX)
		return sig_bad(r, "%zu sub-signatures: at most %d are allowed", nsubsigs, IR_SUBSIGS_MAX);
	if (x.nids != nsubsigs)
		return sig_bad(r, "%zu sub-signatures, but the expression speaks of %llu", nsubsigs,
		               (unsigned long long)x.nids);
	struct ldb l = {.r = r};
	TRY(sig_tdb(r, f[F_TDB], &l.tdb));
	l.note.inactive = l.tdb.inactive;
	if (l.tdb.out_of_level) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (l.tdb.skip) {
		ir_count_inactive(r->set, l.tdb.inactive);
		return ST_OK;
	}
	if (!f[F_NAME].n)
		return sig_bad(r, "the name is empty");
	return read_signature(&l, f, &x);
}
