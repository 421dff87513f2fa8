/* UTF-16 to bytes. See utf16.h for the rule and where it comes from. */
#include "normal/utf16.h"

#include "base/num.h"

/* Characters that sigtool writes at once. */
#define SIGTOOL_PIECE 256

/* Decodes `count` characters to `out`, which has room for them. */
static void decode(const uint8_t *data, size_t count, uint8_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(data[2 * i] + (data[2 * i + 1] << 4));
}

st_t normal_utf16(const uint8_t *data, size_t n, struct buf *out, struct err *e)
{
	uint8_t *room = buf_room(out, n / 2);

	if (!room)
		return buf_check(out, e, "decoded UTF-16");
	decode(data, n / 2, room);
	out->len += n / 2;
	return ST_OK;
}

st_t normal_utf16_sigtool(const uint8_t *data, size_t n, struct buf *out, struct err *e)
{
	uint8_t piece[SIGTOOL_PIECE];
	size_t chars = n / 2;

	for (size_t i = 0; i < chars; i += SIGTOOL_PIECE) {
		size_t count = num_min_size(SIGTOOL_PIECE, chars - i);
		decode(data + 2 * i, count, piece);
		const uint8_t *zero = memchr(piece, 0, count);
		buf_add(out, piece, zero ? (size_t)(zero - piece) : count);
	}
	return buf_check(out, e, "decoded UTF-16");
}
