/* Regular expressions of sub-signatures. Each is compiled when an object needs it for the first
 * time. PCRE2 interprets them: the jail allows no memory that is both written and executed
 * (doc/sandbox.md), unless the user asked for it. */
#ifndef VITRINE_VERIFY_REGEX_H
#define VITRINE_VERIFY_REGEX_H

#include "base/st.h"
#include "db/layout.h"

#include <stdbool.h>
#include <stddef.h>

/* ClamAV's names and defaults. */
struct regex_limits {
	uint32_t match;    /* PCREMatchLimit, 100,000: steps from one start */
	uint32_t depth;    /* PCRERecMatchLimit, 2,000 */
	uint64_t max_size; /* PCREMaxFileSize, 100 MiB: in larger objects nothing is looked for */
	bool jit;          /* compile to machine code: the process must be allowed to have it */
};
#define REGEX_LIMITS_DEFAULT {.match = 100000, .depth = 2000, .max_size = UINT64_C(100) << 20}

struct regexes;

/* `db` outlives it. */
st_t regexes_new(const struct db_view *db, struct regexes **ret, struct err *e);
void regexes_free(struct regexes *r);
void regexes_limits(struct regexes *r, const struct regex_limits *l);

#endif
