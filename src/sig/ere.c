/* Checks regular expressions of phishing lists: POSIX extended ones, of which ClamAV also demands
 * that each ends in something it can look up: a character, a small set, or a group of such.
 *
 * One pass with a stack of open groups; nothing is compiled. */
#include "sig/text.h"

#define GROUPS_MAX 64    /* more than people write; a limit of ours */
#define SET_MAX 16       /* characters of a set that ClamAV writes out */
#define REPEAT_MAX 255   /* POSIX RE_DUP_MAX */
#define WHOLE_MIN 2      /* characters at the end of an alternative outside of groups */

/* One group being read; the outermost is the expression. */
struct group {
	bool has_atom;  /* in this alternative, so that a repetition may follow */
	bool repeated;  /* the last atom has a repetition */
	uint32_t run;   /* characters in a row up to here */
	bool all_end;   /* every alternative so far ends in a character */
};

struct regex {
	struct sig_reader *r;
	struct str text;
	size_t pos;
	struct group groups[GROUPS_MAX];
	size_t depth;
	bool closed; /* by a ')' too many */
};

static st_t bad(struct regex *x, const char *why)
{
	return sig_bad(x->r, "regular expression: %s: '%.*s'", why, SIG_SHOW(x->text));
}

static struct group *top(struct regex *x)
{
	return &x->groups[x->depth];
}

static void atom(struct regex *x, bool is_character)
{
	struct group *g = top(x);
	g->has_atom = true;
	g->repeated = false;
	g->run = is_character ? g->run + 1 : 0;
}

/* Ends an alternative that has `behind` characters after it. */
static st_t end_alternative(struct regex *x, uint32_t behind)
{
	struct group *g = top(x);
	if (!g->has_atom)
		return bad(x, "empty alternative");
	if (!x->closed)
		g->all_end &= g->run + behind >= WHOLE_MIN;
	return ST_OK;
}

static void begin_alternative(struct regex *x)
{
	struct group *g = top(x);
	g->has_atom = g->repeated = false;
	g->run = 0;
}

static st_t open_group(struct regex *x)
{
	if (x->depth + 1 == GROUPS_MAX)
		return bad(x, "too many groups in each other");
	x->depth++;
	*top(x) = (struct group){.all_end = true};
	return ST_OK;
}

/* A ')' too many is a character, but ClamAV looks no further for what it can look up. */
static st_t close_all(struct regex *x)
{
	TRY(end_alternative(x, 0));
	x->closed = true;
	atom(x, true);
	return ST_OK;
}

static st_t close_group(struct regex *x)
{
	if (!x->depth)
		return close_all(x);
	TRY(end_alternative(x, 1));
	bool all_end = top(x)->all_end;
	x->depth--;
	atom(x, all_end);
	return ST_OK;
}

/* "[:name:]" of a set, at pos; *ret_n is its length. */
static bool named_class(struct str s, size_t *ret_n)
{
	static const char *const names[] = {
		"[:alnum:]", "[:alpha:]", "[:blank:]", "[:cntrl:]", "[:digit:]", "[:graph:]",
		"[:lower:]", "[:print:]", "[:punct:]", "[:space:]", "[:upper:]", "[:xdigit:]",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		*ret_n = strlen(names[i]);
		if (str_starts(s, names[i]))
			return true;
	}
	return false;
}

/* The characters of a set, as bits, up to its ']'. */
static st_t read_set_items(struct regex *x, uint64_t set[4])
{
	const struct str s = x->text;
	bool first = true;
	for (; x->pos < s.n && (first || s.p[x->pos] != ']'); first = false) {
		size_t n;
		if (str_starts(str_from(s, x->pos), "[:")) {
			if (!named_class(str_from(s, x->pos), &n))
				return bad(x, "unknown class of characters");
			x->pos += n; /* counts for nothing: ClamAV takes the inner ']' for the end */
			continue;
		}
		uint8_t lo = (uint8_t)s.p[x->pos++], hi = lo;
		if (x->pos + 1 < s.n && s.p[x->pos] == '-' && s.p[x->pos + 1] != ']') {
			hi = (uint8_t)s.p[x->pos + 1];
			x->pos += 2;
		}
		if (hi < lo)
			return bad(x, "range of characters that ends before it begins");
		for (unsigned c = lo; c <= hi; c++)
			set[c / 64] |= UINT64_C(1) << c % 64;
	}
	return x->pos < s.n ? ST_OK : bad(x, "'[' without ']'");
}

