/* What signatures may ask about an object besides its bytes: found out by scan/, used by offsets
 * and conditions. */
#ifndef VITRINE_VERIFY_FACTS_H
#define VITRINE_VERIFY_FACTS_H

#include "verify/layout.h"

#include <stddef.h>

struct object_facts {
	uint64_t file_size; /* what FileSize is compared with */
	/* Of a copy of text (doc/views.md): offsets from the end name no place, and byte comparisons read
	 * the text. raw: its bytes; NULL: the object's own. */
	bool no_end;
	const uint8_t *raw;
	size_t raw_size;
	const struct exe_layout *exe; /* NULL: no executable, or its headers make no sense */
	/* Types (enum file_type) of the objects around it, the nearest first; 0 of them: it is the file
	 * itself. */
	const uint8_t *layers;
	uint32_t nlayers;
	bool has_image_hash; /* only looked for if engine_needs() asks for it */
	uint64_t image_hash;
};

#endif
