/* A compressed file. The first two bytes say how long the content should be, in units of 16 bytes.
 * Nothing longer comes out, and what passes has that length. */
#include "pack/zstd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int in = -1, out = -1;
	struct stat sb;
	if (in < 0) {
		in = memfd_create("in", 0);
		out = memfd_create("out", 0);
	}
	if (size < 2)
		return 0;
	uint64_t want = (uint64_t)(data[0] | data[1] << 8) * 16;
	must(ftruncate(in, 0) == 0 && ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
	must(pwrite(in, data + 2, size - 2, 0) == (ssize_t)size - 2);
	st_t st = pack_decompress(in, size - 2, want, out, NULL);
	must(fstat(out, &sb) == 0 && (uint64_t)sb.st_size <= want);
	must(st != ST_OK || (uint64_t)sb.st_size == want);
	return 0;
}
