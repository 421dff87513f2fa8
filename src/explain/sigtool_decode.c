/* sigtool --decode-sigs: body and logical signatures, as text; and what --test-sigs says of them
 * likewise. */
#include "explain/sigtool.h"

#include "base/num.h"
#include "explain/sigtool_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PUT(o, text) out_raw(o, text, sizeof text - 1)

static void put_piece(struct out *o, struct piece p)
{
	out_raw(o, p.p, p.len);
}

/* "LABEL" and the piece, and a line end. */
static void put_line(struct out *o, const char *label, struct piece p)
{
	out_raw(o, label, strlen(label));
	put_piece(o, p);
	PUT(o, "\n");
}

static struct piece part_of(struct piece p, size_t from, size_t to)
{
	return (struct piece){p.p + from, to - from};
}

static bool find(struct piece p, size_t from, char c, size_t *ret)
{
	for (*ret = from; *ret < p.len; ++*ret)
		if (p.p[*ret] == c)
			return true;
	return false;
}

static bool is_number(struct piece p)
{
	for (size_t i = 0; i < p.len; i++)
		if (p.p[i] < '0' || p.p[i] > '9')
			return false;
	return p.len > 0 && p.len < 10;
}

/* -- content -------------------------------------------------------------------------------- */

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two characters: a byte, a wildcard. False if they are neither. */
static bool put_pair(struct out *o, const uint8_t *p)
{
	int high = nibble(p[0]), low = nibble(p[1]);
	if (high >= 0 && low >= 0) {
		uint8_t b = (uint8_t)(high << 4 | low);
		out_raw(o, &b, 1);
		return true;
	}
	char text[40];
	if (p[0] == '?' && p[1] == '?')
		snprintf(text, sizeof text, "{WILDCARD_IGNORE}");
	else if (high >= 0 && p[1] == '?')
		snprintf(text, sizeof text, "{WILDCARD_NIBBLE_HIGH:0x%x}", (unsigned)high << 4);
	else if (p[0] == '?' && low >= 0)
		snprintf(text, sizeof text, "{WILDCARD_NIBBLE_LOW:0x%x}", (unsigned)low);
	else
		return false;
	out_raw(o, text, strlen(text));
	return true;
}

/* "{n-m}", "[n]", …: what stands between the brackets. */
static bool put_range(struct out *o, struct piece in)
{
	size_t dash;
	bool open = find(in, 0, '-', &dash);
	struct piece min = part_of(in, 0, dash);
	struct piece max = open ? part_of(in, dash + 1, in.len) : part_of(in, in.len, in.len);
	if ((min.len && !is_number(min)) || (max.len && !is_number(max)) || (!min.len && !max.len))
		return false;
	PUT(o, "{WILDCARD_ANY_STRING(LENGTH");
	if (!open)
		PUT(o, "==");
	else if (min.len)
		PUT(o, ">=");
	put_piece(o, min);
	if (open && max.len) {
		if (min.len)
			PUT(o, "&&");
		PUT(o, "<=");
		put_piece(o, max);
	}
	PUT(o, ")}");
	return true;
}

/* Plain bytes of one alternative. */
static bool put_hex(struct out *o, struct piece in)
{
	for (size_t i = 0; i + 1 < in.len; i += 2)
		if (nibble(in.p[i]) < 0 || nibble(in.p[i + 1]) < 0 || !put_pair(o, in.p + i))
			return false;
	return in.len % 2 == 0;
}

static bool put_alternatives(struct out *o, struct piece in, bool negated)
{
	if (negated)
		PUT(o, "{EXCLUDING_STRING_ALTERNATIVE:");
	else
		PUT(o, "{STRING_ALTERNATIVE:");
	for (size_t from = 0, to; from <= in.len; from = to + 1) {
		(void)find(in, from, '|', &to);
		if (!put_hex(o, part_of(in, from, to)))
			return false;
		if (to < in.len)
			PUT(o, "|");
	}
	PUT(o, "}");
	return true;
}

static bool is_boundary(struct piece in)
{
	return in.len == 1 && (in.p[0] == 'B' || in.p[0] == 'L' || in.p[0] == 'W');
}

