/* Header parsers of executables. Each fills a layout; any status but ST_OK leaves ret->valid false
 * (the object is still scanned as bytes). */
#ifndef VITRINE_PARSE_EXE_H
#define VITRINE_PARSE_EXE_H

#include "base/rd.h"
#include "verify/layout.h"

st_t pe_parse(struct rd in, struct exe_layout *ret, struct err *e);

/* Fills the keys of the version information of a file that pe_parse() has read into `l`: offsets of
 * the first character of each key that has a value, ascending, each once. Files without version
 * information have none; what is malformed ends the search, as in clamscan 1.4.6. */
void pe_version_keys(struct rd in, struct exe_layout *l);

st_t elf_parse(struct rd in, struct exe_layout *ret, struct err *e);
st_t macho_parse(struct rd in, struct exe_layout *ret, struct err *e);

#endif
