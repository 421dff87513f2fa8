/* Hex body content -> parts of elements.
 *
 * Tokens: hex pairs with "?" nibbles, "*" and "{...}" gaps, "[x-y]" gaps with one single byte at
 * the outer side, "(a|b)" alternatives, "!( )" negated ones, "(B)" "(L)" "(W)" boundaries.
 *
 * What is refused is what ClamAV refuses, because a set that loads there has to load here and the
 * other way round. Its matcher needs of each part
 *  1. two fixed bytes in a row (in the piece between "[x-y]" gaps that is not the single byte);
 *  2. something to filter by: of the elements in front of the first one that its filter cannot
 *     hold (alternatives of more than single bytes, boundaries; any number of these may lead the
 *     part) at least one; in targets 0, 1, 4 and 7 two, of which one is not "??", within the
 *     first 255.
 *
 * Elements are collected on the reader's stack `elems` and copied to the arena part by part, so
 * that nested alternatives need no list of their own. */
#include "sig/text.h"

#include <stdlib.h>

/* Nested "(" that ClamAV accepts. */
#define ALT_DEPTH_MAX 16
/* Widest side of "[x-y]". */
#define BRACKET_MAX 32
/* "{n}" below this is n times "??". */
#define FIXED_GAP_SPLIT 128
/* Elements that the filter looks at. */
#define FILTER_WINDOW 255
/* Longest pattern, counted in elements: its length must fit the 16 bits of the database's code. */
#define PATTERN_ELEMS_MAX 60000

/* What rules 1 and 2 need to know about the piece being read. */
struct piece {
	uint32_t run;      /* fixed bytes in a row, now */
	uint32_t window;   /* elements the filter has taken */
	bool has_pair;     /* rule 1 */
	bool has_anchor;   /* one in the window is not "??" */
	bool window_ended;
};

struct gap {
	uint32_t min, max;
	bool bracket;
};

/* A finished piece: one part of the pattern. */
struct piece_done {
	struct ir_part part;
	struct piece seen;
	bool bracket; /* joined to the one before by "[x-y]" */
};

struct body {
	struct sig_reader *r;
	struct str text;
	size_t pos;
	unsigned mods;
	bool generic;   /* any modifier: alternatives are not special-cased */
	bool ranged;    /* a "{...}" that is not "{n}" came by: from there on "{n}" splits too */
	uint32_t total; /* elements so far */
	struct sig_note *note;
	struct piece seen;
	struct gap gap; /* in front of the piece being read */
	struct piece_done *done;
	size_t ndone, cap_done;
};

static st_t push(struct body *b, struct ir_elem el)
{
	struct sig_elems *s = &b->r->elems;
	if (++b->total > PATTERN_ELEMS_MAX)
		return sig_bad(b->r, "pattern is longer than %d bytes", PATTERN_ELEMS_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 1024;
		struct ir_elem *p = reallocarray(s->v, cap, sizeof *p);
		if (!p)
			return fail(b->r->e, ST_NOMEM, 0, "out of memory for signatures");
		s->v = p;
		s->cap = cap;
	}
	s->v[s->n++] = el;
	return ST_OK;
}

/* Moves the elements from `base` on to the arena. */
static st_t take(struct body *b, size_t base, uint32_t *ret_n, struct ir_elem **ret)
{
	struct sig_elems *s = &b->r->elems;
	size_t n = s->n - base;
	TRY(sig_alloc(b->r, n, sizeof **ret, ret));
	if (n)
		memcpy(*ret, s->v + base, n * sizeof **ret);
	*ret_n = (uint32_t)n;
	s->n = base;
	return ST_OK;
}

static bool is_fixed(const struct ir_elem *el)
{
	return el->kind == IR_BYTE && (el->mask == 0xff || el->mask == 0xdf);
}

static void see(struct piece *p, const struct ir_elem *el)
{
	p->run = is_fixed(el) ? p->run + 1 : 0;
	p->has_pair |= p->run >= 2;
	if (p->window_ended || p->window == FILTER_WINDOW)
		return;
	p->window++;
	p->has_anchor |= el->kind != IR_BYTE || el->mask;
}

/* An element that the filter cannot hold. */
static void see_special(struct piece *p)
{
	p->run = 0;
	p->window_ended |= p->window > 0;
}

static char peek(const struct body *b, size_t ahead)
{
	return b->pos + ahead < b->text.n ? b->text.p[b->pos + ahead] : '\0';
}

/* --- bytes --- */

