/* What an object has not, found out for all its candidates together: most signatures whose anchor
 * stands in an object fail because something else does not, and looking for each of these things
 * alone is a pass over the object each time. */
#ifndef VITRINE_VERIFY_REFUTE_H
#define VITRINE_VERIFY_REFUTE_H

#include "match/find_many.h"
#include "verify/view.h"

/* Literals looked for in one object at most. */
#define REFUTE_MAX 64u

/* Smaller objects are searched as fast as this begins. */
#define REFUTE_SIZE_MIN ((size_t)8 << 10)

struct refute {
	uint32_t n;
	uint32_t part[REFUTE_MAX]; /* in DB_SEC_PART: whose literal it is */
	size_t first[REFUTE_MAX];  /* where it stands first; FIND_NONE: nowhere */
};

/* Adds what the condition of candidate s will ask first. `trace` is where its anchor was seen. */
void refute_add(struct refute *r, const struct db_view *db, const struct db_sig *s,
                const struct trace *trace);

/* Looks for all that was added. */
void refute_run(struct refute *r, const struct view *v, find_many_fn *find);

/* The first place of the literal of `part`: FIND_NONE if there is none, 0 if it was not looked
 * for. */
size_t refute_first(const struct refute *r, uint32_t part);

#endif
