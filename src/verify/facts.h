/* What signatures may ask about an object besides its bytes: found out by scan/, used by offsets
 * and conditions. */
#ifndef VITRINE_VERIFY_FACTS_H
#define VITRINE_VERIFY_FACTS_H

#include "verify/layout.h"

struct object_facts {
	uint64_t file_size; /* what FileSize is compared with */
	/* A copy of text as if it passed by in windows (doc/views.md): offsets from the end name no
	 * place, and no byte comparison of a
	 * signature for target 7 holds. */
	bool in_windows;
	const struct exe_layout *exe; /* NULL: no executable, or its headers make no sense */
	/* Types (enum file_type) of the objects around it, the nearest first; 0 of them: it is the file
	 * itself. */
	const uint8_t *layers;
	uint32_t nlayers;
	/* Only looked for if engine_needs() asks for it. */
	bool has_image_hash;
	/* A picture, but its hash could not be found out: a signature fires if it would with any. */
	bool image_unknown;
	uint64_t image_hash;
};

#endif
