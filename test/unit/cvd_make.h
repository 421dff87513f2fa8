/* Keys, certificates and containers of the tests' own: nothing of the publisher's is needed to try
 * the three schemes. Everything here aborts when libcrypto fails. */
#ifndef VITRINE_TEST_CVD_MAKE_H
#define VITRINE_TEST_CVD_MAKE_H

#include "cvd/cvd.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct test_key {
	EVP_PKEY *pkey;
	BIGNUM *n, *d;
	struct rsa_key pub;
};

void test_key_make(struct test_key *k, int bits);

/* Signatures in text form, NUL-terminated. */
void test_sign_legacy(const struct test_key *k, const uint8_t md5[16], char ret[400]);
void test_sign_pss(const struct test_key *k, const void *p, size_t n, char ret[400]);

struct test_file {
	const char *name;
	const char *text;
};

/* Appends a tar header with the right sum and the content. */
void test_tar_add(struct buf *b, const char *name, const void *p, size_t n);

/* .info text of files; key NULL: unsigned. */
void test_info(struct buf *b, const char *head, const struct test_file *v, size_t n,
               const struct test_key *key);

void test_gzip(struct buf *out, const void *p, size_t n);

/* The 512 bytes of the header. */
void test_header(struct buf *b, const char *md5, const char *dsig);
#define TEST_HEAD "ClamAV-VDB:23 Nov 2026 21-00 +0000:7:2:90:X:X:tester:1795467600"

struct test_cert {
	EVP_PKEY *pkey;
	X509 *x;
};
/* A certificate of the name, signed by `issuer` (NULL: itself), valid 2020 to 2040. */
void test_cert_make(struct test_cert *c, const char *cn, const struct test_cert *issuer, bool ca);
void test_cert_pem(const struct test_cert *c, struct buf *ret);
/* .sign text over the bytes by `signer`, with `more` in the chain. */
void test_sign_file(const struct test_cert *signer, const struct test_cert *more, const void *p,
                    size_t n, const char *levels, struct buf *ret);

#endif
