/* What a worker, compiler or inspector sends, as the broker reads it: byte 0 chooses the state,
 * byte 1 the number of descriptors, the rest is a packet. */
#include "proc/msg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t states[] = {S_LOADING, S_READY, C_SOURCES, C_RUNNING,
	                                  I_RUNNING};
	static struct msg m;
	struct err e = {0};
	if (size < 2)
		return 0;
	struct msg_peer p = {.self = BROKER, .state = states[data[0] % 5]};
	struct buf again = {0};
	if (msg_parse(&p, data + 2, size - 2, data[1] & 1, &m, &e) != ST_OK)
		return 0;
	/* What was accepted is written again as it came: nothing is read two ways. */
	msg_write(&m, &again);
	if (again.len != size - 2 || __builtin_memcmp(again.data, data + 2, again.len) != 0)
		abort();
	buf_done(&again);
	return 0;
}
