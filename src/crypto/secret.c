#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

/* More is no secret of ours, but a mistake. */
#define SECRET_MAX ((size_t)1 << 20)

st_t secret_init(struct secret *s, size_t cap, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (!cap || cap > SECRET_MAX)
		return fail(e, ST_LIMIT, 0, "a secret of %zu bytes", cap);
	size_t n = (cap + page - 1) / page * page;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return fail(e, ST_NOMEM, 0, "no memory for a secret");
	(void)!madvise(p, n, MADV_DONTDUMP);
	(void)!madvise(p, n, MADV_WIPEONFORK);
	(void)!mlock(p, n);
	*s = (struct secret){.data = p, .cap = n};
	return ST_OK;
}

void secret_wipe(struct secret *s)
{
	if (s->data)
		OPENSSL_cleanse(s->data, s->cap);
	s->len = 0;
}

void secret_done(struct secret *s)
{
	secret_wipe(s);
	if (s->data)
		munmap(s->data, s->cap);
	*s = (struct secret){0};
}

void secret_buf_done(struct buf *b)
{
	if (b->data)
		OPENSSL_cleanse(b->data, b->cap);
	buf_done(b);
}

void secret_clean(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
