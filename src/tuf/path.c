#include "tuf/path.h"

#include "tlog/text.h"

#include <string.h>

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

void tuf_quote(const char *s, bool slash, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;
		if (unreserved(*s) || (slash && c == '/')) {
			buf_u8(out, c);
			continue;
		}
		buf_u8(out, '%');
		buf_u8(out, (uint8_t)hex[c >> 4]);
		buf_u8(out, (uint8_t)hex[c & 15]);
	}
}

bool tuf_path_safe(const char *path)
{
	if (strlen(path) > TUF_PATH_MAX)
		return false;
	for (const char *s = path;; s++) {
		size_t n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
		if (!*s)
			return true;
	}
}

/* Whether the code point is in the set that starts behind the '['; false also in *ret_closed if
 * the set has no end, so that the bracket stands for itself. Moves behind the set. */
static bool in_set(struct rd *set, uint32_t c, bool *ret_closed)
{
	bool not = rd_peek(set, "!", 1), in = false, first = true;
	rd_skip(set, not ? 1 : 0);
	*ret_closed = false;
	for (uint32_t lo, hi; text_rune(set, &lo) && lo != '/'; first = false) {
		if (lo == ']' && !first) {
			*ret_closed = true;
			break;
		}
		struct rd range = *set;
		hi = lo;
		if (rd_peek(&range, "-", 1)) {
			rd_skip(&range, 1);
			if (rd_left(&range) && !rd_peek(&range, "]", 1) && text_rune(&range, &hi))
				*set = range;
			else
				hi = lo;
		}
		in = in || (c >= lo && c <= hi);
	}
	return in != not;
}

/* Takes one element of the pattern other than '*' and the code point of the path it stands for. */
static bool match_one(struct rd *pattern, struct rd *path)
{
	struct rd p = *pattern, t = *path;
	uint32_t want, c;
	bool closed = false;
	if (!text_rune(&p, &want) || !text_rune(&t, &c))
		return false;
	struct rd set = p;
	bool in = want == '[' && in_set(&set, c, &closed);
	if (closed)
		p = set;
	bool yes = closed ? in && c != '/' : want == '?' ? c != '/' : want == c;
	if (!yes)
		return false;
	*pattern = p;
	*path = t;
	return true;
}

/* One star at a time: when what follows does not match, the last star takes one more code point.
 * Earlier stars need no second try, as what they took was the least; a '/' ends them all. */
bool tuf_glob(const char *pattern, const char *path)
{
	struct rd p = rd_make(pattern, strlen(pattern)), t = rd_make(path, strlen(path));
	struct rd star_p = p, star_t = t;
	bool star = false;
	while (rd_left(&t) || rd_left(&p)) {
		if (rd_peek(&p, "*", 1)) {
			rd_skip(&p, 1);
			star = true;
			star_p = p;
			star_t = t;
			continue;
		}
		if (match_one(&p, &t))
			continue;
		uint32_t c;
		if (!star || !text_rune(&star_t, &c) || c == '/')
			return false;
		p = star_p;
		t = star_t;
	}
	return true;
}
