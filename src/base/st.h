/* Status codes and the error record that every fallible function of Vitrine uses.
 *
 * 0 is success. A value > 0 is the input's fault: it becomes a verdict in scan/ or a refusal of a
 * database. A value < 0 is our fault or the machine's (a negated errno): it travels unchanged up to
 * the loop of the process. Nothing below proc/ logs, prints or exits. */
#ifndef VITRINE_BASE_ST_H
#define VITRINE_BASE_ST_H

#include <errno.h>
#include <stdint.h>

typedef enum [[nodiscard]] st {
	ST_OK = 0,
	ST_TRUNCATED = 1,   /* input ends before a structure does */
	ST_MALFORMED = 2,   /* input contradicts its format */
	ST_LIMIT = 3,       /* a named limit was reached; the rest was not looked at */
	ST_UNSUPPORTED = 4, /* well-formed, but not something this version reads */
	ST_ENCRYPTED = 5,   /* content is encrypted and no password is known */
	ST_BAD_SUM = 6,     /* a checksum or digest does not match */
	ST_TIMEOUT = 7,     /* the time allowed for the object is over */
	ST_BAD_SIG = 8,     /* a signature does not prove what it should */
	ST_BAD_PROOF = 9,   /* a Merkle proof does not lead where it should */
	ST_NOT_FOUND = 10,  /* what was asked for is not there */
	ST_CONFLICT = 11,   /* well-formed, but against what is already known */
	ST_NOMEM = -ENOMEM,
	ST_IO = -EIO,
	ST_MIN_ = -4095, /* the range of errno, so that any negated errno is a valid st_t */
} st_t;

/* Longest message kept, in bytes, with its NUL. */
#define ERR_TEXT_MAX 256

/* The first cause of a failure. `off` is the offset in the input (0 where it has no meaning). */
struct err {
	st_t st;
	uint64_t off;
	char text[ERR_TEXT_MAX];
};

/* Records `st` with a message in `e` (which may be NULL) and returns `st`. Keeps the first cause:
 * a record that is already filled is not overwritten. */
st_t fail(struct err *e, st_t st, uint64_t off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* fail() with -errno and strerror(errno) behind the message. */
st_t fail_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Empties `e` so that it can take a first cause again. */
void err_clear(struct err *e);

/* A word for a status: "truncated", "limit reached", … Never NULL. */
const char *st_name(st_t st);

/* The only macro that returns. */
#define TRY(call)                \
	do {                         \
		st_t try_st_ = (call);   \
		if (try_st_ != ST_OK)    \
			return try_st_;      \
	} while (0)

#endif
