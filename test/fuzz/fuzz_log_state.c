/* log_state_read() and log_index_head_read(): the first 32 bytes of the input are the origin's
 * hash. What is read is written again, and read as the same. */
#include "log/index.h"
#include "log/state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tlog_hasher h;
	static bool ready;
	static uint8_t file[LOG_STATE_FILE];
	struct log_index_head head;
	struct log_state s, again;
	struct tlog_hash origin = {0};
	if (!ready && tlog_hasher_init(&h, NULL) != ST_OK)
		abort();
	ready = true;
	(void)log_index_head_read(data, size, size, &head);
	if (size < TLOG_HASH)
		return 0;
	memcpy(origin.b, data, TLOG_HASH);
	struct rd in = rd_make(data + TLOG_HASH, size - TLOG_HASH);
	/* A record without its checksum, so that the fuzzer gets behind it. */
	memset(file, 0, sizeof file);
	for (size_t slot = 0; slot < 2; slot++) {
		s.sequence = rd_u64le(&in);
		s.size = rd_u64le(&in);
		rd_copy(&in, s.root.b, TLOG_HASH);
		log_state_write(&s, &origin, &h, file + slot * LOG_STATE_SLOT);
	}
	if (log_state_read(rd_make(file, sizeof file), &origin, &h, &s, NULL) == ST_OK) {
		log_state_write(&s, &origin, &h, file + s.sequence % 2 * LOG_STATE_SLOT);
		if (log_state_read(rd_make(file, sizeof file), &origin, &h, &again, NULL) != ST_OK ||
		    again.size != s.size || again.sequence != s.sequence)
			abort();
	}
	(void)log_state_read(rd_make(data, size), &origin, &h, &s, NULL);
	return 0;
}