static bool is_letter(unsigned v)
{
	return (v >= 'A' && v <= 'Z') || (v >= 'a' && v <= 'z');
}

/* Reads "ab", "a?", "?a" or "??". */
static st_t read_byte(struct body *b, struct ir_elem *ret)
{
	struct str pair = str_from(b->text, b->pos);
	char a = peek(b, 0), c = peek(b, 1);
	int hi = hex_value(a), lo = hex_value(c);
	if ((hi < 0 && a != '?') || (lo < 0 && c != '?'))
		return sig_bad(b->r, "not a pair of hex digits or '?': '%.*s'", SIG_SHOW(pair));
	unsigned mask = (hi < 0 ? 0u : 0xf0u) | (lo < 0 ? 0u : 0x0fu);
	unsigned value = (hi < 0 ? 0u : (unsigned)hi << 4) | (lo < 0 ? 0u : (unsigned)lo);
	if ((b->mods & SIG_MOD_NOCASE) && mask == 0xff && is_letter(value))
		mask = 0xdf;
	*ret = (struct ir_elem){.kind = IR_BYTE, .value = (uint8_t)(value & mask),
	                        .mask = (uint8_t)mask};
	b->pos += 2;
	return ST_OK;
}

/* Pushes a byte, and its 00 if the pattern is wide. In alternatives `seen` is NULL. */
static st_t push_byte(struct body *b, struct piece *seen)
{
	static const struct ir_elem zero = {.kind = IR_BYTE, .mask = 0xff};
	struct ir_elem el;
	TRY(read_byte(b, &el));
	TRY(push(b, el));
	if (seen)
		see(seen, &el);
	if (!(b->mods & SIG_MOD_WIDE))
		return ST_OK;
	TRY(push(b, zero));
	if (seen)
		see(seen, &zero);
	return ST_OK;
}

static st_t push_any(struct body *b, uint64_t n, struct piece *seen)
{
	static const struct ir_elem any = {.kind = IR_BYTE};
	for (uint64_t i = 0; i < n; i++) {
		TRY(push(b, any));
		if (seen)
			see(seen, &any);
	}
	return ST_OK;
}

/* --- gaps --- */

/* The text between the bracket at pos and its end `close`; moves behind. */
static st_t bracketed(struct body *b, char close, struct str *ret)
{
	struct str tail, rest = str_from(b->text, b->pos + 1);
	if (!str_cut(rest, close, ret, &tail))
		return sig_bad(b->r, "'%c' without '%c'", b->text.p[b->pos], close);
	b->pos = (size_t)(tail.p - b->text.p);
	return ST_OK;
}

/* Inside of "{...}": *ret_fixed is set for "{n}". An upper end of 0 is no end, as in ClamAV. */
static st_t parse_range(struct body *b, struct str s, struct gap *ret, bool *ret_fixed)
{
	struct str lo, hi;
	*ret_fixed = !str_cut(s, '-', &lo, &hi) && s.n;
	if (*ret_fixed) {
		while (lo.n && lo.p[0] == ' ')
			lo = str_from(lo, 1);
		lo = str_from(lo, str_starts(lo, "+"));
		hi = lo;
	}
	hi = str_from(hi, str_starts(hi, "-")); /* "{1--2}" loads, as "{1-2}" */
	if (!str_all_digits(lo) || !str_all_digits(hi) || (*ret_fixed && !lo.n))
		return sig_bad(b->r, "not a range of bytes: '{%.*s}'", SIG_SHOW(s));
	uint64_t min = str_u64(lo), max = str_u64(hi);
	ret->min = min >= IR_GAP_INF ? IR_GAP_INF - 1 : (uint32_t)min;
	ret->max = max == 0 || max >= IR_GAP_INF ? IR_GAP_INF : (uint32_t)max;
	if (*ret_fixed && max)
		ret->max = ret->min;
	return ST_OK;
}

static uint64_t scan_number(struct str s, size_t *pos)
{
	struct str d = str_from(s, *pos);
	uint64_t v = str_u64(d);
	while (*pos < s.n && s.p[*pos] >= '0' && s.p[*pos] <= '9')
		(*pos)++;
	return v;
}

