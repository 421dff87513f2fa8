/* The reference for the engine: matches signatures of the intermediate form by trying every element
 * at every offset. Slow, short, and sharing nothing with src/verify or src/match. */
#ifndef VITRINE_TEST_NAIVE_H
#define VITRINE_TEST_NAIVE_H

#include "sig/ir.h"
#include "verify/facts.h"

struct naive_object {
	const uint8_t *data;
	size_t size;
	uint8_t target;
	const struct exe_layout *exe;
	const struct object_facts *facts;
};

/* True if the signature is found in the object. */
bool naive_match(const struct ir_sig *s, const struct naive_object *o);

#endif
