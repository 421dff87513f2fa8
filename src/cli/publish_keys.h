/* Several keys that sign for a publisher's repository: files of "vitrine key new --for
 * publisher". */
#ifndef VITRINE_CLI_PUBLISH_KEYS_H
#define VITRINE_CLI_PUBLISH_KEYS_H

#include "cli/key_load.h"
#include "publish/repo.h"

struct publish_ring {
	struct loaded_key key[PUBLISH_KEYS_MAX];
	struct signer *signer[PUBLISH_KEYS_MAX];
	size_t n;
};

/* Adds the keys of a list of files. ST_UNSUPPORTED: a key that is for something else, or no Ed25519
 * key. ST_LIMIT. */
st_t publish_ring_load(struct publish_ring *r, const struct str_list *paths,
                       const struct key_pass_opts *pass, struct err *e);
void publish_ring_done(struct publish_ring *r);

/* The same questions to the files, without a passphrase: so that what cannot work fails at once. */
st_t publish_ring_check(const struct str_list *paths, struct err *e);

#endif
