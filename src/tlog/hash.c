#include "tlog/hash.h"

#include <openssl/evp.h>
#include <string.h>

/* "MTH({}) = SHA-256()" */
static const struct tlog_hash empty = {{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}};

st_t tlog_hasher_init(struct tlog_hasher *h, struct err *e)
{
	*h = (struct tlog_hasher){.ctx = EVP_MD_CTX_new()};
	if (h->ctx && EVP_DigestInit_ex2(h->ctx, EVP_sha256(), NULL) == 1)
		return ST_OK;
	tlog_hasher_done(h);
	return fail(e, ST_NOMEM, 0, "libcrypto: SHA-256 cannot start");
}

void tlog_hasher_done(struct tlog_hasher *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
	h->bad = true;
}

st_t tlog_hasher_check(const struct tlog_hasher *h, struct err *e)
{
	return h->bad ? fail(e, ST_NOMEM, 0, "libcrypto: SHA-256 failed") : ST_OK;
}

/* SHA-256(prefix || p || q); without a message digest named, the context keeps the one it has. */
static void hash_parts(struct tlog_hasher *h, uint8_t prefix, const void *p, size_t np,
                       const void *q, size_t nq, struct tlog_hash *ret)
{
	struct tlog_hash out;
	bool ok = !h->bad && EVP_DigestInit_ex2(h->ctx, NULL, NULL) == 1 &&
	          EVP_DigestUpdate(h->ctx, &prefix, 1) == 1 && EVP_DigestUpdate(h->ctx, p, np) == 1 &&
	          EVP_DigestUpdate(h->ctx, q, nq) == 1 &&
	          EVP_DigestFinal_ex(h->ctx, out.b, NULL) == 1;
	if (!ok) {
		h->bad = true;
		memset(&out, 0, sizeof out);
	}
	*ret = out;
}

void tlog_hash_empty(struct tlog_hash *ret)
{
	*ret = empty;
}

void tlog_hash_leaf(struct tlog_hasher *h, const void *entry, size_t n, struct tlog_hash *ret)
{
	hash_parts(h, 0x00, entry, n, NULL, 0, ret);
}

void tlog_hash_node(struct tlog_hasher *h, const struct tlog_hash *left,
                    const struct tlog_hash *right, struct tlog_hash *ret)
{
	hash_parts(h, 0x01, left->b, TLOG_HASH, right->b, TLOG_HASH, ret);
}

bool tlog_hash_equal(const struct tlog_hash *a, const struct tlog_hash *b)
{
	return memcmp(a->b, b->b, TLOG_HASH) == 0;
}
