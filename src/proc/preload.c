#include "proc/preload.h"

#include "attest/json.h"
#include "attest/key.h"
#include "crypto/digest.h"
#include "sandbox/roles.h"

#include <sys/random.h>

/* libcrypto looks for its algorithms when they are first used. */
static st_t use_once(struct err *e)
{
	/* The base point of P-256 as a key. */
	static const char spki[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt"
	    "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
	    "-----END PUBLIC KEY-----\n";
	struct attest_key k;
	uint8_t pub[32] = {1}, sig[64] = {0};
	attest_key_from_ed25519(pub, &k);
	(void)!attest_key_verify(&k, "", 0, rd_make(sig, sizeof sig), NULL);
	TRY(attest_key_parse_pem(rd_make(spki, sizeof spki - 1), &k, e));
	(void)!attest_key_verify(&k, "", 0, rd_make(sig, sizeof sig), NULL);
	return ST_OK;
}

st_t proc_preload(struct err *e)
{
	uint32_t seed;
	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		return fail_errno(e, "getrandom");
	attest_preload(seed);
	TRY(digest_preload(e));
	TRY(use_once(e));
	return sandbox_preload(e);
}
