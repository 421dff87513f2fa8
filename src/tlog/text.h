/* Lines, numbers and base64 as the C2SP formats have them, read through base/rd. "All of `in`" is
 * what is left of it. Nothing is written where false is returned. */
#ifndef VITRINE_TLOG_TEXT_H
#define VITRINE_TLOG_TEXT_H

#include "base/buf.h"
#include "base/rd.h"
#include "tlog/hash.h"

/* Takes the next line without its LF. False, and nothing taken, if no LF follows. */
bool text_line(struct rd *in, struct rd *ret);

/* A decimal number that is all of `in`: ASCII digits, no sign, no leading zeros ("0" is one), below
 * 2^64. */
bool text_decimal(struct rd in, uint64_t *ret);

/* Base64 of RFC 4648 section 4 with padding, canonical (unused bits zero), all of `in`. False if it
 * is not, or longer than max bytes. */
bool text_base64(struct rd in, uint8_t *ret, size_t max, size_t *ret_n);

/* The same without decoding: how many bytes it stands for. */
bool text_base64_check(struct rd in, size_t *ret_n);
void text_base64_add(struct buf *out, const void *p, size_t n);

/* Exactly one hash in base64. */
bool text_hash(struct rd in, struct tlog_hash *ret);

void text_decimal_add(struct buf *out, uint64_t v);

/* Takes the next of the items of a line, which spaces and tabs separate; false if there is none. */
bool text_item(struct rd *line, struct rd *ret);

/* Takes what stands before the next byte `at`, and that byte. False, and nothing taken, if none
 * follows. */
bool text_until(struct rd *in, uint8_t at, struct rd *ret);

/* Whether all of `in` equals the string. */
bool text_is(struct rd in, const char *s);

/* "(is all of `in` valid UTF-8 without bytes below 0x20 other than LF)". */
bool text_is_note(struct rd in);

/* The same with the rule broken and where (ST_MALFORMED). */
st_t text_check_note(struct rd in, struct err *e);

/* Takes one code point of UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF). */
bool text_rune(struct rd *in, uint32_t *ret);

#endif
