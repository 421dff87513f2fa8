/* Header parsers of executables. Each fills a layout; any status but ST_OK leaves ret->valid false
 * (the object is still scanned as bytes). */
#ifndef VITRINE_PARSE_EXE_H
#define VITRINE_PARSE_EXE_H

#include "base/rd.h"
#include "verify/layout.h"

st_t pe_parse(struct rd in, struct exe_layout *ret, struct err *e);
st_t elf_parse(struct rd in, struct exe_layout *ret, struct err *e);
st_t macho_parse(struct rd in, struct exe_layout *ret, struct err *e);

#endif
