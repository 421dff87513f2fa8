/* Keys of who publishes: several that sign (files of "vitrine key new --for publisher"), and the
 * public ones of others. Where a key is said as a public one, a private key file does as well. */
#ifndef VITRINE_CLI_PUBLISH_KEYS_H
#define VITRINE_CLI_PUBLISH_KEYS_H

#include "cli/key_load.h"
#include "publish/repo.h"

/* Private keys, each once. All-zero is an empty one. */
struct publish_ring {
	struct loaded_key key[PUBLISH_KEYS_MAX];
	struct signer *signer[PUBLISH_KEYS_MAX];
	size_t n;
};

/* Adds the keys of a list of files. ST_UNSUPPORTED: a public key, one that is for something else,
 * or no Ed25519 key. ST_LIMIT. */
st_t publish_ring_load(struct publish_ring *r, const struct str_list *paths,
                       const struct key_pass_opts *pass, struct err *e);

/* The same of a list in which public keys may be: those are passed over. */
st_t publish_ring_load_private(struct publish_ring *r, const struct str_list *where,
                               const struct key_pass_opts *pass, struct err *e);
void publish_ring_done(struct publish_ring *r);

/* The same questions to the files, without a passphrase: so that what cannot work fails at once. */
st_t publish_ring_check(const struct str_list *paths, struct err *e);

/* A public key: from a key file, a PEM file, a file with a vkey, or a vkey. ret_private: whether it
 * was a key file, so that it can sign. */
st_t publish_key_read(const char *where, struct attest_key *ret, bool *ret_private, struct err *e);

/* Adds them to a role. */
st_t publish_keys_read(const struct str_list *where, struct publish_role_keys *ret, struct err *e);

#endif
