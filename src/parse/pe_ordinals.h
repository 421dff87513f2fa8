/* Names of functions that are imported by number. */
#ifndef VITRINE_PARSE_PE_ORDINALS_H
#define VITRINE_PARSE_PE_ORDINALS_H

#include <stdint.h>

/* The name of an ordinal of a library (lower case, with extension; what follows that does not
 * matter), or NULL if none is known. Static text. */
const char *pe_ordinal_name(const char *library, uint16_t ordinal);

#endif
