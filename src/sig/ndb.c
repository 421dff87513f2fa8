/* Extended body signatures: .ndb .ndu .sdb "Name:Target:Offset:HexSig[:MinFL[:MaxFL]]"; and
 * the first form of all, .db "Name=HexSig", for any file and any place. */
#include "sig/text.h"

enum { F_NAME, F_TARGET, F_OFFSET, F_HEX, F_MINFL, F_MAXFL, F_COUNT };

/* ClamAV's plain-string matcher wants this many bytes. */
#define MIN_PLAIN 3

/* Sets *ret_in if the line is for this engine's level. An empty MinFL or MaxFL is 0. */
static st_t check_level(struct sig_reader *r, const struct str *f, size_t n, bool *ret_in)
{
	*ret_in = false;
	if (n > F_MINFL && !str_all_digits(f[F_MINFL]))
		return sig_bad(r, "MinFL is not a number: '%.*s'", SIG_SHOW(f[F_MINFL]));
	if (n > F_MINFL && (uint32_t)str_u64(f[F_MINFL]) > SIG_FLEVEL)
		return ST_OK;
	if (n > F_MAXFL && !str_all_digits(f[F_MAXFL]))
		return sig_bad(r, "MaxFL is not a number: '%.*s'", SIG_SHOW(f[F_MAXFL]));
	*ret_in = n <= F_MAXFL || (uint32_t)str_u64(f[F_MAXFL]) >= SIG_FLEVEL;
	return ST_OK;
}

/* True for what ClamAV gives to its plain-string matcher: literals for any file, and those at a
 * fixed place in PE files. */
static bool goes_to_plain_matcher(uint32_t target, struct str offset, const struct ir_offset *o)
{
	if (target == 0)
		return !str_starts(offset, "$");
	bool fixed = !memchr(offset.p, ',', offset.n) && o->kind != IR_OFF_ANY &&
	             o->kind != IR_OFF_VERSION_INFO;
	return target == 1 && fixed && !str_starts(offset, "$");
}

static st_t add_one_pattern(struct sig_reader *r, struct str name, uint32_t target,
                            const struct ir_pattern *pattern)
{
	struct ir_sig *sig;
	struct ir_subsig *sub;
	TRY(sig_alloc(r, 1, sizeof *sig, &sig));
	TRY(sig_alloc(r, 1, sizeof *sub, &sub));
	TRY(sig_alloc(r, 1, sizeof *sub->patterns, &sub->patterns));
	TRY(sig_alloc(r, 1, sizeof *sig->conds, &sig->conds));
	char *copy = arena_strndup(&r->set->arena, name.p, name.n);
	if (!copy)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	sub->npatterns = 1;
	sub->patterns[0] = *pattern;
	sig->conds[0] = (struct ir_cond){.op = IR_COND_ID};
	*sig = (struct ir_sig){.name = copy, .target = (uint8_t)target, .flags = r->flags,
	                       .nsubsigs = 1, .subsigs = sub, .nconds = 1, .conds = sig->conds};
	return ir_add_sig(r->set, sig, r->e);
}

/* Offset and content of a signature whose other fields are in order. */
static st_t read_content(struct sig_reader *r, struct str name, uint32_t target, struct str offset,
                         struct str hex)
{
	struct ir_pattern pattern = {0};
	struct sig_note note = {0};
	name = str_name(name);
	if (!name.n)
		return sig_bad(r, "the name is empty");
	TRY(sig_offset(r, offset, target, &pattern.offset, &note));
	if (str_all_hex(hex) && hex.n < 2 * MIN_PLAIN &&
	    goes_to_plain_matcher(target, offset, &pattern.offset))
		return sig_bad(r, "a literal for any file or at a place in PE files needs %d bytes: "
		               "'%.*s'", MIN_PLAIN, SIG_SHOW(hex));
	r->target = target;
	TRY(sig_body(r, hex, 0, false, &pattern, &note));
	if (note.inactive) {
		ir_count_inactive(r->set, note.inactive);
		return ST_OK;
	}
	return add_one_pattern(r, name, target, &pattern);
}

st_t sig_line_ndb(struct sig_reader *r, struct str line)
{
	struct str f[F_COUNT];
	size_t n = str_split(line, ':', f, F_COUNT);
	if (n <= F_HEX || n > F_COUNT)
		return sig_bad(r, "a body signature has 4 to 6 fields, this one has %zu", n);
	if (sig_ignored(r, f[F_NAME]))
		return ST_OK;
	bool in_level;
	TRY(check_level(r, f, n, &in_level));
	if (!in_level) {
		r->set->nflevel++;
		return ST_OK;
	}
	if (!str_all_digits(f[F_TARGET]))
		return sig_bad(r, "target is not a number: '%.*s'", SIG_SHOW(f[F_TARGET]));
	uint32_t target = (uint32_t)str_u64(f[F_TARGET]);
	if (target > SIG_TARGET_MAX) {
		ir_count_inactive(r->set, "unknown target type");
		return ST_OK;
	}
	return read_content(r, f[F_NAME], target, f[F_OFFSET], f[F_HEX]);
}

st_t sig_line_db(struct sig_reader *r, struct str line)
{
	struct str name, hex;
	if (!str_cut(line, '=', &name, &hex))
		return sig_bad(r, "an old body signature is Name=HexSig: '%.*s'", SIG_SHOW(line));
	if (sig_ignored(r, name))
		return ST_OK;
	return read_content(r, name, 0, STR("*"), hex);
}
