#include "tuf/metadata.h"

#include <string.h>

/* Days from 1970-01-01 to a day of the Gregorian calendar, year 0 or later: years start in March so
 * that the leap day is the last one. */
static int64_t days_to(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool leap(unsigned y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static unsigned days_in(unsigned y, unsigned m)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return m == 2 && leap(y) ? 29 : days[m - 1];
}

/* Takes n digits and what stands behind them, if anything. */
static bool field(struct rd *r, size_t n, char behind, unsigned *ret)
{
	unsigned v = 0;
	for (; n; n--) {
		uint8_t c = rd_u8(r);
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (unsigned)(c - '0');
	}
	*ret = v;
	return !behind || rd_u8(r) == (uint8_t)behind;
}

/* RFC 3339: time-offset = "Z" / (("+" / "-") time-hour ":" time-minute), to the end. */
static bool offset(struct rd *r, int64_t *ret)
{
	unsigned h, m;
	uint8_t sign = rd_u8(r);
	*ret = 0;
	if (sign == 'Z')
		return !r->bad && rd_left(r) == 0;
	if ((sign != '+' && sign != '-') || !field(r, 2, ':', &h) || !field(r, 2, 0, &m))
		return false;
	int64_t v = (int64_t)h * 3600 + (int64_t)m * 60;
	*ret = sign == '+' ? v : -v;
	return h < 24 && m < 60 && !r->bad && rd_left(r) == 0;
}

static bool fraction(struct rd *r)
{
	size_t n = 0;
	if (!rd_peek(r, ".", 1))
		return true;
	for (rd_skip(r, 1); rd_byte(r, r->pos) >= '0' && rd_byte(r, r->pos) <= '9'; n++)
		rd_skip(r, 1);
	return n > 0;
}

bool tuf_time(const char *s, int64_t *ret)
{
	struct rd r = rd_make(s, strlen(s));
	unsigned y, mo, d, h, mi, sec;
	int64_t off;
	if (!field(&r, 4, '-', &y) || !field(&r, 2, '-', &mo) || !field(&r, 2, 'T', &d) ||
	    !field(&r, 2, ':', &h) || !field(&r, 2, ':', &mi) || !field(&r, 2, 0, &sec))
		return false;
	if (!fraction(&r) || !offset(&r, &off))
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo) || h > 23 || mi > 59 || sec > 59)
		return false;
	*ret = days_to((int64_t)y, (int64_t)mo, (int64_t)d) * 86400 + (int64_t)h * 3600 +
	       (int64_t)mi * 60 + (int64_t)sec - off;
	return true;
}
