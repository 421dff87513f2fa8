#include "tuf/hash.h"

#include <string.h>

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tuf_hex(const char *s, struct buf *out)
{
	struct rd r = rd_make(s, strlen(s));
	if (rd_left(&r) % 2)
		return false;
	while (rd_left(&r)) {
		int hi = digit(rd_u8(&r));
		int lo = digit(rd_u8(&r));
		if (hi < 0 || lo < 0)
			return false;
		buf_u8(out, (uint8_t)(hi << 4 | lo));
	}
	return !out->oom;
}

/* The digest of that name, if it is there. */
static st_t read_one(const struct tuf_value *v, const char *name, size_t n, const char *what,
                     bool *ret_has, uint8_t *ret, struct err *e)
{
	const char *hex = tuf_member_text(v, name);
	struct buf b = {0};
	if (!hex)
		return ST_OK;
	bool good = strlen(hex) == 2 * n && tuf_hex(hex, &b);
	if (good)
		memcpy(ret, b.data, n);
	bool oom = b.oom;
	buf_done(&b);
	if (oom)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", what);
	if (!good)
		return fail(e, ST_MALFORMED, 0, "%s: the %s is not %zu hex digits", what, name, 2 * n);
	*ret_has = true;
	return ST_OK;
}

st_t tuf_hashes_read(const struct tuf_value *v, const char *what, struct tuf_hashes *ret,
                     struct err *e)
{
	struct tuf_hashes h = {0};
	if (!v || v->kind != TUF_OBJECT || v->n == 0)
		return fail(e, ST_MALFORMED, 0, "%s: \"hashes\" is no object with one hash or more", what);
	for (uint32_t i = 0; i < v->n; i++)
		if (v->item[i]->kind != TUF_TEXT)
			return fail(e, ST_MALFORMED, 0, "%s: a hash that is not a text", what);
	TRY(read_one(v, "sha256", sizeof h.sha256, what, &h.has256, h.sha256, e));
	TRY(read_one(v, "sha512", sizeof h.sha512, what, &h.has512, h.sha512, e));
	if (!h.has256 && !h.has512)
		return fail(e, ST_UNSUPPORTED, 0, "%s: hashed with neither SHA-256 nor SHA-512", what);
	*ret = h;
	return ST_OK;
}

st_t tuf_sum_init(struct tuf_sum *s, struct err *e)
{
	*s = (struct tuf_sum){0};
	st_t st = digest_init(&s->sha256, DIGEST_SHA256, e);
	if (st == ST_OK)
		st = sha512_init(&s->sha512, e);
	if (st != ST_OK)
		tuf_sum_done(s);
	return st;
}

st_t tuf_sum_add(struct tuf_sum *s, const void *p, size_t n, struct err *e)
{
	TRY(digest_add(&s->sha256, p, n, e));
	TRY(sha512_add(&s->sha512, p, n, e));
	s->length += n;
	return ST_OK;
}

void tuf_sum_done(struct tuf_sum *s)
{
	digest_done(&s->sha256);
	sha512_done(&s->sha512);
}

st_t tuf_sum_check(struct tuf_sum *s, const struct tuf_hashes *want, const uint64_t *length,
                   const char *what, struct err *e)
{
	uint8_t a[32], b[SHA512_BYTES];
	st_t st = digest_end(&s->sha256, a, e);
	if (st == ST_OK)
		st = sha512_end(&s->sha512, b, e);
	tuf_sum_done(s);
	TRY(st);
	if (length && s->length != *length)
		return fail(e, ST_BAD_SUM, 0, "%s: has %llu bytes, %llu were announced", what,
		            (unsigned long long)s->length, (unsigned long long)*length);
	if (want->has256 && memcmp(a, want->sha256, sizeof a))
		return fail(e, ST_BAD_SUM, 0, "%s: its SHA-256 is not the one that was announced", what);
	if (want->has512 && memcmp(b, want->sha512, sizeof b))
		return fail(e, ST_BAD_SUM, 0, "%s: its SHA-512 is not the one that was announced", what);
	return ST_OK;
}
