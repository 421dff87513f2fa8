/* What the fetcher says, as its client reads it (and the other way round: bit 0 of byte 0). */
#include "net/fetch_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;
	struct buf again = {0};
	if (size < 1)
		return 0;
	enum frame_side from = data[0] & 1 ? FRAME_CLIENT : FRAME_FETCHER;
	if (frame_read(rd_make(data + 1, size - 1), from, &f, NULL) != ST_OK)
		return 0;
	if (f.type == FRAME_REQUEST)
		(void)fetch_url_is_good(f.url);
	/* What was accepted is written again as it came: nothing is read two ways. */
	frame_write(&f, &again);
	if (again.len != size - 1 || __builtin_memcmp(again.data, data + 1, again.len) != 0)
		abort();
	buf_done(&again);
	return 0;
}
