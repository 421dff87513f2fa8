#include "crypto/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Certificates between the signer's and the root: production has one. */
#define CHAIN_DEPTH 4

/* 112 bits: RSA of 2048 and more, no SHA-1 in certificates. */
#define SECURITY_LEVEL 2

struct cms_roots {
	X509_STORE *store;
	X509 *v[CMS_ROOTS_MAX];
	size_t n;
};

st_t cms_roots_new(struct cms_roots **ret, struct err *e)
{
	struct cms_roots *r = calloc(1, sizeof *r);
	if (r)
		r->store = X509_STORE_new();
	if (!r || !r->store) {
		free(r);
		return fail(e, ST_NOMEM, 0, "certificates: out of memory");
	}
	*ret = r;
	return ST_OK;
}

void cms_roots_free(struct cms_roots *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		X509_free(r->v[i]);
	X509_STORE_free(r->store);
	free(r);
}

/* The common name in printable ASCII; "" if there is none. */
static void common_name(const X509 *c, char ret[CMS_NAME_MAX])
{
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, ret, CMS_NAME_MAX) < 0)
		ret[0] = '\0';
	for (char *p = ret; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

/* True if another certificate has this one's common name. */
static bool ambiguous(const struct cms_roots *r, const X509 *c)
{
	char a[CMS_NAME_MAX], b[CMS_NAME_MAX];
	common_name(c, a);
	for (size_t i = 0; i < r->n; i++) {
		common_name(r->v[i], b);
		if (!strcmp(a, b) && X509_cmp(r->v[i], c))
			return true;
	}
	return false;
}

/* Takes the certificate over. */
static st_t add_certificate(struct cms_roots *r, X509 *c, struct err *e)
{
	char cn[CMS_NAME_MAX];
	common_name(c, cn);
	st_t st = ST_OK;
	if (r->n == CMS_ROOTS_MAX)
		st = fail(e, ST_LIMIT, 0, "more than %d certificates", CMS_ROOTS_MAX);
	else if (ambiguous(r, c))
		st = fail(e, ST_MALFORMED, 0, "two certificates are called '%s'", cn);
	else if (X509_STORE_add_cert(r->store, c) != 1)
		st = fail(e, ST_NOMEM, 0, "certificates: out of memory");
	if (st != ST_OK) {
		X509_free(c);
		return st;
	}
	r->v[r->n++] = c;
	return ST_OK;
}

st_t cms_roots_add(struct cms_roots *r, const void *pem, size_t n, struct err *e)
{
	if (n > CMS_ROOT_FILE_MAX)
		return fail(e, ST_LIMIT, 0, "more than %zu bytes of certificates", CMS_ROOT_FILE_MAX);
	BIO *in = BIO_new_mem_buf(pem, (int)n);
	if (!in)
		return fail(e, ST_NOMEM, 0, "certificates: out of memory");
	size_t before = r->n;
	st_t st = ST_OK;
	X509 *c;
	while (st == ST_OK && (c = PEM_read_bio_X509(in, NULL, NULL, NULL)))
		st = add_certificate(r, c, e);
	BIO_free(in);
	ERR_clear_error();
	if (st == ST_OK && r->n == before)
		return fail(e, ST_MALFORMED, 0, "no certificate in PEM");
	return st;
}

/* SHA-2 with 256 bits and more: nothing weaker proves, whatever a certificate allows. */
static bool strong_digest(const X509_ALGOR *a)
{
	const ASN1_OBJECT *oid;
	X509_ALGOR_get0(&oid, NULL, NULL, a);
	int nid = OBJ_obj2nid(oid);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static bool strong_signers(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_SignerInfo) *s = CMS_get0_SignerInfos(cms);
	for (int i = 0; i < sk_CMS_SignerInfo_num(s); i++) {
		X509_ALGOR *digest;
		CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(s, i), NULL, NULL, &digest, NULL);
		if (!strong_digest(digest))
			return false;
	}
	return sk_CMS_SignerInfo_num(s) == 1;
}

/* The certificate at the end of the signer's chain, which CMS_verify() does not tell. */
static bool find_root(const struct cms_roots *r, CMS_ContentInfo *cms, int64_t now,
                      char ret_cn[CMS_NAME_MAX])
{
	STACK_OF(X509) *signers = CMS_get0_signers(cms), *more = CMS_get1_certs(cms);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ctx && sk_X509_num(signers) == 1 &&
	          X509_STORE_CTX_init(ctx, r->store, sk_X509_value(signers, 0), more) == 1;
	if (ok) {
		X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)now);
		X509_VERIFY_PARAM_set_depth(X509_STORE_CTX_get0_param(ctx), CHAIN_DEPTH);
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), SECURITY_LEVEL);
		ok = X509_verify_cert(ctx) == 1 &&
		     (X509_get_key_usage(sk_X509_value(signers, 0)) & KU_DIGITAL_SIGNATURE);
	}
	if (ok) {
		STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
		common_name(sk_X509_value(chain, sk_X509_num(chain) - 1), ret_cn);
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(signers);
	sk_X509_pop_free(more, X509_free);
	return ok;
}

static st_t check(const struct cms_roots *r, CMS_ContentInfo *cms, BIO *data, int64_t now,
                  char ret_cn[CMS_NAME_MAX], struct err *e)
{
	/* The purpose of the certificates is not S/MIME's business alone: ClamAV's sign code. The chain
	 * is checked in find_root(), with our own time and depth. */
	const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY;
	if (!strong_signers(cms))
		return fail(e, ST_BAD_SUM, 0, "needs one signer and a digest of SHA-2");
	if (CMS_verify(cms, NULL, r->store, data, NULL, flags) != 1)
		return fail(e, ST_BAD_SUM, 0, "signature does not fit the content");
	if (!find_root(r, cms, now, ret_cn))
		return fail(e, ST_BAD_SUM, 0, "signer's certificate does not lead to a root");
	return ST_OK;
}

st_t cms_check(const struct cms_roots *r, const void *der, size_t n, const void *data, size_t ndata,
               int64_t now, char ret_cn[CMS_NAME_MAX], struct err *e)
{
	if (n > CMS_SIGNATURE_MAX || ndata > INT32_MAX)
		return fail(e, ST_LIMIT, 0, "signature or content too large");
	const unsigned char *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)n);
	bool whole = cms && p == (const unsigned char *)der + n &&
	             OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed;
	BIO *in = BIO_new_mem_buf(ndata ? data : "", (int)ndata);
	st_t st = !whole ? fail(e, ST_MALFORMED, 0, "not a CMS signature")
	          : !in  ? fail(e, ST_NOMEM, 0, "libcrypto: out of memory")
	                 : check(r, cms, in, now, ret_cn, e);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return st;
}
