/* Without ML-DSA in libcrypto (before 3.5): says so. */
#include "crypto/mldsa44.h"

bool mldsa44_available(void)
{
	return false;
}

st_t mldsa44_verify(const uint8_t pub[MLDSA44_PUBLIC], const void *msg, size_t n,
                    const uint8_t sig[MLDSA44_SIGNATURE], struct err *e)
{
	(void)pub, (void)msg, (void)n, (void)sig;
	return fail(e, ST_UNSUPPORTED, 0, "ML-DSA-44 needs libcrypto 3.5 or later");
}

void *mldsa44_key(const uint8_t seed[MLDSA44_SEED])
{
	(void)seed;
	return NULL;
}
