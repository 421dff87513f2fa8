/* The public-key operation of RSA by libcrypto, for the two signature schemes that ClamAV made for
 * itself and that no library knows. Only verifies. Numbers are big-endian bytes. */
#ifndef VITRINE_CRYPTO_RSA_H
#define VITRINE_CRYPTO_RSA_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* Longest modulus, bytes. */
#define RSA_BYTES_MAX 512

struct rsa_key {
	const char *n; /* modulus, decimal digits */
	uint32_t e;    /* public exponent */
};

/* s^e mod n as exactly `size` bytes (left-padded with zeroes) into ret. ST_BAD_SUM if s is not
 * below n or the result does not fit into `size` bytes: then it is no signature by this key.
 * ST_NOMEM. */
st_t rsa_open(const struct rsa_key *key, const uint8_t *s, size_t ns, uint8_t *ret, size_t size,
              struct err *e);

#define RSA_PSS_BYTES 256

/* Checks a signature of 256 bytes over a SHA-256 digest of the message, encoded like EMSA-PSS (RFC
 * 8017, 9.1.2) with SHA-256, MGF1-SHA256 and 32 bytes of salt; unlike there only one bit is cleared
 * whatever the length of the modulus, which has 2041 to 2048 bits. ST_OK, ST_BAD_SUM, ST_NOMEM. */
st_t rsa_pss_check(const struct rsa_key *key, const uint8_t *s, size_t ns, const uint8_t digest[32],
                   struct err *e);

#endif