static st_t read_set(struct regex *x)
{
	uint64_t set[4] = {0};
	int n = 0;
	bool negated = str_starts(str_from(x->text, x->pos + 1), "^");
	x->pos += 1 + negated;
	TRY(read_set_items(x, set));
	for (size_t i = 0; i < 4; i++)
		n += __builtin_popcountll(set[i]);
	x->pos++;
	atom(x, !negated && n <= SET_MAX);
	return ST_OK;
}

/* "{n}" "{n,}" "{n,m}"; a '{' that no digit follows is a character. */
static st_t read_braces(struct regex *x)
{
	struct str inside, rest, lo, hi, text = str_from(x->text, x->pos + 1);
	if (!text.n || text.p[0] < '0' || text.p[0] > '9') {
		x->pos++;
		atom(x, true);
		return ST_OK;
	}
	if (!str_cut(text, '}', &inside, &rest))
		return bad(x, "'{' without '}'");
	bool open = str_cut(inside, ',', &lo, &hi);
	uint64_t from = str_u64(lo), to = hi.n ? str_u64(hi) : from;
	if (!str_all_digits(lo) || !str_all_digits(hi) || from > REPEAT_MAX || to > REPEAT_MAX ||
	    to < from)
		return bad(x, open ? "broken repetition {n,m}" : "broken repetition {n}");
	if (!top(x)->has_atom || top(x)->repeated)
		return bad(x, "repetition of nothing");
	atom(x, true); /* so it ends in a character for ClamAV: '}' */
	top(x)->repeated = true;
	x->pos += inside.n + 2;
	return ST_OK;
}

static st_t read_repetition(struct regex *x, char c)
{
	struct group *g = top(x);
	if (!g->has_atom || g->repeated)
		return bad(x, "repetition of nothing");
	g->repeated = true;
	if (c != '+')
		g->run = 0;
	x->pos++;
	return ST_OK;
}

static st_t read_bar(struct regex *x)
{
	TRY(end_alternative(x, x->depth ? 1 : 0));
	begin_alternative(x);
	x->pos++;
	return ST_OK;
}

/* '$' at the end: what stands in front is what is looked up, and it takes one character more. */
static void read_dollar(struct regex *x)
{
	struct group *g = top(x);
	bool last = x->pos + 1 == x->text.n;
	g->has_atom = true;
	g->repeated = true; /* nothing to repeat */
	if (last)
		g->run = g->run ? g->run - 1 : 0;
	x->pos++;
}

static st_t read_element(struct regex *x)
{
	char c = x->text.p[x->pos];
	switch (c) {
	case '(':
		x->pos++;
		return open_group(x);
	case ')':
		x->pos++;
		return close_group(x);
	case '[':
		return read_set(x);
	case '{':
		return read_braces(x);
	case '|':
		return read_bar(x);
	case '*':
	case '+':
	case '?':
		return read_repetition(x, c);
	case '$':
		read_dollar(x);
		return ST_OK;
	case '^':
		x->pos++;
		atom(x, true);
		top(x)->repeated = true; /* nothing to repeat */
		return ST_OK;
	default:
		break;
	}
	x->pos += c == '\\' && x->pos + 1 < x->text.n ? 2 : 1;
	atom(x, c != '.' && (uint8_t)c < 0x80); /* ClamAV looks up no others */
	return ST_OK;
}

st_t sig_check_regex(struct sig_reader *r, struct str s)
{
	struct regex x = {.r = r, .text = s, .groups = {{.all_end = true}}};
	while (x.pos < s.n)
		TRY(read_element(&x));
	if (x.depth)
		return bad(&x, "'(' without ')'");
	if (!x.closed)
		TRY(end_alternative(&x, 1)); /* ClamAV puts a '/' behind */
	if (!x.groups[0].all_end)
		return bad(&x, "must end in a character or in a set of at most 16");
	return ST_OK;
}
