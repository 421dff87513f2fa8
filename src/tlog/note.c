#include "tlog/note.h"

#include "tlog/text.h"

#include <string.h>

/* "em dash (U+2014), space (U+0020)" */
static const char dash[] = "\xe2\x80\x94 ";
#define DASH (sizeof dash - 1)

/* Unicode's property White_Space, all of it above U+0020 (what lies below is a control character or
 * the space itself). */
static bool is_space(uint32_t c)
{
	static const uint32_t space[] = {0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f,
	                                 0x3000};
	for (size_t i = 0; i < sizeof space / sizeof space[0]; i++)
		if (c == space[i])
			return true;
	return c >= 0x2000 && c <= 0x200a;
}

/* "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B)
 * characters." No control characters either: a note with one is none. NULL: valid. */
static const char *name_fault(struct rd name)
{
	uint32_t c;
	if (!rd_left(&name))
		return "a key name is empty";
	if (rd_left(&name) > NOTE_NAME_MAX)
		return "a key name is longer than 255 bytes";
	while (rd_left(&name)) {
		if (!text_rune(&name, &c))
			return "a key name is not valid UTF-8";
		if (c < 0x20)
			return "a key name has a control character in it";
		if (is_space(c))
			return "a key name has a space in it";
		if (c == '+')
			return "a key name has a plus in it";
	}
	return NULL;
}

bool note_name_valid(struct rd name)
{
	return !name.bad && !name_fault(name);
}

/* "The first four bytes in the signature are the uint32 key ID stored in big-endian order." */
static uint32_t read_id(struct rd base64)
{
	uint8_t first[6] = {0};
	size_t n = 0;
	(void)text_base64(rd_sub(&base64, 8), first, sizeof first, &n);
	struct rd r = rd_make(first, sizeof first);
	return rd_u32be(&r);
}

/* "Signatures are the base64 encoding of 4+n bytes." */
static const char *base64_fault(struct rd base64)
{
	size_t n;
	if (!text_base64_check(base64, &n))
		return "a signature is not base64 in its canonical form";
	return n <= 4 ? "a signature has nothing behind its key ID" : NULL;
}

/* Where the first space is; the length if there is none. */
static size_t find_space(struct rd in)
{
	size_t i = 0;
	while (i < in.len && rd_byte(&in, i) != ' ')
		i++;
	return i;
}

/* "of this form: em dash (U+2014), space (U+0020), key name, space, base64-encoded signature,
 * newline". `line` is without its newline. */
static st_t read_line(struct rd line, size_t at, struct note_signature *s, struct err *e)
{
	if (!rd_peek(&line, dash, DASH))
		return fail(e, ST_MALFORMED, at,
		            "signed-note: a signature line does not start with an em dash and a space");
	struct rd rest = rd_at(&line, DASH, line.len - DASH);
	size_t space = find_space(rest);
	if (space == rest.len)
		return fail(e, ST_MALFORMED, at, "signed-note: a signature line has no signature");
	s->name = rd_at(&rest, 0, space);
	s->base64 = rd_at(&rest, space + 1, rest.len - space - 1);
	const char *fault = name_fault(s->name);
	if (!fault)
		fault = base64_fault(s->base64);
	if (fault)
		return fail(e, ST_MALFORMED, at, "signed-note: %s", fault);
	s->id = read_id(s->base64);
	return ST_OK;
}

static st_t read_lines(struct rd in, size_t at, struct note *ret, struct err *e)
{
	ret->n = 0;
	struct rd line, from = in;
	while (text_line(&in, &line)) {
		size_t start = from.pos;
		if (ret->n == NOTE_SIGNATURES_MAX)
			return fail(e, ST_LIMIT, at + start, "signed-note: more than %d signatures",
			            NOTE_SIGNATURES_MAX);
		struct note_signature *s = &ret->sig[ret->n];
		TRY(read_line(line, at + start, s, e));
		s->line = rd_sub(&from, line.len + 1);
		ret->n++;
	}
	if (rd_left(&in))
		return fail(e, ST_MALFORMED, at + in.pos,
		            "signed-note: the last line does not end with a newline");
	if (!ret->n)
		return fail(e, ST_MALFORMED, at, "signed-note: no signatures");
	return ST_OK;
}

/* "Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters (those below
 * U+0020) other than newline." */
static st_t check_bytes(struct rd in, struct err *e)
{
	/* "Verifiers SHOULD apply a maximum limit ... to the overall size of a note" */
	if (rd_left(&in) > NOTE_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "signed-note: longer than %zu bytes", NOTE_SIZE_MAX);
	return text_check_note(in, e);
}

/* "the text is separated from the signatures by the last empty line in the note": the length of the
 * text with its final newline, 0 if there is no such line. */
static size_t find_split(struct rd in)
{
	for (size_t i = in.len; i > 1; i--)
		if (rd_byte(&in, i - 1) == '\n' && rd_byte(&in, i - 2) == '\n')
			return i - 1;
	return 0;
}

/* Written on success only; what is not used of `sig` is not copied. */
static void give(const struct note *n, struct note *ret)
{
	ret->text = n->text;
	ret->n = n->n;
	memcpy(ret->sig, n->sig, n->n * sizeof n->sig[0]);
}

st_t note_parse(struct rd in, struct note *ret, struct err *e)
{
	struct note n;
	TRY(check_bytes(in, e));
	in = rd_sub(&in, rd_left(&in));
	size_t ntext = find_split(in);
	if (!ntext)
		return fail(e, ST_MALFORMED, 0,
		            "signed-note: no empty line between a text and its signatures");
	n.text = rd_at(&in, 0, ntext);
	TRY(read_lines(rd_at(&in, ntext + 1, in.len - ntext - 1), ntext + 1, &n, e));
	give(&n, ret);
	return ST_OK;
}

st_t note_parse_signatures(struct rd in, struct note *ret, struct err *e)
{
	struct note n;
	TRY(check_bytes(in, e));
	in = rd_sub(&in, rd_left(&in));
	n.text = rd_make(NULL, 0);
	TRY(read_lines(in, 0, &n, e));
	give(&n, ret);
	return ST_OK;
}

bool note_is_of(const struct note_signature *s, const struct note_key *k)
{
	return s->id == k->id && text_is(s->name, k->name);
}

const struct note_signature *note_find(const struct note *n, const struct note_key *k)
{
	for (size_t i = 0; i < n->n; i++)
		if (note_is_of(&n->sig[i], k))
			return &n->sig[i];
	return NULL;
}
