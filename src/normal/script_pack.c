/* What Dean Edwards' packer wrote:
 *   function(p,a,c,k,e,d){...}("text",base,count,"w0|w1|...".split("|"),0,{})
 * The text has numbers to that base for words; each is replaced by its word, unless that is
 * empty. */
#include "normal/script_tok.h"

#include <stdlib.h>
#include <string.h>

/* Where the pieces of the call are, behind "} (". */
enum { TEXT = 0, BASE = 2, WORDS = 6, CALL_TOKS = 17 };

struct word {
	uint32_t at, len;
};

static bool matches(const struct script *s, const uint32_t *order, size_t n, size_t i,
                    const char *const *want, size_t n_want)
{
	if (n - i < n_want)
		return false;
	for (size_t k = 0; k < n_want; k++) {
		const struct tok *t = script_tok(s, order[i + k]);

		if (want[k][0] == '"' ? t->kind != TOK_STRING
		    : want[k][0] == '0' ? t->kind != TOK_NUMBER
		                        : t->kind == TOK_STRING || !script_is(s, t, want[k]))
			return false;
	}
	return true;
}

bool script_pack_begins(const struct script *s, const uint32_t *order, size_t n, size_t i)
{
	static const char *const head[] = {
		"function", "(", "p", ",", "a", ",", "c", ",", "k", ",",
	};

	return matches(s, order, n, i, head, sizeof head / sizeof *head);
}

size_t script_pack_call(const struct script *s, const uint32_t *order, size_t n, size_t i)
{
	static const char *const call[] = {
		"}", "(", "\"", ",", "0", ",", "0", ",", "\"", ".", "split", "(", "\"", ")", ",",
	};

	/* then any token, ',' and two more */
	if (!matches(s, order, n, i, call, sizeof call / sizeof *call) || n - i < CALL_TOKS + 2 ||
	    !script_is(s, script_tok(s, order[i + 16]), ","))
		return 0;
	return CALL_TOKS;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t digit(uint8_t c)
{
	if (c <= '9')
		return (size_t)(c - '0');
	return c >= 'a' ? (size_t)(c - 'a' + 10) : (size_t)(c - 'A' + 36);
}

/* 0-9, a-z, A-Z; SIZE_MAX if it is no number to that base, or a large one. */
static size_t number(const uint8_t *p, size_t len, size_t base)
{
	size_t v = 0;

	for (size_t i = 0; i < len && v < UINT32_MAX; i++) {
		size_t d = digit(p[i]);

		if (d >= base)
			return SIZE_MAX;
		v = v * base + d;
	}
	return v;
}

static size_t split(const struct script *s, const struct tok *t, struct buf *ret_words)
{
	struct word w = {.at = t->at};

	for (uint32_t i = 0; i <= t->len; i++) {
		if (i < t->len && s->pool.data[t->at + i] != '|')
			continue;
		w.len = t->at + i - w.at;
		buf_add(ret_words, &w, sizeof w);
		w.at = t->at + i + 1;
	}
	return ret_words->oom ? 0 : ret_words->len / sizeof w;
}

static void fill_in(const struct script *s, const struct tok *text, size_t base,
                    const struct word *words, size_t n_words, size_t max, struct buf *out)
{
	const uint8_t *p = s->pool.data + text->at;

	for (size_t i = 0, end; i < text->len && out->len <= max; i = end) {
		for (end = i; end < text->len && is_word(p[end]);)
			end++;
		size_t v = end > i ? number(p + i, end - i, base) : SIZE_MAX;

		end += end == i;
		if (v < n_words && words[v].len)
			buf_add(out, s->pool.data + words[v].at, words[v].len);
		else
			buf_add(out, p + i, end - i);
	}
}

bool script_unpack(const struct script *s, const uint32_t *call, size_t max, struct buf *out)
{
	const struct tok *base = script_tok(s, call[2 + BASE]);
	struct buf words = {0};
	char digits[16] = {0};

	if (base->len >= sizeof digits)
		return false;
	memcpy(digits, s->pool.data + base->at, base->len);
	long b = strtol(digits, NULL, 10);
	if (b < 2 || b > 62)
		return false;
	size_t n = split(s, script_tok(s, call[2 + WORDS]), &words);
	fill_in(s, script_tok(s, call[2 + TEXT]), (size_t)b, (const struct word *)(void *)words.data, n,
	        max, out);
	out->oom = out->oom || words.oom;
	buf_done(&words);
	return out->len <= max;
}