/* Inside of "[x-y]"; "[x]" is "[x-x]", and what follows the numbers is not looked at. */
static st_t parse_bracket(struct body *b, struct str s, struct gap *ret)
{
	size_t pos = 0;
	uint64_t min = scan_number(s, &pos);
	bool ok = pos > 0;
	uint64_t max = min;
	if (pos + 1 < s.n && s.p[pos] == '-' && s.p[pos + 1] == '-')
		ok = false;
	if (pos + 1 < s.n && s.p[pos] == '-' && s.p[pos + 1] >= '0' && s.p[pos + 1] <= '9') {
		pos++;
		max = scan_number(s, &pos);
	}
	if (!ok || min > max || max > BRACKET_MAX)
		return sig_bad(b->r, "not a range of at most %d bytes: '[%.*s]'", BRACKET_MAX, SIG_SHOW(s));
	*ret = (struct gap){.min = (uint32_t)min, .max = (uint32_t)max, .bracket = true};
	return ST_OK;
}

/* --- alternatives --- */

static void set_add(uint64_t *set, const struct ir_elem *el)
{
	for (unsigned v = 0; v < 256; v++) {
		bool in = el->kind == IR_SET ? el->set[v / 64] >> v % 64 & 1 : (v & el->mask) == el->value;
		if (in)
			set[v / 64] |= UINT64_C(1) << v % 64;
	}
}

static st_t make_set(struct body *b, const struct ir_alt *alts, uint32_t n, struct ir_elem *ret)
{
	struct ir_elem el = {.kind = IR_SET};
	TRY(sig_alloc(b->r, 4, sizeof *el.set, &el.set));
	for (uint32_t i = 0; i < n; i++)
		set_add(el.set, &alts[i].elems[0]);
	*ret = el;
	return ST_OK;
}

/* All alternatives are: one byte or set; equally long and of bytes and sets; fixed bytes. */
struct alt_shape {
	bool singles, same_length, plain;
};

static struct alt_shape shape_of(const struct ir_alt *alts, uint32_t n)
{
	struct alt_shape s = {n > 0, n > 0, n > 0};
	for (uint32_t i = 0; i < n; i++) {
		s.singles &= alts[i].nelems == 1;
		s.same_length &= alts[i].nelems == alts[0].nelems;
		for (uint32_t j = 0; j < alts[i].nelems; j++) {
			const struct ir_elem *el = &alts[i].elems[j];
			s.plain &= is_fixed(el);
			s.same_length &= el->kind == IR_BYTE || el->kind == IR_SET;
		}
	}
	s.singles &= s.same_length;
	return s;
}

static st_t alternatives(struct body *b, int depth, bool *ret_first_empty, struct ir_elem *ret,
                         bool *ret_plain);

static st_t alt_fixed_gap(struct body *b)
{
	struct str s;
	struct gap g;
	bool fixed;
	TRY(bracketed(b, '}', &s));
	TRY(parse_range(b, s, &g, &fixed));
	if (!fixed || g.min == 0 || g.min >= FIXED_GAP_SPLIT)
		return sig_bad(b->r, "only {1}..{%d} may stand inside alternatives: '{%.*s}'",
		               FIXED_GAP_SPLIT - 1, SIG_SHOW(s));
	return push_any(b, g.min, NULL);
}

/* One alternative, up to "|" or ")". */
static st_t alternative(struct body *b, int depth)
{
	for (;;) {
		struct ir_elem nested;
		bool unused_empty, unused_plain;
		switch (peek(b, 0)) {
		case '|':
		case ')':
			return ST_OK;
		case '\0':
			return sig_bad(b->r, "missing ')'");
		case '*':
		case '[':
			return sig_bad(b->r, "no '*' or '[' inside alternatives");
		case '!':
			return sig_bad(b->r, "no '!' inside alternatives");
		case '{':
			TRY(alt_fixed_gap(b));
			break;
		case '(':
			TRY(alternatives(b, depth + 1, &unused_empty, &nested, &unused_plain));
			TRY(push(b, nested));
			break;
		default:
			TRY(push_byte(b, NULL));
		}
	}
}

/* Turns the `n` alternatives into the simplest element. */
static st_t alt_element(struct body *b, const struct ir_alt *from, uint32_t n, struct ir_elem *ret)
{
	struct alt_shape shape = shape_of(from, n);
	if (shape.singles)
		return make_set(b, from, n, ret);
	struct ir_elem el = {.kind = shape.same_length ? IR_STRS : IR_ALT, .nalts = n};
	TRY(sig_alloc(b->r, n, sizeof *el.alts, &el.alts));
	memcpy(el.alts, from, n * sizeof *el.alts);
	*ret = el;
	return ST_OK;
}

