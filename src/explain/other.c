/* Sub-signatures that are no body patterns: regular expressions, comparisons of numbers,
 * pictures. */
#include "explain/words.h"

#include "base/num.h"

#include <inttypes.h>

/* -- regular expressions -------------------------------------------------------------------- */

static const struct {
	uint32_t option;
	const char *letter, *words;
} regex_options[] = {
    {DB_RE_GLOBAL, "g", "every match counts, not only the first"},
    {DB_RE_ROLLING, "r", "a match may start anywhere behind the offset"},
    {DB_RE_ENCOMPASS, "e", "a match ends within the distance that the offset allows, too"},
    {DB_RE_CASELESS, "i", "letters in either case"},
    {DB_RE_DOTALL, "s", "a dot is any byte, line ends too"},
    {DB_RE_MULTILINE, "m", "^ and $ are start and end of every line"},
    {DB_RE_EXTENDED, "x", "blanks and comments in the expression do not count"},
    {DB_RE_ANCHORED, "A", "it matches at the first byte it is tried on only"},
    {DB_RE_DOLLAR_ENDONLY, "E", "$ is the very end only, not in front of a last line end"},
    {DB_RE_UNGREEDY, "U", "repetitions are as short as possible"},
};

static void say_regex(struct out *o, const struct db_pattern *p)
{
	out_say(o, "is a regular expression (PCRE), tried ");
	say_offset(o, p);
	out_say(o, ":");
}

static void explain_regex(struct out *o, const struct db_view *db, const struct db_pattern *p,
                          const struct subsigs *subs, struct cond_tree *t)
{
	const struct db_regex *r = &db->regex[p->part];
	out_str(o, "kind", "regex");
	out_str(o, "offset", word_offset_kind(p->off_kind));
	out_int(o, "offset_n", p->off_n);
	out_num(o, "offset_shift", p->off_shift);
	out_text(o, db->code + r->text, r->len);
	out_open_one(o, "expression");
	out_hex(o, "hex", db->code + r->text, r->len);
	out_close(o);
	for (size_t i = 0; i < ARRAY_LEN(regex_options); i++) {
		if (!(r->options & regex_options[i].option))
			continue;
		out_say(o, "%s: %s", regex_options[i].letter, regex_options[i].words);
		out_item(o, "options");
	}
	cond_tree_make(db->cond + r->cond, r->ncond, t);
	out_say(o, "It is tried only when");
	out_open_one(o, "trigger");
	explain_cond(o, t, t->root, subs);
	out_close(o);
}

/* -- comparisons ---------------------------------------------------------------------------- */

static const char *word_base(const struct db_compare *c)
{
	static const char *const words[DB_CMP_BASES] = {
	    [DB_CMP_HEX] = "hexadecimal digits as text",
	    [DB_CMP_DECIMAL] = "decimal digits as text",
	    [DB_CMP_AUTO] = "digits as text, hexadecimal with 0x in front, else decimal",
	    [DB_CMP_RAW] = "a binary number",
	};
	return c->base < DB_CMP_BASES ? words[c->base] : "a number of an unknown kind";
}

static const char *word_order(const struct db_compare *c)
{
	static const char *const words[DB_CMP_ORDERS] = {
	    [DB_CMP_NO_ORDER] = "",
	    [DB_CMP_LITTLE] = ", lowest byte first",
	    [DB_CMP_BIG] = ", highest byte first",
	};
	return c->order < DB_CMP_ORDERS ? words[c->order] : "";
}

static void say_compare(struct out *o, const struct db_compare *c, const struct subsigs *subs)
{
	if (c->n == 0) {
		out_say(o, "is a comparison of a number that never holds");
		return;
	}
	out_say(o, "is a comparison of a number, ");
	if (c->offset == 0)
		out_say(o, "at the start");
	else
		out_say(o, "%" PRIu64 " byte%s %s the start", c->offset < 0 ? (uint64_t)-c->offset
		                                                         : (uint64_t)c->offset,
		        c->offset == 1 || c->offset == -1 ? "" : "s", c->offset < 0 ? "before" : "behind");
	out_say(o, " of the last match of sub-signature %" PRIu32 ":", subsig_of(subs, c->first));
}

static const char *word_op(uint8_t op)
{
	return op == '<' ? "less than" : op == '>' ? "more than" : "equal to";
}

static void explain_compare(struct out *o, const struct db_compare *c)
{
	out_str(o, "kind", "compare");
	out_int(o, "offset", c->offset);
	out_num(o, "length", c->len);
	out_say(o, "%" PRIu32 " byte%s, read as %s%s%s", c->len, c->len == 1 ? "" : "s", word_base(c),
	        word_order(c), c->exact ? "; all of them belong to the number" : "");
	out_item(o, "number");
	for (unsigned i = 0; i < c->ncmp && i < 2; i++) {
		out_say(o, "it is %s %" PRId64, word_op(c->op[i]), c->value[i]);
		if (c->value[i] > 9)
			out_say(o, " (0x%" PRIx64 ")", (uint64_t)c->value[i]);
		out_open(o, "comparisons");
		out_int(o, "value", c->value[i]);
		out_close(o);
	}
}

/* -- all ------------------------------------------------------------------------------------ */

void say_other(struct out *o, const struct db_view *db, const struct db_pattern *p,
               const struct subsigs *subs)
{
	switch (p->flags & DB_PAT_OTHER) {
	case DB_PAT_REGEX:
		say_regex(o, p);
		return;
	case DB_PAT_COMPARE:
		say_compare(o, &db->compare[p->part], subs);
		return;
	case DB_PAT_IMAGE:
		out_say(o, "matches a picture with the perceptual hash %016" PRIx64,
		        db->image[p->part].hash);
		return;
	default:
		out_say(o, "is of a kind that never matches (a macro)");
	}
}

void explain_other(struct out *o, const struct db_view *db, const struct db_pattern *p,
                   const struct subsigs *subs, struct cond_tree *t)
{
	switch (p->flags & DB_PAT_OTHER) {
	case DB_PAT_REGEX:
		explain_regex(o, db, p, subs, t);
		return;
	case DB_PAT_COMPARE:
		explain_compare(o, &db->compare[p->part]);
		return;
	case DB_PAT_IMAGE:
		out_str(o, "kind", "image");
		return;
	default:
		out_str(o, "kind", "never");
	}
}