/* Boundaries count at the ends of a run between wildcards; elsewhere nothing is said of them. */
static void put_boundary(struct out *o, uint8_t kind, bool left, bool right)
{
	const char *word = kind == 'B' ? "BOUNDARY" : kind == 'L' ? "LINE_MARKER" : "WORD_MARKER";
	char text[40];
	if (!left && !right)
		return;
	snprintf(text, sizeof text, "{%s_%s}", word, left ? "LEFT" : "RIGHT");
	out_raw(o, text, strlen(text));
}

static bool ends_run(struct piece in, size_t at)
{
	return at >= in.len || in.p[at] == '*' || in.p[at] == '{' || in.p[at] == '[';
}

struct decoder {
	struct out *o;
	struct piece in;
	size_t at;
	bool run_start; /* nothing of the run between wildcards was seen yet */
};

/* "(...)" or "!(...)" at d->at. */
static bool decode_group(struct decoder *d)
{
	bool negated = d->in.p[d->at] == '!';
	size_t from = d->at + 1 + negated, to;
	if (negated && (d->at + 1 >= d->in.len || d->in.p[d->at + 1] != '('))
		return false;
	if (!find(d->in, from, ')', &to))
		return false;
	struct piece inside = part_of(d->in, from, to);
	d->at = to + 1;
	if (!is_boundary(inside))
		return put_alternatives(d->o, inside, negated);
	if (!negated)
		put_boundary(d->o, inside.p[0], d->run_start, ends_run(d->in, d->at));
	return true;
}

static bool decode_range(struct decoder *d)
{
	char close = d->in.p[d->at] == '{' ? '}' : ']';
	size_t to;
	if (!find(d->in, d->at, close, &to))
		return false;
	struct piece inside = part_of(d->in, d->at + 1, to);
	d->at = to + 1;
	return put_range(d->o, inside);
}

static bool decode_next(struct decoder *d)
{
	uint8_t c = d->in.p[d->at];
	if (c == '*') {
		PUT(d->o, "{WILDCARD_ANY_STRING}");
		d->at++;
		d->run_start = true;
		return true;
	}
	bool range = c == '{' || c == '[';
	bool good = range ? decode_range(d) : c == '(' || c == '!' ? decode_group(d) : false;
	if (!range && c != '(' && c != '!' && d->at + 1 < d->in.len) {
		good = put_pair(d->o, d->in.p + d->at);
		d->at += 2;
	}
	d->run_start = range;
	return good;
}

static void put_content(struct out *o, struct piece in)
{
	struct decoder d = {.o = o, .in = in, .run_start = true};
	while (d.at < in.len && o->st == ST_OK)
		if (!decode_next(&d))
			break;
	if (d.at >= in.len)
		PUT(o, "\n");
}

/* -- signatures ----------------------------------------------------------------------------- */

struct walk {
	struct out *o;
	sigtool_body_fn *body;
	void *ctx;
	uint32_t line;
};

static st_t give_body(struct walk *w, struct piece text, bool logical, bool anywhere, uint32_t sub,
                      struct err *e)
{
	struct sigtool_body b = {text, logical, anywhere, w->line, sub};
	return w->body(w->ctx, w->o, &b, e);
}

static const char *target_word(struct piece p)
{
	static const char *const words[] = {
	    "ANY FILE", "PE",  "OLE2", "HTML",  "MAIL", "GRAPHICS", "ELF", "NORMALIZED ASCII TEXT",
	    "DISASM DATA", "MACHO", "PDF", "FLASH", "JAVA CLASS",
	};
	unsigned n = 0;
	for (size_t i = 0; i < p.len && i < 3; i++)
		n = n * 10 + (unsigned)(p.p[i] - '0');
	bool good = is_number(p) && n < sizeof words / sizeof words[0];
	return good ? words[n] : NULL;
}

static void put_level(struct out *o, struct piece min, struct piece max, bool both)
{
	PUT(o, "FUNCTIONALITY LEVEL: ");
	if (!both)
		PUT(o, ">=");
	put_piece(o, min);
	if (both)
		PUT(o, "..");
	put_piece(o, max);
	PUT(o, "\n");
}

