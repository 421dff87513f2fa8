/* How every command gets at a private key: a file that `vitrine key new` wrote, and its passphrase
 * from a file (systemd credentials too), a descriptor or the terminal.
 *
 * Process: the one that signs. From the first secret on it leaves no core dump and cannot be traced
 * by others of the same user.
 *
 * Where a key is, is a text: a path, or the URI of something else that signs. Keys in tokens
 * ("pkcs11:", RFC 7512) will be another maker of a struct signer, chosen in key_load(), and no
 * caller will see a difference. Until then key_read() refuses them. A file that happens to be
 * called so is "./pkcs11:...". */
#ifndef VITRINE_CLI_KEY_LOAD_H
#define VITRINE_CLI_KEY_LOAD_H

#include "cli/key_pass.h"
#include "crypto/secret.h"
#include "crypto/signer.h"
#include "tlog/keyfile.h"

struct loaded_key {
	struct signer *signer;
	enum keyfile_kind kind;
	struct note_key key; /* public: name, id, type of its signatures, vkey by note_key_format() */
};

/* Reads the key, asking for the passphrase on the terminal if the file is encrypted and no option
 * says where it is. Statuses as keyfile_parse() and keyfile_open(); ST_ENCRYPTED: a passphrase is
 * needed and there is no terminal to ask on; negative: the file cannot be read. The message names
 * the file. */
st_t key_load(const char *where, const struct key_pass_opts *pass, struct loaded_key *ret,
              struct err *e);

/* All-zero is valid. */
void key_unload(struct loaded_key *k);

/* The same in two steps, for who needs only what is public: the file, unopened. `ret_file` holds
 * what `ret` points to; secret_done() it afterwards. */
st_t key_read(const char *path, struct secret *ret_file, struct keyfile *ret, struct err *e);
st_t key_open(const char *path, const struct keyfile *k, const struct key_pass_opts *pass,
              struct loaded_key *ret, struct err *e);

/* No core dumps, no tracing by others: before a secret is read. */
void key_protect_process(void);

#endif