/* Number of "|" up to the matching ")", plus one: an upper bound of the alternatives at pos. */
static uint32_t count_alternatives(const struct body *b)
{
	uint32_t n = 1;
	int depth = 0;
	for (size_t i = b->pos; i < b->text.n && depth >= 0; i++) {
		char c = b->text.p[i];
		depth += (c == '(') - (c == ')');
		n += c == '|' && depth == 0;
	}
	return n;
}

/* Reads "(...)" at pos. Empty alternatives are dropped, as in ClamAV. *ret_plain: all are fixed
 * bytes. */
static st_t alternatives(struct body *b, int depth, bool *ret_first_empty, struct ir_elem *ret,
                         bool *ret_plain)
{
	if (depth > ALT_DEPTH_MAX)
		return sig_bad(b->r, "alternatives nested deeper than %d", ALT_DEPTH_MAX);
	b->pos++;
	char first = peek(b, 0);
	if (first == ')')
		return sig_bad(b->r, "empty alternatives: '()'");
	if ((b->mods & SIG_MOD_WIDE) && (first == 'B' || first == 'L' || first == 'W'))
		return sig_bad(b->r, "not a boundary: '(%c' (wide patterns need small hex digits)", first);
	uint32_t n = 0, cap = count_alternatives(b);
	struct ir_alt *alts;
	TRY(sig_alloc(b->r, cap, sizeof *alts, &alts));
	*ret_first_empty = peek(b, 0) == '|';
	bool more = true;
	while (more) {
		size_t base = b->r->elems.n;
		TRY(alternative(b, depth));
		more = peek(b, 0) == '|';
		b->pos++;
		if (b->r->elems.n > base) {
			TRY(take(b, base, &alts[n].nelems, &alts[n].elems));
			n++;
		}
	}
	if (!n && !b->generic)
		return sig_bad(b->r, "only empty alternatives");
	if (!n)
		b->note->inactive = "alternatives that nothing fits";
	*ret_plain = shape_of(alts, n).plain;
	return alt_element(b, alts, n, ret);
}

static void negate(struct ir_elem *el)
{
	if (el->kind == IR_STRS) {
		el->negated = true;
		return;
	}
	for (int i = 0; i < 4; i++)
		el->set[i] = ~el->set[i];
}

/* "(...)" or "!(...)" of the top level. */
static st_t push_alternatives(struct body *b)
{
	bool negated = peek(b, 0) == '!', first_empty, plain;
	b->pos += negated;
	struct ir_elem el;
	TRY(alternatives(b, 1, &first_empty, &el, &plain));
	bool special = b->generic || !plain || el.kind == IR_ALT;
	if (negated && special)
		return sig_bad(b->r, "'!' needs plain alternatives of one length and no modifiers");
	if (first_empty && !special)
		return sig_bad(b->r, "the first alternative is empty");
	if (negated)
		negate(&el);
	TRY(push(b, el));
	if (special || el.kind == IR_STRS)
		see_special(&b->seen);
	else
		see(&b->seen, &el);
	return ST_OK;
}

/* --- boundaries --- */

static bool at_boundary(const struct body *b)
{
	size_t at = peek(b, 0) == '!';
	char c = peek(b, at + 1);
	return peek(b, at) == '(' && (c == 'B' || c == 'L' || c == 'W') && peek(b, at + 2) == ')';
}

static st_t push_boundary(struct body *b)
{
	bool negated = peek(b, 0) == '!';
	b->pos += negated;
	struct ir_elem el = {.kind = IR_BOUND, .bound = (uint8_t)peek(b, 1), .negated = negated};
	b->pos += 3;
	see_special(&b->seen);
	return push(b, el);
}

static bool inner_bound_has(uint8_t bound, unsigned v)
{
	if (bound == 'W')
		return !(is_letter(v) || (v >= '0' && v <= '9'));
	if (bound == 'L')
		return v == '\n' || v == '\r';
	return v && v < 0x80 && strchr(" -./<@_\n\r\"'=>", (int)v);
}

/* A boundary between other elements takes the byte itself: a set of the bytes that are one on
 * either side. */
static st_t inner_bound_set(struct body *b, struct ir_elem *el)
{
	uint64_t *set;
	TRY(sig_alloc(b->r, 4, sizeof *set, &set));
	for (unsigned v = 0; v < 256; v++) {
		if (inner_bound_has(el->bound, v) != el->negated)
			set[v / 64] |= UINT64_C(1) << v % 64;
	}
	*el = (struct ir_elem){.kind = IR_SET, .set = set};
	return ST_OK;
}

