/* Text files of operators: the lines of a C2SP tlog-policy, which work as they are, and directives
 * of a program's own in any order among them (vitrine-monitor(1), vitrine-policy(5)). Directives
 * are a table; this is the loop around it and the kinds of values. No I/O.
 *
 * Every error is "line N: what is wrong, what would be right". */
#ifndef VITRINE_TLOG_CONFIG_H
#define VITRINE_TLOG_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rd.h"

struct config_reader;

struct config_directive {
	const char *name;
	/* Takes its values off r->line. `at`: member `off` of what is filled. */
	st_t (*read)(struct config_reader *r, const struct config_directive *d, void *at);
	size_t off;
	bool again;        /* may be there more than once */
	uint64_t min, max; /* of a number or a time; bytes of a URL */
	uint64_t fallback; /* of a number or a time (uint64_t), where it is not there */
};

#define CONFIG_DIRECTIVES_MAX 32
#define CONFIG_TEN_YEARS (UINT64_C(3653) * 86400)

struct config_reader {
	const struct config_directive *directive;
	size_t n;
	const char *manual;   /* where directives are explained */
	struct arena *arena;  /* keeps texts */
	void *fill;           /* the structure */
	void *ctx;            /* of the readers of this table */
	struct err *e;
	/* Set by config_read(). */
	struct buf policy;    /* lines of the tlog-policy, the others empty: numbers of lines stay */
	struct rd line;       /* what is left of it */
	uint64_t number;
	bool seen[CONFIG_DIRECTIVES_MAX];
};

/* Sets the fallbacks, reads all lines and collects those of the policy in r->policy, which the
 * caller frees whatever the status (buf_done). */
st_t config_read(struct config_reader *r, struct rd text);

/* ST_MALFORMED with "line N: ". */
st_t config_bad(struct config_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether that directive was there. */
bool config_seen(const struct config_reader *r, const char *name);

/* A copy in the arena, with a NUL behind. */
st_t config_keep(struct config_reader *r, struct rd item, const char **ret);

/* "5m": a number and s, m, h or d; within the directive's min and max. */
st_t config_parse_time(struct config_reader *r, const struct config_directive *d, struct rd item,
                       uint64_t *ret);
bool config_ends_with(struct rd item, const char *tail);
/* http or https. */
st_t config_parse_url(struct config_reader *r, struct rd item, size_t max, const char **ret);

/* The kinds of values that a table may name; `at` is a uint64_t, a bool or a const char *. */
st_t config_time(struct config_reader *r, const struct config_directive *d, void *at);
st_t config_number(struct config_reader *r, const struct config_directive *d, void *at);
st_t config_bool(struct config_reader *r, const struct config_directive *d, void *at);
st_t config_url(struct config_reader *r, const struct config_directive *d, void *at);
st_t config_text(struct config_reader *r, const struct config_directive *d, void *at);

/* The value of a directive that has one: its next item. */
st_t config_item(struct config_reader *r, const struct config_directive *d, struct rd *ret);

/* Names of files in a text, replaced by what is in them, so that who has no files can read it. */
struct config_expand {
	/* Whether a line names a file, and which of its items does. */
	bool (*names)(struct rd line, struct rd *ret_name);
	/* Brings the bytes of a file by its name as written. */
	st_t (*read)(void *ctx, const char *name, struct buf *out, struct err *e);
	void *ctx;
	/* Appends what stands for the file to `out`. */
	st_t (*put)(struct rd line, struct rd file, struct buf *out, struct err *e);
};

st_t config_expand(struct rd text, const struct config_expand *x, struct buf *out, struct err *e);

#endif
