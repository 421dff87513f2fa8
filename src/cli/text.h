/* Names, paths and reasons come from files: nothing of them may act on a terminal or break a line.
 *
 * Escaped are control bytes, DEL, C1 controls and characters that turn the direction of writing; a
 * byte that is not part of valid UTF-8 becomes \xHH. */
#ifndef VITRINE_CLI_TEXT_H
#define VITRINE_CLI_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum text_mode {
	TEXT_EXACT,    /* backslashes are doubled too, so that the name can be recovered */
	TEXT_CLAMSCAN, /* backslashes and bytes from 0xa0 stay as clamscan prints them */
};

/* Bytes of the valid UTF-8 character at s[0..n), or 0 if there is none; its code in *ret_code. */
size_t utf8_next(const char *s, size_t n, uint32_t *ret_code);

/* Writes s escaped. */
void text_put(FILE *f, const char *s, enum text_mode mode);

/* Appends s escaped, without NUL. */
void text_add(struct buf *b, const char *s, enum text_mode mode);

/* Writes a portion of an answer from the jail. Its lines stay lines; within them what would act on
 * a terminal is escaped, as in text_put(), but backslashes are the answer's own. With `json`
 * escapes are those of a JSON string. A portion ends with a line: a character that is cut at its
 * end would be shown as wrong UTF-8. */
void text_put_answer(FILE *f, const char *s, size_t n, bool json);

/* "12.3 MB" for people. */
void text_size(char *ret, size_t n, uint64_t bytes);

/* The directory of this executable (no slash behind), or false. */
bool text_exe_dir(char *ret, size_t n);

#endif