/* A line end between other elements: "\n" or "\r\n". */
static st_t inner_line_end(struct body *b, struct ir_elem *el)
{
	static const struct ir_elem ends[] = {{.kind = IR_BYTE, .value = '\n', .mask = 0xff},
	                                      {.kind = IR_BYTE, .value = '\r', .mask = 0xff},
	                                      {.kind = IR_BYTE, .value = '\n', .mask = 0xff}};
	struct ir_elem *copy;
	struct ir_alt *alts;
	TRY(sig_alloc(b->r, 3, sizeof *copy, &copy));
	TRY(sig_alloc(b->r, 2, sizeof *alts, &alts));
	memcpy(copy, ends, sizeof ends);
	alts[0] = (struct ir_alt){.nelems = 1, .elems = copy};
	alts[1] = (struct ir_alt){.nelems = 2, .elems = copy + 1};
	*el = (struct ir_elem){.kind = IR_ALT, .nalts = 2, .alts = alts};
	return ST_OK;
}

/* Leaves IR_BOUND only at the two ends of a part, where it looks at a neighbour. */
static st_t settle_bounds(struct body *b, struct ir_part *p)
{
	for (uint32_t i = 0; i < p->nelems; i++) {
		struct ir_elem *el = &p->elems[i];
		if (el->kind != IR_BOUND)
			continue;
		bool outer = i == 0 || i + 1 == p->nelems;
		if (outer && el->negated)
			b->note->inactive = "negated boundary";
		if (outer)
			continue;
		if (el->bound == 'L' && !el->negated)
			TRY(inner_line_end(b, el));
		else
			TRY(inner_bound_set(b, el));
	}
	return ST_OK;
}

/* --- pieces and parts --- */

/* Ends the piece being read; `next` is the gap behind it. */
static st_t end_piece(struct body *b, struct gap next)
{
	if (b->ndone == b->cap_done) {
		size_t cap = b->cap_done ? b->cap_done * 2 : 4;
		struct piece_done *p;
		TRY(sig_alloc(b->r, cap, sizeof *p, &p));
		if (b->ndone)
			memcpy(p, b->done, b->ndone * sizeof *p);
		b->done = p;
		b->cap_done = cap;
	}
	struct piece_done *d = &b->done[b->ndone++];
	*d = (struct piece_done){.part = {.gap_min = b->gap.min, .gap_max = b->gap.max},
	                         .seen = b->seen, .bracket = b->gap.bracket};
	TRY(take(b, 0, &d->part.nelems, &d->part.elems));
	if (b->gap.min > b->gap.max)
		b->note->inactive = "gap that nothing fits";
	b->gap = next;
	b->seen = (struct piece){0};
	return ST_OK;
}

/* clamscan has a matcher for plain strings too in these target types, and asks for more there. */
static bool has_plain_matcher(uint32_t target)
{
	return target <= 1 || target == 4 || target == 7;
}

static st_t check_main(struct body *b, const struct piece *p)
{
	if (!p->has_pair)
		return sig_bad(b->r, "a part needs two fixed bytes in a row: '%.*s'", SIG_SHOW(b->text));
	bool plain = has_plain_matcher(b->r->target);
	bool enough = plain ? p->window >= 2 && p->has_anchor : p->window >= 1;
	if (!enough)
		return sig_bad(b->r, "a part needs more in front of its first alternatives or boundary: "
		               "'%.*s'", SIG_SHOW(b->text));
	return ST_OK;
}

static bool is_single_byte(const struct piece_done *d)
{
	return d->part.nelems == 1 && d->part.elems[0].kind == IR_BYTE;
}

/* Checks the pieces [from, to) that "[x-y]" gaps join: single byte, main piece, single byte. */
static st_t check_group(struct body *b, size_t from, size_t to)
{
	if (to - from > 1 && is_single_byte(&b->done[from]))
		from++;
	if (to - from > 1 && is_single_byte(&b->done[to - 1]))
		to--;
	if (to - from > 1)
		return sig_bad(b->r, "'[x-y]' needs a single byte at its outer side: '%.*s'",
		               SIG_SHOW(b->text));
	return check_main(b, &b->done[from].seen);
}

/* The byte of "[x-y]" is a condition on the main piece: offset, distances to other parts and counts
 * are the main piece's, as in ClamAV. */
static struct ir_elem near_elem(const struct ir_part *single, const struct ir_part *gap,
                                uint8_t side)
{
	const struct ir_elem *el = &single->elems[0];
	return (struct ir_elem){.kind = IR_NEAR, .value = el->value, .mask = el->mask, .side = side,
	                        .min = (uint8_t)gap->gap_min, .max = (uint8_t)gap->gap_max};
}

