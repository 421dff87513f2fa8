/* Regular expressions as sub-signatures: "[offset:]trigger/regex/flags". The regex is compiled here
 * once, to know that it can be: the database carries its text (a compiled one cannot be checked,
 * and PCRE2's is bound to its version). */
#include "sig/subsig.h"

#include "db/layout.h"
#include "db/regex_options.h"


/* Splits "front/regex/flags"; the regex runs to the last '/'. */
static st_t split(struct sig_reader *r, struct str s, struct str *ret_front, struct str *ret_regex,
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
		return sig_bad(r, "regular expression without '/' at its end: '%.*s'", SIG_SHOW(s));
	*ret_regex = (struct str){rest.p, end - 1};
	if (!ret_regex->n)
		return sig_bad(r, "regular expression is empty: '%.*s'", SIG_SHOW(s));
	return ST_OK;
}

static st_t read_flags(struct sig_reader *r, struct str flags, uint32_t *ret)
{
	static const struct {
		char c;
		uint32_t option;
	} known[] = {
	    {'g', DB_RE_GLOBAL},    {'r', DB_RE_ROLLING},   {'e', DB_RE_ENCOMPASS},
	    {'i', DB_RE_CASELESS},  {'s', DB_RE_DOTALL},    {'m', DB_RE_MULTILINE},
	    {'x', DB_RE_EXTENDED},  {'A', DB_RE_ANCHORED},  {'E', DB_RE_DOLLAR_ENDONLY},
	    {'U', DB_RE_UNGREEDY},
	};
	*ret = 0;
	for (size_t i = 0; i < flags.n; i++) {
		size_t k = 0;
		while (k < sizeof known / sizeof *known && known[k].c != flags.p[i])
			k++;
		if (k == sizeof known / sizeof *known)
			return sig_bad(r, "unknown flag of a regular expression: '%c'", flags.p[i]);
		*ret |= known[k].option;
	}
	return ST_OK;
}

/* Refuses what PCRE2 refuses. */
static st_t try_compile(struct sig_reader *r, struct str regex, uint32_t options)
{
	int code;
	PCRE2_SIZE at;
	pcre2_code *c = pcre2_compile((PCRE2_SPTR)regex.p, regex.n, db_regex_compile_options(options),
	                              &code, &at, NULL);
	if (c) {
		pcre2_code_free(c);
		return ST_OK;
	}
	PCRE2_UCHAR why[128];
	if (pcre2_get_error_message(code, why, sizeof why) < 0)
		why[0] = 0;
	return sig_bad(r, "regular expression, at its character %zu: %s: '%.*s'", (size_t)at + 1,
	               (const char *)why, SIG_SHOW(regex));
}

static st_t read_trigger(struct sig_reader *r, struct str trigger, uint32_t index,
                         struct ir_regex *x)
{
	if (!trigger.n)
		return sig_bad(r, "regular expression without a trigger");
	struct sig_expr t;
	TRY(sig_expr(r, trigger, 0, &t));
	if (t.nids > index)
		return sig_bad(r, "the trigger of a regular expression names a sub-signature that is "
		               "not in front of it: '%.*s'", SIG_SHOW(trigger));
	x->trigger = t.conds;
	x->ntrigger = t.nconds;
	return ST_OK;
}

st_t sig_regex(struct sig_reader *r, struct str s, uint32_t target, uint32_t index,
               struct ir_subsig *sub, struct sig_note *note)
{
	struct str front, regex, flags, offset = STR("*"), trigger;
	struct ir_regex *x;
	TRY(split(r, s, &front, &regex, &flags));
	TRY(sig_alloc(r, 1, sizeof *x, &x));
	TRY(read_flags(r, flags, &x->options));
	if (!str_cut(front, ':', &offset, &trigger)) {
		offset = STR("*");
		trigger = front;
	}
	TRY(sig_offset(r, offset, target, &x->offset, note));
	if (x->offset.kind == IR_OFF_VERSION_INFO)
		note->inactive = "regular expression at VI";
	TRY(read_trigger(r, trigger, index, x));
	TRY(try_compile(r, regex, x->options));
	char *text = arena_strndup(&r->set->arena, regex.p, regex.n);
	if (!text)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	x->text = text;
	x->len = (uint32_t)regex.n;
	sub->kind = IR_SUBSIG_REGEX;
	sub->regex = x;
	return ST_OK;
}
