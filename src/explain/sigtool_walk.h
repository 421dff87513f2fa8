/* Inside of explain/: the bodies of signatures, as sigtool's --decode-sigs and --test-sigs go
 * through them. */
#ifndef VITRINE_EXPLAIN_SIGTOOL_WALK_H
#define VITRINE_EXPLAIN_SIGTOOL_WALK_H

#include "explain/explain.h"
#include "explain/sigtool_text.h"

struct sigtool_body {
	struct piece text; /* without offset and modifiers */
	bool logical;
	bool anywhere; /* a body signature without an offset */
	uint32_t line; /* from 0 */
	uint32_t sub;  /* its sub-signature; 0 of a body signature */
};
typedef st_t sigtool_body_fn(void *ctx, struct out *o, const struct sigtool_body *b, struct err *e);

/* Writes what sigtool says of each signature up to its body, and calls body() for that. Ends at the
 * first line that sigtool refuses, with its message. */
st_t sigtool_walk(struct out *o, const struct explain_object *text, sigtool_body_fn *body,
                  void *ctx, struct err *e);

#endif
