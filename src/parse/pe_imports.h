/* What a PE file imports, as the text that import hashes are made of. */
#ifndef VITRINE_PARSE_PE_IMPORTS_H
#define VITRINE_PARSE_PE_IMPORTS_H

#include "base/buf.h"
#include "base/rd.h"
#include "verify/layout.h"

/* Appends "library.function,library.function..." to ret. `l` is the valid layout of the same bytes
 * (pe_parse). Any status > 0 says that there is no such text: no import table or one that makes no
 * sense, or (ST_LIMIT) one beyond what is worth reading; ret then holds rubbish. */
st_t pe_import_text(struct rd in, const struct exe_layout *l, struct buf *ret, struct err *e);

#endif
