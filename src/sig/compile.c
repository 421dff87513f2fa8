#include "sig/compile.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* SHA-256 over the sorted SHA-256 digests of the sources: the same for any order of arguments. */
static st_t digest_sources(const struct sig_source *srcs, size_t n, uint8_t ret[32], struct err *e)
{
	uint8_t(*d)[32] = malloc((n + 1) * sizeof *d);
	size_t k = 0;
	if (!d)
		return fail(e, ST_NOMEM, 0, "compiler: out of memory");
	st_t st = ST_OK;
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		if (srcs[i].role == SIG_ROLE_TEXT || srcs[i].role == SIG_ROLE_CONTAINER)
			st = digest_bytes(DIGEST_SHA256, srcs[i].text, srcs[i].len, d[k++], e);
	}
	if (st == ST_OK) {
		qsort(d, k, sizeof *d, by_bytes);
		st = digest_bytes(DIGEST_SHA256, d, k * sizeof *d, ret, e);
	}
	free(d);
	return st;
}

st_t sig_compile(const struct sig_source *srcs, size_t n, const struct sig_opts *opts,
                 struct buf *ret, struct ir_set *ret_set, struct err *e)
{
	uint8_t sources[32];
	TRY(digest_sources(srcs, n, sources, e));
	TRY(sig_read_all(ret_set, srcs, n, opts, e));
	return sig_emit(ret_set, sources, ret, e);
}