/* Joins single byte, main piece, single byte; conditions stand inside of boundaries. */
static st_t join_group(struct body *b, size_t from, size_t to, struct ir_part *ret)
{
	const struct piece_done *first = &b->done[from], *last = &b->done[to - 1];
	const struct piece_done *main = to - from > 1 && is_single_byte(first) ? first + 1 : first;
	struct ir_part p = main->part;
	struct ir_elem *el;
	TRY(settle_bounds(b, &p));
	TRY(sig_alloc(b->r, p.nelems + 2, sizeof *el, &el));
	uint32_t n = 0, lead = p.nelems && p.elems[0].kind == IR_BOUND, tail;
	tail = p.nelems > lead && p.elems[p.nelems - 1].kind == IR_BOUND;
	memcpy(el, p.elems, lead * sizeof *el);
	n += lead;
	if (main != first)
		el[n++] = near_elem(&first->part, &main->part, 0);
	memcpy(el + n, p.elems + lead, (p.nelems - lead - tail) * sizeof *el);
	n += p.nelems - lead - tail;
	if (main != last)
		el[n++] = near_elem(&last->part, &last->part, 1);
	memcpy(el + n, p.elems + p.nelems - tail, tail * sizeof *el);
	*ret = (struct ir_part){.gap_min = first->part.gap_min, .gap_max = first->part.gap_max,
	                        .nelems = n + tail, .elems = el};
	return ST_OK;
}

static st_t join_groups(struct body *b, struct ir_part *ret, uint32_t *ret_n)
{
	size_t from = 0;
	for (size_t i = 1; i <= b->ndone; i++) {
		if (i < b->ndone && b->done[i].bracket)
			continue;
		TRY(join_group(b, from, i, &ret[(*ret_n)++]));
		from = i;
	}
	return ST_OK;
}

static st_t check_groups(struct body *b)
{
	size_t from = 0;
	for (size_t i = 1; i <= b->ndone; i++) {
		if (i < b->ndone && b->done[i].bracket)
			continue;
		TRY(check_group(b, from, i));
		from = i;
	}
	return ST_OK;
}

/* "{...}"; also "[...]" where ClamAV takes it for the same. */
static st_t read_brace(struct body *b, char close)
{
	struct str s;
	struct gap g = {0};
	bool fixed;
	TRY(bracketed(b, close, &s));
	TRY(parse_range(b, s, &g, &fixed));
	if (fixed && g.min && g.min < FIXED_GAP_SPLIT && !b->ranged)
		return push_any(b, g.min, &b->seen);
	b->ranged = true;
	return end_piece(b, g);
}

static st_t read_bracket(struct body *b)
{
	if (b->mods & (SIG_MOD_WIDE | SIG_MOD_FULLWORD))
		return read_brace(b, ']');
	struct str s;
	struct gap g = {0};
	TRY(bracketed(b, ']', &s));
	TRY(parse_bracket(b, s, &g));
	return end_piece(b, g);
}

static st_t read_token(struct body *b)
{
	if (at_boundary(b))
		return push_boundary(b);
	switch (peek(b, 0)) {
	case '*':
		b->pos++;
		return end_piece(b, (struct gap){.max = IR_GAP_INF});
	case '{':
		return read_brace(b, '}');
	case '[':
		return read_bracket(b);
	case '!':
		if (peek(b, 1) != '(')
			return sig_bad(b->r, "'!' without '('");
		return push_alternatives(b);
	case '(':
		return push_alternatives(b);
	default:
		return push_byte(b, &b->seen);
	}
}

st_t sig_body(struct sig_reader *r, struct str hex, unsigned mods, bool generic,
              struct ir_pattern *ret, struct sig_note *note)
{
	struct body b = {.r = r, .text = hex, .mods = mods, .generic = generic, .note = note};
	r->elems.n = 0;
	while (b.pos < hex.n)
		TRY(read_token(&b));
	TRY(end_piece(&b, (struct gap){0}));
	TRY(check_groups(&b));
	struct ir_part *parts;
	TRY(sig_alloc(r, b.ndone, sizeof *parts, &parts));
	ret->nparts = 0;
	TRY(join_groups(&b, parts, &ret->nparts));
	ret->fullword = mods & SIG_MOD_FULLWORD;
	ret->wide = mods & SIG_MOD_WIDE;
	ret->parts = parts;
	return ST_OK;
}
