/* The logs that a witness knows: a file of lines like those of C2SP tlog-policy,
 *
 *   log <vkey> [<url>] [rate=<n>/s|m|h|none]
 *
 * items separated by spaces or tabs, "#" begins a comment. The name of the vkey is the log's
 * origin; several lines of one origin are several keys of one log. The file is the operator's, but
 * lists are passed around, so it is read like any foreign text.
 *
 * Immutable once made, so that threads share it: a reload makes another one. */
#ifndef VITRINE_WITNESS_CONFIG_H
#define VITRINE_WITNESS_CONFIG_H

#include "base/rd.h"
#include "tlog/hash.h"
#include "tlog/note.h"

/* The largest public list of logs has 40,000; a line with an ML-DSA-44 key has 1.9 kB. */
#define WITNESS_CONFIG_SIZE_MAX ((size_t)64 << 20)
#define WITNESS_LOGS_MAX 65536u
/* Keys of one log: one in use, one that follows, and each in the old and the new algorithm, twice
 * over. Each costs the verification of a signature. */
#define WITNESS_LOG_KEYS_MAX 8u

/* Where a line says nothing: ten times as often as a log that publishes every second. */
#define WITNESS_RATE_DEFAULT 10u
/* Highest rate that can be asked for; it is far above what a witness can do. */
#define WITNESS_RATE_MAX 1000000u

struct witness_rate {
	uint32_t n;        /* requests; 0: without limit */
	uint32_t period_s; /* in so many seconds */
};

struct witness_log {
	struct tlog_hash id; /* SHA-256 of the origin, its name in the monitoring API */
	const struct note_key *keys;
	size_t nkeys;
	const char *url; /* NULL: none given; not used, for people */
	struct witness_rate rate;
};

struct witness_config {
	const struct witness_log *logs; /* by id, ascending */
	size_t n;
};

/* ST_MALFORMED: "line N: ..." with the rule that it breaks. ST_LIMIT. Free with
 * witness_config_free(). */
st_t witness_config_parse(struct rd text, struct witness_config **ret, struct err *e);
void witness_config_free(struct witness_config *c);

/* The log of that origin, or NULL. */
const struct witness_log *witness_config_find(const struct witness_config *c, struct rd origin);

/* SHA-256 of an origin. False if libcrypto failed. */
bool witness_origin_id(const void *origin, size_t n, struct tlog_hash *ret);

#endif
