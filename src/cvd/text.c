/* Fields of lines. */
#include "cvd/inside.h"

#include <string.h>

bool piece_cut(struct piece *rest, char c, struct piece *ret)
{
	const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	*ret = (struct piece){rest->p, at ? (size_t)(at - rest->p) : rest->n};
	size_t used = ret->n + (at != NULL);
	*rest = (struct piece){rest->n ? rest->p + used : rest->p, rest->n - used};
	return at != NULL;
}

bool piece_u64(struct piece s, uint64_t *ret)
{
	uint64_t v = 0;
	if (!s.n || s.n > 19)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*ret = v;
	return true;
}

bool piece_u32(struct piece s, uint32_t *ret)
{
	uint64_t v;
	if (!piece_u64(s, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool piece_hex(struct piece s, uint8_t *ret, size_t n)
{
	if (s.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(s.p[2 * i]), lo = hex_digit(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool piece_text(struct piece s, char *ret, size_t cap)
{
	if (s.n >= cap)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
		ret[i] = s.p[i];
	}
	ret[s.n] = '\0';
	return true;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-';
}

bool piece_name(struct piece s, char ret[CVD_NAME_MAX])
{
	for (size_t i = 0; i < s.n; i++)
		if (!name_char(s.p[i]))
			return false;
	return s.n && s.p[0] != '.' && s.p[0] != '-' && piece_text(s, ret, CVD_NAME_MAX);
}
