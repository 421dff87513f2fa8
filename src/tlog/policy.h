/* Policies (C2SP tlog-policy): which logs, which witnesses, how many of them.
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]
 *   group <name> all|any|<k> <member>...
 *   quorum <name>|none
 */
#ifndef VITRINE_TLOG_POLICY_H
#define VITRINE_TLOG_POLICY_H

#include "base/rd.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"

/* "SHOULD support at least 32" of each. */
#define POLICY_ITEMS_MAX 64
#define POLICY_SIZE_MAX ((size_t)256 << 10)

struct policy_log {
	struct note_key key; /* its name is the origin */
	const char *url;     /* NULL: none given */
};

struct policy_witness {
	const char *name; /* in the policy; the cosigner's name is key.name */
	struct note_key key;
	const char *url;
};

/* Everything points into memory of the policy. */
struct policy {
	const struct policy_log *logs;
	size_t nlogs;
	const struct policy_witness *witnesses;
	size_t nwitnesses;
	const struct policy_quorum *quorum; /* opaque; NULL: "quorum none" */
};

/* ST_MALFORMED: "line N: ..." with the rule that it breaks. ST_LIMIT. Free with policy_free(). */
st_t policy_parse(struct rd text, struct policy **ret, struct err *e);
void policy_free(struct policy *p);

/* The quorum in words: "2 of w1, w2, w3". */
void policy_describe_quorum(const struct policy *p, struct buf *out);

/* Whether these witnesses (one bool each, in the policy's order) are enough. */
bool policy_quorum_met(const struct policy *p, const bool *cosigned);

struct policy_verdict {
	size_t log;                      /* index of the log that signed */
	bool cosigned[POLICY_ITEMS_MAX]; /* by witness */
	uint64_t time[POLICY_ITEMS_MAX]; /* of its cosignature; 0: none */
	size_t ncosigned;
};

/* Judges a note: signed by one of the logs under its own origin, every signature of a known key is
 * valid, and the quorum is met. ST_MALFORMED: no note, no checkpoint. ST_NOT_FOUND: an origin that
 * is none of the logs'. ST_BAD_SIG: no signature of the log, a known key's signature is wrong, or
 * the quorum is not met: `e` says which witnesses are missing. ret_note and ret_checkpoint are
 * filled as far as they could be read (they point into `in`), also where this fails. */
st_t policy_check(const struct policy *p, struct rd in, struct note *ret_note,
                  struct checkpoint *ret_checkpoint, struct policy_verdict *ret, struct err *e);

#endif
