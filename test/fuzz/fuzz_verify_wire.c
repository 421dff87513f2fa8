/* What the verifier says, as the activator reads it (and the other way round: bit 0 of byte 0). */
#include "proc/verify_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verify_frame f;
	struct buf again = {0};
	if (size < 1)
		return 0;
	enum verify_side from = data[0] & 1 ? VERIFY_PARENT : VERIFY_CHILD;
	if (verify_frame_read(rd_make(data + 1, size - 1), from, &f, NULL) != ST_OK)
		return 0;
	if (f.type == VERIFY_KEEP && !update_path_good(f.path))
		abort();
	/* What was accepted is written again as it came: nothing is read two ways. */
	verify_frame_write(&f, &again);
	if (again.len != size - 1 || __builtin_memcmp(again.data, data + 1, again.len) != 0)
		abort();
	buf_done(&again);
	return 0;
}
