/* What links say to people: sentences, times, names. */
#include "update/chain_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void chain_say(struct chain *c, const char *fmt, ...)
{
	size_t n = strlen(c->said);
	va_list ap;
	if (n && n + 2 < sizeof c->said) {
		memcpy(c->said + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(c->said + n, sizeof c->said - n, fmt, ap);
	va_end(ap);
}

void chain_not_asked(struct chain *c, const char *why)
{
	c->outcome = CHAIN_NOT_ASKED;
	chain_say(c, "%s", why);
}

st_t chain_advise(struct chain *c, const char *advice, st_t st)
{
	c->advice = advice;
	return st;
}

void chain_time(int64_t t, char ret[CHAIN_TIME_MAX])
{
	struct tm tm;
	time_t v = (time_t)t;
	if (t < 0 || t > INT64_C(253402300799) || !gmtime_r(&v, &tm) || /* behind the year 9999 */
	    strftime(ret, CHAIN_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(ret, CHAIN_TIME_MAX, "%lld", (long long)t);
}

void chain_span(int64_t seconds, char ret[CHAIN_TIME_MAX])
{
	static const struct {
		int64_t from, unit;
		const char *name;
	} units[] = {{72 * 3600, 86400, "days"}, {3 * 3600, 3600, "h"}, {180, 60, "min"}, {0, 1, "s"}};
	size_t i = 0;
	if (seconds < 0)
		seconds = 0;
	while (seconds < units[i].from)
		i++;
	snprintf(ret, CHAIN_TIME_MAX, "%lld %s", (long long)(seconds / units[i].unit), units[i].name);
}

void chain_names(const struct attest_parties *p, const bool *set, char *ret, size_t cap)
{
	size_t n = 0;
	snprintf(ret, cap, "nobody");
	for (size_t i = 0; i < p->n && n < cap; i++)
		if (set[i])
			n += (size_t)snprintf(ret + n, cap - n, "%s%.40s", n ? ", " : "", p->v[i].name);
}
