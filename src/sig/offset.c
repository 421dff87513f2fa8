/* Offset fields: where a pattern may start.
 *   "*"  n  EOF-n  EP+n EP-n  Sx+n  SL+n  SEx  VI  $group, all but "*" with ",maxshift" */
#include "sig/text.h"

static st_t invalid(struct sig_reader *r, struct str s)
{
	return sig_bad(r, "invalid offset: '%.*s'", SIG_SHOW(s));
}

/* Digits to the end; "" is 0. Values past any file size are cut to one that is past it too. */
static bool number(struct str s, int64_t *ret)
{
	uint64_t v = str_u64(s);
	*ret = v > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)v;
	return str_all_digits(s);
}

static bool section_number(struct str s, uint32_t *ret)
{
	int64_t v;
	bool ok = number(s, &v);
	*ret = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	return ok;
}

/* "Sx+n". As ClamAV scans it: what follows the digits of n is not looked at. */
static bool section_offset(struct str s, struct ir_offset *o)
{
	struct str sec, n;
	if (!str_cut(str_from(s, 1), '+', &sec, &n) || !sec.n || !n.n)
		return false;
	size_t digits = 0;
	while (digits < n.n && n.p[digits] >= '0' && n.p[digits] <= '9')
		digits++;
	o->kind = IR_OFF_SECTION;
	return digits && section_number(sec, &o->section) && number((struct str){n.p, digits}, &o->n);
}

static bool ep_offset(struct str s, struct ir_offset *o)
{
	o->kind = IR_OFF_EP;
	if (!number(str_from(s, 3), &o->n))
		return false;
	if (s.p[2] == '-')
		o->n = -o->n;
	return true;
}

/* True if `s` (without its maxshift) is well-formed. */
static bool parse_place(struct str s, struct ir_offset *o)
{
	if (str_starts(s, "EOF-")) {
		o->kind = IR_OFF_EOF;
		return number(str_from(s, 4), &o->n);
	}
	if (str_starts(s, "EP+") || str_starts(s, "EP-"))
		return ep_offset(s, o);
	if (str_starts(s, "VI")) {
		o->kind = IR_OFF_VERSION_INFO;
		return true;
	}
	if (str_starts(s, "SE")) {
		o->kind = IR_OFF_IN_SECTION;
		return section_number(str_from(s, 2), &o->section);
	}
	if (str_starts(s, "SL+")) {
		o->kind = IR_OFF_LAST_SECTION;
		return number(str_from(s, 3), &o->n);
	}
	if (str_starts(s, "S"))
		return section_offset(s, o);
	o->kind = IR_OFF_ABS;
	return number(s, &o->n);
}

#define MACRO_GROUPS 32

static st_t macro_group(struct sig_reader *r, struct str s, struct sig_note *note)
{
	struct str n = str_from(s, 1);
	if (!n.n || !str_all_digits(n) || str_u64(n) >= MACRO_GROUPS)
		return sig_bad(r, "macro group is not a number below %d: '%.*s'", MACRO_GROUPS,
		               SIG_SHOW(s));
	note->inactive = "macro group";
	return ST_OK;
}

st_t sig_offset(struct sig_reader *r, struct str text, uint32_t target, struct ir_offset *ret,
                struct sig_note *note)
{
	struct ir_offset o = {.kind = IR_OFF_ANY};
	struct str place, shift;
	bool has_shift = str_cut(text, ',', &place, &shift);
	int64_t max = 0;
	if (has_shift && !number(shift, &max))
		return sig_bad(r, "maxshift is not a number: '%.*s'", SIG_SHOW(text));
	o.maxshift = max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
	*ret = o;
	if (str_is(text, "*"))
		return ST_OK;
	if (str_starts(place, "$"))
		return macro_group(r, place, note);
	if (!parse_place(place, &o))
		return invalid(r, text);
	bool exe_only = o.kind >= IR_OFF_EP;
	if (exe_only && !sig_target_is_exe(target))
		return sig_bad(r, "offset '%.*s' needs target 1, 6 or 9, not %u", SIG_SHOW(text), target);
	*ret = o;
	return ST_OK;
}
