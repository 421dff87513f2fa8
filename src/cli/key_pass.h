/* Passphrases: from a file, a descriptor or the terminal, never from the command line or the
 * environment, which others can read.
 *
 * A file or a descriptor holds the passphrase and nothing else; one newline at its end does not
 * count. With systemd: LoadCredential=NAME:PATH and
 * --passphrase-file "${CREDENTIALS_DIRECTORY}/NAME". */
#ifndef VITRINE_CLI_KEY_PASS_H
#define VITRINE_CLI_KEY_PASS_H

#include "cli/opts.h"
#include "crypto/secret.h"

#include <stddef.h>

struct key_pass_opts {
	const char *file; /* --passphrase-file */
	const char *fd;   /* --passphrase-fd: decimal; 0 is stdin */
};

/* The two rows of a table of options, for a field `f` of type struct key_pass_opts in `s`. */
#define KEY_PASS_OPTION_FILE(s, f) {"passphrase-file", 0, OPT_TEXT, 0, offsetof(s, f.file), NULL}
#define KEY_PASS_OPTION_FD(s, f) {"passphrase-fd", 0, OPT_TEXT, 0, offsetof(s, f.fd), NULL}

/* Whether an option says where the passphrase is. */
bool key_pass_given(const struct key_pass_opts *o);

/* A passphrase from where the options say, else asked for on the terminal, with `what` (a path,
 * escaped here) in the question; `twice` where a new one is set. secret_done() it. ST_MALFORMED:
 * empty, or more than one line. ST_LIMIT. ST_ENCRYPTED: neither option nor terminal. ST_CONFLICT:
 * the two differ. */
st_t key_passphrase(const struct key_pass_opts *o, const char *what, bool twice,
                    struct secret *ret, struct err *e);

/* All of a descriptor, to its end or an error if that is more than `max` bytes (ST_LIMIT). */
st_t key_read_all(int fd, size_t max, struct secret *ret, struct err *e);

#endif
