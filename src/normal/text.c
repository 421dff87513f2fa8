/* Normalised text. The table is the rule and step() applies it to one byte; word_is_plain() takes
 * eight at a time through arithmetic, as most of ordinary text allows. */
#include "normal/text.h"

#include "base/num.h"

#define BLANK ' '

/* What sigtool normalises in one go. */
#define SIGTOOL_PIECE ((size_t)128 * 1024)

/* What a byte becomes; 0: it is dropped. */
static const uint8_t fold[256] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    ' ',  ' ',  ' ',  ' ',  ' ',  0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    ' ',  '!',  '"',  '#',  '$',  '%',  '&',  '\'', '(',  ')',  '*',  '+',  ',',  '-',  '.',  '/',
    '0',  '1',  '2',  '3',  '4',  '5',  '6',  '7',  '8',  '9',  ':',  ';',  '<',  '=',  '>',  '?',
    '@',  'a',  'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
    'p',  'q',  'r',  's',  't',  'u',  'v',  'w',  'x',  'y',  'z',  '[',  '\\', ']',  '^',  '_',
    '`',  'a',  'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
    'p',  'q',  'r',  's',  't',  'u',  'v',  'w',  'x',  'y',  'z',  '{',  '|',  '}',  '~',  0x7f,
};

/* Writes what byte c leaves and returns how many bytes that are, 0 or 1. Without a jump: in text
 * it could not be foretold. */
static inline size_t step(uint8_t c, unsigned *blank, uint8_t *out)
{
	uint8_t f = fold[c];
	unsigned is_blank = f == BLANK;
	unsigned dropped = f == 0;
	size_t kept = !(dropped | (is_blank & *blank));

	*out = f;
	*blank = is_blank | (dropped & *blank);
	return kept;
}

/* Eight copies of a byte, the first of them lowest. */
#define EACH(b) (UINT64_C(0x0101010101010101) * (b))
#define TOPS EACH(0x80)

/* True if the eight bytes of w come out as eight: all are 0x20-0x7f and no blank follows another;
 * then *ret_word is what they become. Every byte is below 0x80 where sums are taken, so nothing
 * is carried from one to the next. */
static inline bool word_is_plain(uint64_t w, unsigned blank, uint64_t *ret_word)
{
	uint64_t printable = w + EACH(0x80 - 0x20);
	uint64_t not_blank = (w ^ EACH(BLANK)) + EACH(0x7f);
	uint64_t blanks = ~not_blank & TOPS;
	uint64_t upper = (w + EACH(0x80 - 'A')) & ~(w + EACH(0x80 - 'Z' - 1)) & TOPS;

	*ret_word = w | upper >> 2; /* 0x80 >> 2 is what tells 'a' from 'A' */
	return !(w & TOPS) && !(~printable & TOPS) && !(blanks & (blanks << 8 | (uint64_t)blank << 7));
}

size_t normal_text_run(struct normal_text *t, const uint8_t *in, size_t n, uint8_t *out)
{
	unsigned blank = t->blank;
	size_t i = 0, len = 0;

	while (n - i >= 8) {
		uint64_t w;
		if (word_is_plain(load_u64le(in + i), blank, &w)) {
			memcpy(out + len, &w, 8);
			blank = w >> 56 == BLANK;
			i += 8;
			len += 8;
			continue;
		}
		for (size_t end = i + 8; i < end; i++)
			len += step(in[i], &blank, out + len);
	}
	for (; i < n; i++)
		len += step(in[i], &blank, out + len);
	t->blank = blank;
	return len;
}

/* Appends the copy of `data`, made of pieces that do not know of each other. */
static st_t append(const uint8_t *data, size_t n, size_t piece, struct buf *out, struct err *e)
{
	uint8_t *room = buf_room(out, n);
	size_t len = 0;

	if (!room)
		return buf_check(out, e, "normalised text");
	for (size_t i = 0; i < n; i += num_min_size(piece, n - i)) {
		struct normal_text t = {0};
		len += normal_text_run(&t, data + i, num_min_size(piece, n - i), room + len);
	}
	out->len += len;
	return ST_OK;
}

st_t normal_text(const uint8_t *data, size_t n, struct buf *out, struct err *e)
{
	return append(data, n, n, out, e);
}

st_t normal_text_sigtool(const uint8_t *data, size_t n, struct buf *out, struct err *e)
{
	return append(data, n, SIGTOOL_PIECE, out, e);
}
