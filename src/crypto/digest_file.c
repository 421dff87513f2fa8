#include "base/io.h"
#include "crypto/digest.h"

#define STEP ((size_t)64 << 10)

st_t digest_add_file(struct digest *d, int fd, uint64_t *ret_size, struct err *e)
{
	uint8_t step[STEP];
	uint64_t off = 0;
	size_t n = sizeof step;
	while (n == sizeof step) {
		TRY(io_pread_full(fd, step, sizeof step, off, &n, e));
		TRY(digest_add(d, step, n, e));
		off += n;
	}
	if (ret_size)
		*ret_size = off;
	return ST_OK;
}

st_t digest_file(enum digest_kind kind, int fd, uint8_t *ret, uint64_t *ret_size, struct err *e)
{
	struct digest d = {0};
	st_t st = digest_init(&d, kind, e);
	if (st == ST_OK)
		st = digest_add_file(&d, fd, ret_size, e);
	if (st == ST_OK)
		st = digest_end(&d, ret, e);
	digest_done(&d);
	return st;
}
