/* Logical signatures: .ldb .ldu "Name;TDB;Expression;Subsig0;Subsig1;...". A sub-signature is body
 * content with offset and modifiers, or one of the kinds of subsig.h, an image hash or a macro. */
#include "sig/subsig.h"

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

static bool byte_is(struct str hex, size_t i, const char *two)
{
	return hex.p[2 * i] == two[0] && hex.p[2 * i + 1] == two[1];
}

/* "5c00::wa", "5c00??::wa": wherever the wide form of a byte and zeroes (or any bytes) matches, the
 * other one does, too; clamscan counts such a place once. Byte i of the wide form is byte i / 2, or
 * zero where i is odd. */
static bool wide_adds_nothing(struct str hex, unsigned mods)
{
	if (hex.n < 4 || hex.n % 2 || (mods & SIG_MOD_FULLWORD) || hex_value(hex.p[0]) < 0 ||
	    hex_value(hex.p[1]) < 0)
		return false;
	for (size_t i = 1; i < hex.n / 2; i++) {
		bool zero = byte_is(hex, i, "00") && (i % 2 || byte_is(hex, i / 2, "00"));
		if (!zero && !byte_is(hex, i, "??"))
			return false;
	}
	return true;
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
	if (wide && !(ascii && wide_adds_nothing(hex, mods)))
		TRY(sig_body(l->r, hex, mods, mods, &sub->patterns[sub->npatterns++], &l->note));
	for (uint32_t i = 0; i < sub->npatterns; i++)
		sub->patterns[i].offset = off;
	return ST_OK;
}

/* "${min-max}group$" */
static st_t macro_subsig(struct ldb *l, struct str s, struct ir_subsig *sub)
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
	/* clamscan 1.4.6 reads macros and never finds one. */
	sub->kind = IR_SUBSIG_NEVER;
	return ST_OK;
}

/* "fuzzy_img#<16 hex digits>[#0]" */
static st_t image_subsig(struct ldb *l, struct str s, struct ir_subsig *sub)
{
	struct str hash, distance;
	bool has_distance = str_cut(str_from(s, 10), '#', &hash, &distance);
	bool ok = hash.n == 16 && (!has_distance || str_is(distance, "0"));
	sub->image = 0;
	for (size_t i = 0; i < hash.n && ok; i++) {
		int digit = hex_value(hash.p[i]);
		ok = digit >= 0;
		sub->image = sub->image << 4 | (uint64_t)(digit & 15);
	}
	if (!ok)
		return sig_bad(l->r, "not fuzzy_img#<16 hex digits>[#0]: '%.*s'", SIG_SHOW(s));
	sub->kind = IR_SUBSIG_IMAGE;
	return ST_OK;
}

static st_t read_subsig(struct ldb *l, struct str s, uint32_t index, struct ir_subsig *sub)
{
	if (str_starts(s, "$"))
		return macro_subsig(l, s, sub);
	if (str_starts(s, "fuzzy_img#"))
		return image_subsig(l, s, sub);
	if (s.n && memchr(s.p, '/', s.n))
		return sig_regex(l->r, s, l->tdb.target, index, sub, &l->note);
	if (sig_is_compare(s))
		return sig_compare(l->r, s, l->sig->nsubsigs, sub);
	return body_subsig(l, s, sub);
}

static void add_range(struct ir_sig *sig, uint8_t op, const struct sig_range *range)
{
	if (range->set)
		sig->conds[sig->nconds++] = (struct ir_cond){.op = op, .a = range->min, .b = range->max};
}

/* The expression ANDed with what the target description asks for. That stands behind it: programs
 * are evaluated from their end, so what costs nothing is asked first. */
static void set_conditions(struct ldb *l, struct sig_expr *x)
{
	struct ir_sig *sig = l->sig;
	sig->conds = x->conds;
	sig->nconds = x->nconds;
	add_range(sig, IR_COND_FILESIZE, &l->tdb.size);
	add_range(sig, IR_COND_EP, &l->tdb.entry);
	add_range(sig, IR_COND_SECTIONS, &l->tdb.sections);
	if (l->tdb.has_container)
		sig->conds[sig->nconds++] = l->tdb.container;
	for (uint32_t i = 0; i < l->tdb.nlayers; i++)
		sig->conds[sig->nconds++] = l->tdb.layers[i];
	uint32_t n = sig->nconds - x->nconds;
	if (n)
		sig->conds[sig->nconds++] = (struct ir_cond){.op = IR_COND_AND, .a = n + 1};
}

static st_t read_signature(struct ldb *l, const struct str *f, struct sig_expr *x)
{
	struct sig_reader *r = l->r;
	TRY(sig_alloc(r, 1, sizeof *l->sig, &l->sig));
	struct str name = str_name(f[F_NAME]);
	l->sig->name = arena_strndup(&r->set->arena, name.p, name.n);
	if (!l->sig->name)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	l->sig->target = (uint8_t)l->tdb.target;
	r->target = l->tdb.target;
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
	l->sig->handler = l->tdb.handler;
	set_conditions(l, x);
	return ir_add_sig(r->set, l->sig, r->e);
}

/* Sub-signatures: a ';' between the slashes of a regular expression separates nothing. */
static size_t split_subsigs(struct str s, struct str *ret, size_t max)
{
	size_t n = 0, from = 0;
	bool inside = false;
	for (size_t i = 0; i <= s.n; i++) {
		bool end = i == s.n;
		if (!end && s.p[i] == '/' && !(inside && s.p[i - 1] == '\\'))
			inside = !inside;
		if (!end && (inside || s.p[i] != ';'))
			continue;
		if (n < max)
			ret[n] = (struct str){s.p + from, i - from};
		n++;
		from = i + 1;
	}
	return n;
}

static size_t split_line(struct str line, struct str f[FIELDS_MAX])
{
	struct str rest = line;
	for (size_t i = 0; i < F_SUBSIG; i++)
		if (!str_cut(rest, ';', &f[i], &rest))
			return i + 1;
	return F_SUBSIG + split_subsigs(rest, f + F_SUBSIG, FIELDS_MAX - F_SUBSIG);
}

st_t sig_line_ldb(struct sig_reader *r, struct str line)
{
	struct str f[FIELDS_MAX];
	size_t n = split_line(line, f);
	if (n <= F_SUBSIG)
		return sig_bad(r, "a logical signature has at least 4 fields, this one has %zu", n);
	if (sig_ignored(r, f[F_NAME]))
		return ST_OK;
	struct sig_expr x;
	TRY(sig_expr(r, f[F_EXPR], SIG_TDB_CONDS, &x));
	size_t nsubsigs = n - F_SUBSIG;
	if (nsubsigs > IR_SUBSIGS_MAX)
		return sig_bad(r, "%zu sub-signatures: at most %d are allowed", nsubsigs, IR_SUBSIGS_MAX);
	if (x.nids != nsubsigs)
		return sig_bad(r, "%zu sub-signatures, but the expression speaks of %llu", nsubsigs,
		               (unsigned long long)x.nids);
	struct ldb l = {.r = r};
	TRY(sig_tdb(r, f[F_TDB], true, &l.tdb));
	l.note.inactive = l.tdb.inactive;
	if (l.tdb.out_of_level) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (l.tdb.skip) {
		ir_count_inactive(r->set, l.tdb.inactive);
		return ST_OK;
	}
	if (!str_name(f[F_NAME]).n)
		return sig_bad(r, "the name is empty");
	return read_signature(&l, f, &x);
}
