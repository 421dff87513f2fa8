/* Signatures in text: an integer, six bits a character, the least significant first. */
#include "cvd/cvd.h"

#include "crypto/digest.h"

#include <string.h>

static int digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes, most significant first, at the end of ret. Characters: at most 4/3 of RSA_BYTES_MAX. */
static bool decode(const char *s, size_t n, uint8_t ret[RSA_BYTES_MAX])
{
	memset(ret, 0, RSA_BYTES_MAX);
	if (!n || n * 6 > RSA_BYTES_MAX * 8)
		return false;
	for (size_t i = 0; i < n; i++) {
		int v = digit(s[i]);
		if (v < 0)
			return false;
		size_t bit = i * 6, at = RSA_BYTES_MAX - 1 - bit / 8;
		unsigned shifted = (unsigned)v << bit % 8;
		ret[at] |= (uint8_t)shifted;
		if (shifted >> 8)
			ret[at - 1] |= (uint8_t)(shifted >> 8);
	}
	return true;
}

st_t cvd_check_legacy(const struct rsa_key *key, const char *dsig, size_t n, const uint8_t md5[16],
                      struct err *e)
{
	uint8_t s[RSA_BYTES_MAX], m[16];
	if (!decode(dsig, n, s))
		return fail(e, ST_BAD_SUM, 0, "signature is no number");
	TRY(rsa_open(key, s, sizeof s, m, sizeof m, e));
	return memcmp(m, md5, sizeof m) ? fail(e, ST_BAD_SUM, 0, "signature is over other content")
	                                : ST_OK;
}

st_t cvd_check_pss(const struct rsa_key *key, const char *dsig, size_t n, const void *message,
                   size_t nmessage, struct err *e)
{
	uint8_t s[RSA_BYTES_MAX], digest[32];
	if (!decode(dsig, n, s))
		return fail(e, ST_BAD_SUM, 0, "signature is no number");
	TRY(digest_bytes(DIGEST_SHA256, message, nmessage, digest, e));
	return rsa_pss_check(key, s, sizeof s, digest, e);
}
