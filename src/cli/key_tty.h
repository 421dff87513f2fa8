/* Asking on the terminal without showing what is typed. */
#ifndef VITRINE_CLI_KEY_TTY_H
#define VITRINE_CLI_KEY_TTY_H

#include "crypto/secret.h"

/* Writes the question and reads one line, without its LF, into `ret` (filled up to its capacity,
 * more is ST_LIMIT). However this ends, by a signal too, the terminal echoes again; a signal then
 * does what it does. ST_ENCRYPTED: no terminal. ST_TRUNCATED: the terminal went away, or the end
 * of the file was typed. */
st_t key_tty_ask(const char *question, struct secret *ret, struct err *e);

#endif
