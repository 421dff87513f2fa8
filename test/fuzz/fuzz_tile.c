/* The first byte chooses what the rest is: a path, a tile or a bundle (the second byte is its width
 * less one). What is taken has to come out again as it was. */
#include "tlog/tile.h"

#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void fuzz_path(struct rd in)
{
	struct tile t;
	char path[TILE_PATH_MAX];
	if (tile_path_parse(in, &t, NULL) != ST_OK)
		return;
	tile_path(&t, path);
	must(strlen(path) == in.len && !memcmp(path, in.base, in.len));
	must(t.width >= 1 && t.width <= TILE_WIDTH && t.n <= TLOG_SIZE_MAX);
}

static void fuzz_tile(struct rd in, unsigned width)
{
	struct tlog_hash hash[TILE_WIDTH];
	struct tile t = {TILE_HASHES, 0, 0, width};
	if (tile_read(&t, in, hash, NULL) == ST_OK)
		must(in.len == width * sizeof hash[0] && !memcmp(hash, in.base, in.len));
	else
		must(in.len != width * sizeof hash[0]);
}

static void fuzz_bundle(struct rd in, unsigned width)
{
	struct bundle b = bundle_open(in, width);
	struct buf again = {0};
	struct rd entry;
	unsigned n = 0;
	st_t st;
	for (; (st = bundle_next(&b, &entry, NULL)) == ST_OK; n++)
		must(rd_within(&in, &entry) &&
		     bundle_add(&again, entry.base, entry.len, NULL) == ST_OK);
	must(n <= width);
	if (st == ST_NOT_FOUND)
		must(n == width && again.len == in.len && !memcmp(again.data, in.base, in.len));
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct rd in = rd_make(data + 2, size - 2);
	switch (data[0] % 3) {
	case 0:
		fuzz_path(in);
		break;
	case 1:
		fuzz_tile(in, data[1] + 1u);
		break;
	default:
		fuzz_bundle(in, data[1] + 1u);
	}
	return 0;
}
