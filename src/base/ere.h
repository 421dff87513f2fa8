/* POSIX extended regular expressions over bytes, as ClamAV's container metadata has them: what they
 * match and which are refused follows clamscan 1.4.6 (asked with a list of both), search semantics,
 * "(?i)" in front for letters of either case. Beyond POSIX: "\<" and "\>" are the ends of a word; a
 * backslash makes any other character literal.
 *
 * An expression becomes a nondeterministic automaton that is run over all its states at once: time
 * is at most length of the text times ERE_OPS_MAX, whatever either of them says. */
#ifndef VITRINE_BASE_ERE_H
#define VITRINE_BASE_ERE_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>

/* States of an expression: counted repetitions are written out. */
#define ERE_OPS_MAX 8192

struct ere;

/* ST_OK, ST_MALFORMED (with the reason), ST_UNSUPPORTED (beyond ERE_OPS_MAX or too deeply nested),
 * ST_NOMEM. The text is not kept. */
st_t ere_new(const char *text, size_t len, struct ere **ret, struct err *e);
void ere_free(struct ere *x);

/* Whether some part of the text matches. Uses memory of `x`: one caller at a time. */
bool ere_search(struct ere *x, const char *text, size_t len);

#endif
