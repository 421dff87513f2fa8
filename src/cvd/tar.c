/* Plain tar as containers have it: regular files in one flat folder. Old ones have no "ustar" in
 * the header, so that is not asked for; what POSIX, GNU and pax added is refused.
 *
 *   OFFSET SIZE MEANING
 *   0      100  name, ends with NUL unless full
 *   124    12   size, octal
 *   148    8    sum of all bytes of the header, this field counted as blanks, octal
 *   156    1    kind: '0' or NUL is a regular file
 *   345    155  prefix of the name */
#include "cvd/inside.h"

#include <string.h>

#define BLOCK 512

/* Octal digits between blanks, ended by blank or NUL. */
static bool octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0, digits = 0;
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++, digits++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	bool ended = i == n || p[i] == ' ' || p[i] == '\0';
	*ret = v;
	return digits && ended;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return !any;
}

static bool sum_right(const uint8_t *p)
{
	uint64_t want, sum = 8 * ' ';
	for (size_t i = 0; i < BLOCK; i++)
		sum += i < 148 || i >= 156 ? p[i] : 0;
	return octal(p + 148, 8, &want) && want == sum;
}

/* What stands in one header. */
static st_t read_head(const uint8_t *p, struct cvd_member *ret, uint64_t *ret_size, size_t off,
                      struct err *e)
{
	struct piece name = {(const char *)p, strnlen((const char *)p, 100)};
	if (!sum_right(p))
		return fail(e, ST_MALFORMED, off, "tar: broken header");
	if (memchr(name.p, '/', name.n) || p[345])
		return fail(e, ST_MALFORMED, off, "tar: folders are not allowed");
	if (p[156] != '0' && p[156] != '\0')
		return fail(e, ST_MALFORMED, off, "tar: not a regular file");
	if (!piece_name(name, ret->name))
		return fail(e, ST_MALFORMED, off, "tar: name of a member is not allowed");
	if (!octal(p + 124, 12, ret_size))
		return fail(e, ST_MALFORMED, off, "tar: broken size");
	return ST_OK;
}

st_t cvd_tar_next(struct rd *r, struct cvd_member *ret, bool *ret_end, struct err *e)
{
	size_t off = r->pos;
	uint64_t size = 0;
	*ret_end = rd_left(r) == 0;
	if (*ret_end)
		return ST_OK;
	const uint8_t *head = rd_take(r, BLOCK);
	TRY(rd_check(r, e, "tar"));
	*ret_end = all_zero(head, BLOCK);
	if (*ret_end)
		return ST_OK;
	TRY(read_head(head, ret, &size, off, e));
	if (size > rd_left(r))
		return fail(e, ST_TRUNCATED, off, "tar: member ends behind the archive");
	ret->n = (size_t)size;
	ret->p = rd_take(r, ret->n);
	rd_skip(r, (size_t)(-size % BLOCK));
	return rd_check(r, e, "tar");
}
