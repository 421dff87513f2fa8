#include "cvd_make.h"

#include "crypto/digest.h"

#include <libdeflate.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

void test_key_make(struct test_key *k, int bits)
{
	*k = (struct test_key){.pkey = EVP_RSA_gen((unsigned)bits)};
	must(k->pkey && EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &k->n) &&
	     EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_D, &k->d));
	k->pub = (struct rsa_key){BN_bn2dec(k->n), 65537};
}

/* Six bits a character, least significant first. */
static void to_text(const BIGNUM *s, char *ret)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
	int n = (BN_num_bits(s) + 5) / 6;
	for (int i = 0; i < n; i++) {
		int v = 0;
		for (int b = 5; b >= 0; b--)
			v = v << 1 | BN_is_bit_set(s, i * 6 + b);
		ret[i] = digits[v];
	}
	ret[n] = '\0';
}

static void private_op(const struct test_key *k, const uint8_t *m, size_t n, char *ret)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_bin2bn(m, (int)n, NULL), *s = BN_new();
	must(ctx && x && s && BN_mod_exp(s, x, k->d, k->n, ctx));
	to_text(s, ret);
	BN_free(x);
	BN_free(s);
	BN_CTX_free(ctx);
}

void test_sign_legacy(const struct test_key *k, const uint8_t md5[16], char ret[400])
{
	private_op(k, md5, 16, ret);
}

static void sha256(const void *p, size_t n, uint8_t ret[32])
{
	must(digest_bytes(DIGEST_SHA256, p, n, ret, NULL) == ST_OK);
}

/* The encoding with one salt. */
static void encode(const uint8_t digest[32], uint8_t salt, uint8_t em[256])
{
	uint8_t in[72] = {0}, seed[36], mask[32];
	memcpy(in + 8, digest, 32);
	memset(in + 40, salt, 32);
	memset(em, 0, 256);
	em[190] = 1;
	memset(em + 191, salt, 32);
	sha256(in, sizeof in, em + 223);
	memcpy(seed, em + 223, 32);
	for (uint8_t i = 0; i < 7; i++) {
		memcpy(seed + 32, (uint8_t[4]){0, 0, 0, i}, 4);
		sha256(seed, sizeof seed, mask);
		for (int b = 0; b < 32 && i * 32 + b < 223; b++)
			em[i * 32 + b] ^= mask[b];
	}
	em[0] &= 0x7f;
	em[255] = 0xbc;
}

void test_sign_pss(const struct test_key *k, const void *p, size_t n, char ret[400])
{
	uint8_t digest[32], em[256];
	sha256(p, n, digest);
	for (int salt = 0; salt < 256; salt++) {
		encode(digest, (uint8_t)salt, em);
		BIGNUM *x = BN_bin2bn(em, sizeof em, NULL);
		bool below = BN_cmp(x, k->n) < 0;
		BN_free(x);
		if (!below)
			continue;
		private_op(k, em, sizeof em, ret);
		return;
	}
	abort();
}

void test_tar_add(struct buf *b, const char *name, const void *p, size_t n)
{
	char h[512] = {0};
	unsigned sum = 0;
	snprintf(h, 100, "%s", name);
	snprintf(h + 124, 12, "%011zo", n);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	for (size_t i = 0; i < sizeof h; i++)
		sum += (uint8_t)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(b, h, sizeof h);
	buf_add(b, p, n);
	buf_fill(b, 0, -n % 512);
}

void test_info(struct buf *b, const char *head, const struct test_file *v, size_t n,
               const struct test_key *key)
{
	char line[600], hex[65], dsig[400];
	uint8_t sum[32];
	buf_add(b, line, (size_t)snprintf(line, sizeof line, "%s\n", head));
	for (size_t i = 0; i < n; i++) {
		sha256(v[i].text, strlen(v[i].text), sum);
		hex_encode(sum, 32, hex);
		buf_add(b, line, (size_t)snprintf(line, sizeof line, "%s:%zu:%s\n", v[i].name,
		                                  strlen(v[i].text), hex));
	}
	if (!key)
		return;
	test_sign_pss(key, b->data, b->len, dsig);
	buf_add(b, line, (size_t)snprintf(line, sizeof line, "DSIG:%s\n", dsig));
}

void test_gzip(struct buf *out, const void *p, size_t n)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t most = libdeflate_gzip_compress_bound(c, n);
	void *to = buf_room(out, most);
	must(c && to);
	out->len += libdeflate_gzip_compress(c, p, n, to, most);
	libdeflate_free_compressor(c);
}

void test_header(struct buf *b, const char *md5, const char *dsig)
{
	char h[513];
	const char *before = "ClamAV-VDB:23 Nov 2026 21-00 +0000:7:2:90", *after = "tester:1795467600";
	int n = snprintf(h, sizeof h, "%s:%s:%s:%s", before, md5, dsig, after);
	must(n > 0 && n < 513);
	buf_add(b, h, (size_t)n);
	buf_fill(b, ' ', 512 - (size_t)n);
}

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	must(ext && X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
}

void test_cert_make(struct test_cert *c, const char *cn, const struct test_cert *issuer, bool ca)
{
	static long serial = 1;
	c->pkey = EVP_RSA_gen(2048);
	c->x = X509_new();
	must(c->pkey && c->x && X509_set_version(c->x, 2) && X509_set_pubkey(c->x, c->pkey));
	must(ASN1_INTEGER_set(X509_get_serialNumber(c->x), serial++));
	must(ASN1_TIME_set_string(X509_getm_notBefore(c->x), "20200101000000Z"));
	must(ASN1_TIME_set_string(X509_getm_notAfter(c->x), "20400101000000Z"));
	X509_NAME *name = X509_get_subject_name(c->x);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0));
	must(X509_set_issuer_name(c->x, issuer ? X509_get_subject_name(issuer->x) : name));
	extend(c->x, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	extend(c->x, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	must(X509_sign(c->x, issuer ? issuer->pkey : c->pkey, EVP_sha256()) > 0);
}

static void bio_add(BIO *bio, struct buf *ret)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	buf_add(ret, p, (size_t)n);
	BIO_free(bio);
}

void test_cert_pem(const struct test_cert *c, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	must(bio && PEM_write_bio_X509(bio, c->x));
	bio_add(bio, ret);
}

void test_sign_file(const struct test_cert *signer, const struct test_cert *more, const void *p,
                    size_t n, const char *levels, struct buf *ret)
{
	const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP;
	STACK_OF(X509) *chain = sk_X509_new_null();
	if (more)
		sk_X509_push(chain, more->x);
	BIO *in = BIO_new_mem_buf(p, (int)n);
	CMS_ContentInfo *cms = CMS_sign(signer->x, signer->pkey, chain, in, flags);
	must(cms != NULL);
	uint8_t *der = NULL;
	int k = i2d_CMS_ContentInfo(cms, &der);
	uint8_t *text = malloc((size_t)k * 2 + 4);
	must(k > 0 && text);
	int t = EVP_EncodeBlock(text, der, k);
	buf_add(ret, "#clamsign-1.0\n", 14);
	buf_add(ret, levels, strlen(levels));
	buf_add(ret, ":pkcs7-pem:", 11);
	buf_add(ret, text, (size_t)t);
	buf_add(ret, "\n", 1);
	free(text);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(chain);
}
