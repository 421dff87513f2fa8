#include "tlog/text.h"

#include <stdio.h>
#include <string.h>

bool text_line(struct rd *in, struct rd *ret)
{
	struct rd ahead = *in;
	size_t left = rd_left(&ahead);
	const uint8_t *p = rd_take(&ahead, left);
	const uint8_t *lf = p ? memchr(p, '\n', left) : NULL;
	if (!lf)
		return false;
	*ret = rd_sub(in, (size_t)(lf - p));
	rd_skip(in, 1);
	return true;
}

static bool add_digit(uint64_t *v, uint8_t c)
{
	return c >= '0' && c <= '9' && !__builtin_mul_overflow(*v, UINT64_C(10), v) &&
	       !__builtin_add_overflow(*v, (uint64_t)(c - '0'), v);
}

bool text_decimal(struct rd in, uint64_t *ret)
{
	uint64_t v = 0;
	bool zero_in_front = rd_left(&in) > 1 && rd_peek(&in, "0", 1);
	if (in.bad || !rd_left(&in) || zero_in_front)
		return false;
	while (rd_left(&in))
		if (!add_digit(&v, rd_u8(&in)))
			return false;
	*ret = v;
	return true;
}

void text_decimal_add(struct buf *out, uint64_t v)
{
	char s[24];
	int n = snprintf(s, sizeof s, "%llu", (unsigned long long)v);
	buf_add(out, s, (size_t)n);
}

/* RFC 4648 section 4, table 1; anything above 63 is no digit. */
static unsigned base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26u;
	if (c >= '0' && c <= '9')
		return c - '0' + 52u;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static size_t base64_padding(const struct rd *in)
{
	if (in->len < 4 || rd_byte(in, in->len - 1) != '=')
		return 0;
	return rd_byte(in, in->len - 2) == '=' ? 2 : 1;
}

/* RFC 4648 section 3.5: "pad bits MUST be set to zero by conforming encoders"; section 3.3:
 * "Implementations MUST reject the encoded data if it contains characters outside the base
 * alphabet". So each text stands for its bytes alone, and no second text for the same ones. */
bool text_base64_check(struct rd in, size_t *ret_n)
{
	size_t left = rd_left(&in);
	struct rd all = rd_sub(&in, left);
	size_t pad = base64_padding(&all);
	unsigned last = 0;
	if (all.bad || left % 4)
		return false;
	for (size_t i = 0; i + pad < left; i++) {
		last = base64_value(rd_byte(&all, i));
		if (last > 63)
			return false;
	}
	if ((pad == 1 && last & 3) || (pad == 2 && last & 15))
		return false;
	*ret_n = left / 4 * 3 - pad;
	return true;
}

bool text_base64(struct rd in, uint8_t *ret, size_t max, size_t *ret_n)
{
	size_t n;
	if (!text_base64_check(in, &n) || n > max)
		return false;
	for (size_t i = 0; i < n;) {
		uint32_t v = 0;
		for (unsigned k = 0; k < 4; k++)
			v = v << 6 | (base64_value(rd_u8(&in)) & 63);
		for (unsigned k = 0; k < 3 && i < n; k++)
			ret[i++] = (uint8_t)(v >> (16 - 8 * k));
	}
	*ret_n = n;
	return true;
}

void text_base64_add(struct buf *out, const void *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16;
		v |= i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0;
		v |= i + 2 < n ? b[i + 2] : 0;
		buf_u8(out, (uint8_t)digit[v >> 18]);
		buf_u8(out, (uint8_t)digit[v >> 12 & 63]);
		buf_u8(out, (uint8_t)(i + 1 < n ? digit[v >> 6 & 63] : '='));
		buf_u8(out, (uint8_t)(i + 2 < n ? digit[v & 63] : '='));
	}
}

bool text_hash(struct rd in, struct tlog_hash *ret)
{
	struct tlog_hash h;
	size_t n;
	if (!text_base64(in, h.b, sizeof h.b, &n) || n != sizeof h.b)
		return false;
	*ret = h;
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool text_item(struct rd *line, struct rd *ret)
{
	while (rd_left(line) && is_blank(rd_byte(line, line->pos)))
		rd_skip(line, 1);
	size_t end = line->pos;
	while (end < line->len && !is_blank(rd_byte(line, end)))
		end++;
	if (end == line->pos)
		return false;
	*ret = rd_sub(line, end - line->pos);
	return true;
}

bool text_until(struct rd *in, uint8_t at, struct rd *ret)
{
	for (size_t i = in->pos; i < in->len; i++) {
		if (rd_byte(in, i) != at)
			continue;
		*ret = rd_sub(in, i - in->pos);
		rd_skip(in, 1);
		return true;
	}
	return false;
}

bool text_is(struct rd in, const char *s)
{
	size_t n = strlen(s);
	return rd_left(&in) == n && rd_peek(&in, s, n);
}

/* How many bytes follow the first one of a sequence; 4: it cannot be a first one. */
static unsigned rune_more(uint8_t c)
{
	if (c < 0x80)
		return 0;
	return c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 : c >> 3 == 30 ? 3 : 4;
}

bool text_rune(struct rd *in, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	struct rd r = *in;
	uint8_t c = rd_u8(&r);
	unsigned more = rune_more(c);
	if (r.bad || more > 3)
		return false;
	uint32_t v = more ? c & (0x3fu >> more) : c;
	for (unsigned i = 0; i < more; i++) {
		uint8_t next = rd_u8(&r);
		if (next >> 6 != 2)
			return false;
		v = v << 6 | (next & 0x3f);
	}
	if (v < least[more] || v > 0x10ffff || v >> 11 == 0xd800 >> 11)
		return false;
	*in = r;
	*ret = v;
	return true;
}

st_t text_check_note(struct rd in, struct err *e)
{
	uint32_t rune;
	while (rd_left(&in)) {
		size_t at = in.pos;
		uint8_t c = rd_byte(&in, at);
		if (c < 0x20 && c != '\n')
			return fail(e, ST_MALFORMED, at, "signed-note: control character 0x%02x", c);
		if (c >= 0x80 && !text_rune(&in, &rune))
			return fail(e, ST_MALFORMED, at, "signed-note: not valid UTF-8");
		if (c < 0x80)
			(void)rd_take(&in, 1);
	}
	return ST_OK;
}

bool text_is_note(struct rd in)
{
	return !in.bad && text_check_note(in, NULL) == ST_OK;
}