static st_t walk_body(struct walk *w, struct piece line, int fields, struct err *e)
{
	struct out *o = w->o;
	struct piece offset = sigtool_field(line, ':', 2);
	const char *target = target_word(sigtool_field(line, ':', 1));
	put_line(o, "VIRUS NAME: ", sigtool_field(line, ':', 0));
	if (fields > 4)
		put_level(o, sigtool_field(line, ':', 4), sigtool_field(line, ':', 5), fields > 5);
	if (is_number(sigtool_field(line, ':', 1)))
		PUT(o, "TARGET TYPE: ");
	if (!target)
		return fail(e, ST_MALFORMED, 0, "decodesig: Invalid target type");
	out_raw(o, target, strlen(target));
	PUT(o, "\n");
	put_line(o, "OFFSET: ", offset);
	bool anywhere = offset.len == 1 && offset.p[0] == '*';
	return give_body(w, sigtool_field(line, ':', 3), false, anywhere, 0, e);
}

/* "x=hex" */
static st_t walk_old(struct walk *w, struct piece line, struct err *e)
{
	put_line(w->o, "VIRUS NAME: ", sigtool_field(line, '=', 0));
	return give_body(w, sigtool_field(line, '=', 1), false, true, 0, e);
}

/* The line of a letter that sigtool does not know ends there, without a line end. */
static void put_modifiers(struct out *o, struct piece mods)
{
	static const struct {
		char letter;
		const char *word;
	} words[] = {{'i', " NOCASE"}, {'w', " WIDE"}, {'a', " ASCII"}, {'f', " FULLWORD"}};
	for (size_t i = 0, k; i < mods.len; i++) {
		for (k = 0; k < ARRAY_LEN(words) && words[k].letter != mods.p[i]; k++)
			;
		if (k == ARRAY_LEN(words)) {
			PUT(o, " UNKNOWN");
			return;
		}
		out_raw(o, words[k].word, strlen(words[k].word));
	}
	PUT(o, "\n");
}

/* "trigger/regex/flags" */
static void put_regex(struct out *o, struct piece sub, size_t slash, size_t last)
{
	struct piece flags = part_of(sub, last + 1, sub.len);
	put_line(o, "     +-> TRIGGER: ", part_of(sub, 0, slash));
	put_line(o, "     +-> REGEX: ", part_of(sub, slash + 1, last));
	if (flags.len)
		put_line(o, "     +-> CFLAGS: ", flags);
	else
		PUT(o, "     +-> CFLAGS: null\n");
}

static size_t last_slash(struct piece p)
{
	size_t at = p.len;
	while (at > 0 && p.p[at - 1] != '/')
		at--;
	return at ? at - 1 : 0;
}

/* Where "::modifiers" begins, or the end. */
static size_t modifiers_at(struct piece p)
{
	for (size_t i = p.len; i >= 2; i--)
		if (p.p[i - 1] == ':' && p.p[i - 2] == ':')
			return i - 2;
	return p.len;
}

static st_t walk_subsig(struct walk *w, struct piece sub, uint32_t id, struct err *e)
{
	char head[40];
	size_t colon, slash, mods;
	bool regex = find(sub, 0, '/', &slash);
	mods = modifiers_at(sub);
	if (regex && mods < last_slash(sub))
		mods = sub.len;
	struct piece body = part_of(sub, 0, mods);
	struct piece letters = mods < sub.len ? part_of(sub, mods + 2, sub.len) : part_of(sub, 0, 0);
	bool offset = find(body, 0, ':', &colon) && (!regex || colon < slash);
	snprintf(head, sizeof head, " * SUBSIG ID %" PRIu32 "\n +-> OFFSET: ", id);
	out_raw(w->o, head, strlen(head));
	if (offset)
		put_piece(w->o, part_of(body, 0, colon));
	else
		PUT(w->o, "ANY");
	PUT(w->o, "\n");
	PUT(w->o, " +-> SIGMOD:");
	if (mods < sub.len)
		put_modifiers(w->o, letters);
	else
		PUT(w->o, " NONE\n");
	body = offset ? part_of(body, colon + 1, body.len) : body;
	return give_body(w, body, true, false, id, e);
}

