/* UTF-16 as clamscan 1.4.6 reads it where it decodes it at all: HTML in UTF-16LE
 * (CL_TYPE_HTML_UTF16), before it is normalised. Text in UTF-16 is not decoded: normal_text() drops
 * its zero bytes. HTML in UTF-16BE is not decoded either.
 *
 * Measured from outside (doc/views.md, "Text"): two bytes l, h become the one byte l + 16 * h, cut
 * to 8 bits. That is Latin-1 as long as h is 0, and nonsense that signatures may rely on otherwise
 * (U+20AC: 0xac; U+4E41: 0x21; the mark U+FEFF: 0xdf). The second byte is the high one always; an
 * odd byte at the end is dropped. Nothing can go wrong with the text, so nothing is reported. */
#ifndef VITRINE_NORMAL_UTF16_H
#define VITRINE_NORMAL_UTF16_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Appends the n / 2 bytes that clamscan normalises in place of the UTF-16LE text. Zero bytes stay.
 * ST_OK or ST_NOMEM; then `out` holds nothing more. */
st_t normal_utf16(const uint8_t *data, size_t n, struct buf *out, struct err *e);

/* What `sigtool --utf16-decode=FILE` writes to FILE.ascii. It writes 256 characters at a time as a
 * string: of each 256, those from the first zero byte on are missing. */
st_t normal_utf16_sigtool(const uint8_t *data, size_t n, struct buf *out, struct err *e);

#endif
