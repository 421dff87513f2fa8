/* JavaScript as signatures see it: comments and white space dropped, strings joined and their
 * escapes decoded, unescape(), eval() and a packer's calls with strings carried out, declared
 * names replaced, lower case (doc/views.md). Any text has such a form; what is no JavaScript gets
 * through as tokens.
 *
 * Time is n log n (names are sorted). Memory is at most SCRIPT_MEMORY_FACTOR bytes per byte of
 * input, all of it given back on return. */
#ifndef VITRINE_NORMAL_SCRIPT_H
#define VITRINE_NORMAL_SCRIPT_H

#include "base/buf.h"
#include "base/rd.h"
#include "base/st.h"

#define SCRIPT_MEMORY_FACTOR 1024

/* Adds "<script>", the rest of `in` normalised, and "</script>" unless it ends with that to
 * `out`, with a line end before it if `out` is not empty. ST_NOMEM, ST_LIMIT for more than 1
 * GiB. */
st_t normal_script(struct rd in, struct buf *out, struct err *e);

#endif
