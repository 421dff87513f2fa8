/* The copy of a text file that signatures for target 7 are written for.
 *
 * The rules are those of clamscan 1.4.6, measured from outside (doc/views.md, "Text"). They know
 * bytes only, no encoding:
 *   0x00-0x08, 0x0e-0x1f, 0x80-0xff   dropped
 *   0x09-0x0d, 0x20                   a blank (0x20); of blanks in a row the first is kept, also
 *                                     when only dropped bytes stand between them
 *   'A'-'Z'                           lower case
 *   all others, 0x7f too              kept
 * UTF-16 needs no decoding for that: its zero bytes are dropped.
 *
 * The copy is never longer than the text, and normalising it again changes nothing.
 *
 * How a caller may save the work:
 * - One pass over memory instead of three: normalise a block that fits into the processor's cache
 *   with normal_text_run(), let the kernels pass over the piece that came out, go on.
 * - Most signatures for target 0 cannot match in a copy: a literal with 'A'-'Z', with a byte that
 *   is dropped, or with two blanks in a row never occurs there (without nocase). The compiler
 *   knows this of every anchor, so the copy needs only the anchors of target 7 and the remaining
 *   ones of target 0.
 * - If `out` equals the text (same length, same bytes), what a pass found in one is what it finds
 *   in the other. */
#ifndef VITRINE_NORMAL_TEXT_H
#define VITRINE_NORMAL_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* State between the pieces of one text. All-zero at its start. */
struct normal_text {
	bool blank; /* the last byte that was written is a blank */
};

/* Normalises the n bytes at `in` that follow what `t` has seen. Writes to `out`, which has room
 * for n bytes and does not overlap `in`; bytes of that room behind the result may be overwritten.
 * Returns how many were written. Cutting a text into pieces does not change the result. */
size_t normal_text_run(struct normal_text *t, const uint8_t *in, size_t n, uint8_t *out);

/* Appends the copy of a whole text to `out`. ST_OK or ST_NOMEM; then `out` holds nothing more. */
st_t normal_text(const uint8_t *data, size_t n, struct buf *out, struct err *e);

/* What `sigtool --ascii-normalise` writes to the file "normalised_text": every 128 KiB of the
 * text are normalised on their own, so that a run of blanks across such a seam leaves one blank
 * on either side. Otherwise like normal_text(). */
st_t normal_text_sigtool(const uint8_t *data, size_t n, struct buf *out, struct err *e);

#endif
