#include "crypto/ecdsa.h"

#include "crypto/evp.h"

#include <stdbool.h>
#include <string.h>

/* Longest key that is looked at: those of other algorithms are told apart, up to RSA with 8192
 * bits. */
#define SPKI_MAX 1100

/* Each curve with the length of its SubjectPublicKeyInfo: a compressed point or parameters written
 * out would give others. */
static const struct {
	const char *group;
	size_t nspki;
} curves[] = {{"prime256v1", 91}, {"secp384r1", 120}, {"secp521r1", 158}};

static bool curve_known(const char *group, size_t nspki)
{
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
		if (strcmp(group, curves[i].group) == 0)
			return nspki == curves[i].nspki;
	return false;
}

static st_t check_curve(const EVP_PKEY *key, size_t n, struct err *e)
{
	char group[32] = "";
	size_t len = 0;
	if (!EVP_PKEY_is_a(key, "EC"))
		return fail(e, ST_UNSUPPORTED, 0, "a public key that is not of an elliptic curve");
	if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) != 1 || !curve_known(group, n))
		return fail(e, ST_UNSUPPORTED, 0,
		            "an elliptic curve key that is not an uncompressed one of P-256, P-384, P-521");
	return ST_OK;
}

st_t ecdsa_check_key(const uint8_t *spki, size_t n, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(evp_read_spki(spki, n, SPKI_MAX, check_curve, &key, e));
	EVP_PKEY_free(key);
	return ST_OK;
}

static int verify(EVP_PKEY *key, EVP_MD_CTX *ctx, const struct evp_signed *s)
{
	if (EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1)
		return -1;
	/* A signature that is no DER is an error (-1) to libcrypto, and a wrong one here. */
	return EVP_DigestVerify(ctx, s->sig, s->nsig, s->msg, s->n) == 1;
}

st_t ecdsa_verify(const uint8_t *spki, size_t nspki, const void *msg, size_t n, const uint8_t *sig,
                  size_t nsig, struct err *e)
{
	EVP_PKEY *key = NULL;
	TRY(evp_read_spki(spki, nspki, SPKI_MAX, check_curve, &key, e));
	struct evp_signed what = {msg, n, sig, nsig};
	return evp_verify(key, verify, &what, "ECDSA", ST_NOMEM, e);
}
