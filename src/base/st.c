#include "base/st.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void err_set(struct err *e, st_t st, uint64_t off,
                                                          const char *fmt, va_list ap)
{
	e->st = st;
	e->off = off;
	vsnprintf(e->text, sizeof e->text, fmt, ap);
}

st_t fail(struct err *e, st_t st, uint64_t off, const char *fmt, ...)
{
	if (!e || e->st != ST_OK)
		return st;
	va_list ap;
	va_start(ap, fmt);
	err_set(e, st, off, fmt, ap);
	va_end(ap);
	return st;
}

st_t fail_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno ? errno : EIO;
	st_t st = (st_t)-saved;
	if (!e || e->st != ST_OK)
		return st;
	va_list ap;
	va_start(ap, fmt);
	err_set(e, st, 0, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
	return st;
}

void err_clear(struct err *e)
{
	*e = (struct err){.st = ST_OK};
}

const char *st_name(st_t st)
{
	switch ((int)st) {
	case ST_OK:
		return "ok";
	case ST_TRUNCATED:
		return "truncated";
	case ST_MALFORMED:
		return "malformed";
	case ST_LIMIT:
		return "limit reached";
	case ST_UNSUPPORTED:
		return "unsupported";
	case ST_ENCRYPTED:
		return "encrypted";
	case ST_BAD_SUM:
		return "wrong checksum";
	case ST_TIMEOUT:
		return "time limit reached";
	case ST_BAD_SIG:
		return "signature not valid";
	case ST_BAD_PROOF:
		return "proof not valid";
	case ST_NOT_FOUND:
		return "not found";
	case ST_CONFLICT:
		return "conflict";
	case ST_NOMEM:
		return "out of memory";
	default:
		return "system error";
	}
}
