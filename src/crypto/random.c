#include "crypto/random.h"

#include <sys/random.h>

static st_t fill_system(void *ctx, void *ret, size_t n, struct err *e)
{
	(void)ctx;
	char *p = ret;
	while (n) {
		ssize_t k = getrandom(p, n, 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return fail_errno(e, "getrandom");
		p += k;
		n -= (size_t)k;
	}
	return ST_OK;
}

const struct random_source random_system = {.fill = fill_system};

st_t random_fill(const struct random_source *r, void *ret, size_t n, struct err *e)
{
	return r->fill(r->ctx, ret, n, e);
}