/* One more than the highest id in an expression. */
static int ids_in(struct piece expr)
{
	int most = -1;
	for (size_t i = 0; i < expr.len; i++) {
		int n = 0;
		bool compared = i > 0 && strchr("=<>,", expr.p[i - 1]);
		size_t from = i;
		while (i < expr.len && i - from < 6 && expr.p[i] >= '0' && expr.p[i] <= '9')
			n = n * 10 + (expr.p[i++] - '0');
		if (i > from && !compared && n > most)
			most = n;
	}
	return most + 1;
}

#define SUBSIGS_DECODED 64

static st_t walk_logical(struct walk *w, struct piece line, int fields, struct err *e)
{
	struct out *o = w->o;
	struct piece expr = sigtool_field(line, ';', 2);
	int ids = ids_in(expr), subs = fields - 3;
	put_line(o, "VIRUS NAME: ", sigtool_field(line, ';', 0));
	put_line(o, "TDB: ", sigtool_field(line, ';', 1));
	put_line(o, "LOGICAL EXPRESSION: ", expr);
	if (ids != subs || subs > SUBSIGS_DECODED)
		return fail(e, ST_MALFORMED, 0,
		            "decodesig: The number of subsignatures (==%d) doesn't match the IDs in the "
		            "logical expression (==%d)", subs, ids);
	for (int i = 0; i < subs; i++)
		TRY(walk_subsig(w, sigtool_field(line, ';', 3 + i), (uint32_t)i, e));
	return o->st;
}

static st_t walk_line(struct walk *w, struct piece line, struct err *e)
{
	size_t at;
	char count[40];
	int semicolons = sigtool_fields(line, ';'), colons = sigtool_fields(line, ':');
	if (find(line, 0, ';', &at)) {
		if (semicolons > 3)
			return walk_logical(w, line, semicolons, e);
		return fail(e, ST_MALFORMED, 0, "decodesig: Invalid or not supported signature format");
	}
	if (find(line, 0, ':', &at)) {
		if (colons >= 4 && colons <= 6)
			return walk_body(w, line, colons, e);
		snprintf(count, sizeof count, "TOKENS COUNT: %d\n", colons);
		out_raw(w->o, count, strlen(count));
		return fail(e, ST_MALFORMED, 0, "decodesig: Invalid or not supported signature format");
	}
	if (find(line, 0, '=', &at))
		return walk_old(w, line, e);
	PUT(w->o, "decodesig: Not supported signature format\n");
	return fail(e, ST_MALFORMED, 0, SIGTOOL_SAID);
}

st_t sigtool_walk(struct out *o, const struct explain_object *text, sigtool_body_fn *body,
                  void *ctx, struct err *e)
{
	struct walk w = {.o = o, .body = body, .ctx = ctx};
	struct sigtool_lines all = {text->data, text->len, 0};
	struct piece line;
	/* An empty line ends it, as with sigtool. */
	for (; sigtool_next_line(&all, &line) && line.len && o->st == ST_OK; w.line++)
		TRY(walk_line(&w, line, e));
	return o->st;
}

/* -- decoded -------------------------------------------------------------------------------- */

static st_t decode_body(void *ctx, struct out *o, const struct sigtool_body *b, struct err *e)
{
	size_t slash, last = last_slash(b->text);
	(void)ctx, (void)e;
	if (b->logical)
		PUT(o, " +-> DECODED SUBSIGNATURE:\n");
	else
		PUT(o, "DECODED SIGNATURE:\n");
	if (b->logical && find(b->text, 0, '/', &slash) && last > slash)
		put_regex(o, b->text, slash, last);
	else
		put_content(o, b->text);
	return o->st;
}

st_t sigtool_decode(struct out *o, const struct explain_object *text, struct err *e)
{
	return sigtool_walk(o, text, decode_body, NULL, e);
}
