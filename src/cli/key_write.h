/* What `key new` and `key import` share: from options to a key file, and its vkey on stdout. */
#ifndef VITRINE_CLI_KEY_WRITE_H
#define VITRINE_CLI_KEY_WRITE_H

#include "cli/key_pass.h"

#include <stddef.h>
#include <stdint.h>

struct key_write {
	const char *name, *kind, *algorithm, *out;
	struct key_pass_opts pass;
	bool no_passphrase, help;
};

/* False if it has been said what is missing or contradicts itself. */
bool key_write_check(const char *command, const struct key_write *w);

/* Makes the file, which must not exist: complete and on the disk, or not at all. `seed` of an
 * imported key, or NULL. */
st_t key_write(const struct key_write *w, const char *name, const uint8_t *seed, struct err *e);

#endif
