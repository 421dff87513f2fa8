/* Base64 as DSSE has it: "Either standard or URL-safe encoding is allowed" (DSSE 1.0.2, protocol),
 * RFC 4648 sections 4 and 5, with padding. Written is it by tlog/text.h. */
#ifndef VITRINE_ATTEST_BASE64_H
#define VITRINE_ATTEST_BASE64_H

#include "base/buf.h"
#include "base/rd.h"

/* Appends what all of `in` encodes. False, and `out` as it was, if `in` mixes the two alphabets,
 * has another character, wrong padding or unused bits that are not zero: one value, one encoding.
 */
bool attest_base64(struct rd in, struct buf *out);

#endif
