/* KEY of TUF (section 4.2.1): {"keytype", "scheme", "keyval": {"public"}}. */
#ifndef VITRINE_TUF_KEY_H
#define VITRINE_TUF_KEY_H

#include "tuf/json.h"

enum tuf_scheme { TUF_ED25519, TUF_ECDSA_P256, TUF_RSA_PSS };

struct tuf_key {
	enum tuf_scheme scheme;
	struct buf pub;  /* 32 bytes of Ed25519, else a DER SubjectPublicKeyInfo */
};

/* Reads a key and whether it is one: keytype and scheme "ed25519", with 64 hex digits; keytype
 * "ecdsa" or, as older repositories wrote, "ecdsa-sha2-nistp256", scheme "ecdsa-sha2-nistp256",
 * with PEM or, the latter only, the hex of the uncompressed point; keytype "rsa", scheme
 * "rsassa-pss-sha256", with PEM. ST_UNSUPPORTED: another scheme, curve or length. ST_MALFORMED.
 * Free with tuf_key_done() whatever the status. */
st_t tuf_key_read(const struct tuf_value *v, struct tuf_key *ret, struct err *e);
void tuf_key_done(struct tuf_key *k);

/* What tells one key from another whatever its identifier: SHA-256 of the scheme and the key. */
st_t tuf_key_print(const struct tuf_key *k, uint8_t ret[32], struct err *e);

/* ST_OK only if `sig` is a signature of the message by that key. ST_BAD_SIG, ST_NOMEM. */
st_t tuf_key_verify(const struct tuf_key *k, const struct buf *msg, const struct buf *sig,
                    struct err *e);

#endif
