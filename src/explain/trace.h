/* Inside of explain/: where a pattern matches in an object, or how far it gets. A slow path over
 * the whole object for one pattern; how often it matches is the engine's word (pattern_count()). */
#ifndef VITRINE_EXPLAIN_TRACE_H
#define VITRINE_EXPLAIN_TRACE_H

#include "explain/out.h"
#include "verify/view.h"

/* Writes items below the one that is open: the first places of `count` matches, or why there is
 * none. ST_NOMEM is the only failure. */
st_t trace_pattern(struct out *o, struct view *v, const struct db_pattern *p, uint64_t count,
                   struct err *e);

#endif
