/* A delta. Input: u16 length of the old file, the old file, u16 length that is allowed, then the
 * body as it is before it is compressed (so that it is the body that changes, not Zstandard); if
 * the allowed length is odd, the rest is a whole delta instead. Nothing longer than allowed is
 * written. */
#include "crypto/digest.h"
#include "pack/delta.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void fill(int fd, const void *p, size_t n)
{
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
}

static size_t build(const uint8_t *old, size_t old_len, uint64_t new_len, const uint8_t *body,
                    size_t n, uint8_t *ret, size_t room)
{
	uint64_t sizes[2] = {old_len, new_len};
	memcpy(ret, "VITRDLT1", 8);
	must(digest_bytes(DIGEST_SHA256, old, old_len, ret + 8, NULL) == ST_OK);
	memcpy(ret + 40, sizes, sizeof sizes);
	return 56 + ZSTD_compress(ret + 56, room - 56, body, n, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int old = -1, delta, out;
	static uint8_t file[1 << 17];
	if (old < 0) {
		old = memfd_create("old", 0);
		delta = memfd_create("delta", 0);
		out = memfd_create("out", 0);
	}
	if (size < 4 || size > 65536)
		return 0;
	size_t old_len = (size_t)(data[0] | data[1] << 8);
	if (old_len > size - 4)
		return 0;
	const uint8_t *o = data + 2, *body = o + old_len + 2;
	uint64_t max = (uint64_t)(o[old_len] | o[old_len + 1] << 8);
	size_t n = size - 4 - old_len;
	struct stat sb;
	fill(old, o, old_len);
	if (max & 1)
		fill(delta, body, n);
	else
		fill(delta, file, build(o, old_len, max, body, n, file, sizeof file));
	must(ftruncate(out, 0) == 0);
	st_t st = delta_apply(old, delta, max, out, NULL);
	must(fstat(out, &sb) == 0 && (uint64_t)sb.st_size <= max);
	must(st != ST_OK || (max & 1) || (uint64_t)sb.st_size == max);
	must(st >= ST_OK);
	return 0;
}
