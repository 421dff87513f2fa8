/* Sub-signatures that are no body content, one file each: regex.c, compare.c. Each either fills
 * *sub or refuses the line. Source: doc/format/signatures.md, "Logical signatures". */
#ifndef VITRINE_SIG_SUBSIG_H
#define VITRINE_SIG_SUBSIG_H

#include "sig/text.h"

/* "[offset:]trigger/regex/flags": `index` is the sub-signature's own number; its trigger may name
 * only lower ones. */
st_t sig_regex(struct sig_reader *r, struct str s, uint32_t target, uint32_t index,
               struct ir_subsig *sub, struct sig_note *note);

/* True if the text has the shape "id(offset#options#comparisons)". */
bool sig_is_compare(struct str s);

/* Such a text; `nsubsigs` is the number of the signature's sub-signatures. */
st_t sig_compare(struct sig_reader *r, struct str s, uint32_t nsubsigs, struct ir_subsig *sub);

#endif
