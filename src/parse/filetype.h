/* File types by magic. */
#ifndef VITRINE_PARSE_FILETYPE_H
#define VITRINE_PARSE_FILETYPE_H

#include "base/rd.h"
#include "db/filetypes.h"
#include "db/layout.h"

/* Bytes from the start of the object that detection looks at, at most. */
#define FILETYPE_HEAD 65536

/* The type of an object from its first bytes; never fails: FT_BINARY_DATA or text at worst.
 * `size` is the size of the whole object. */
enum file_type filetype_detect(struct rd head, uint64_t size);

/* True if text has tags of HTML behind what detection looks at: it keeps its type, but has the
 * views of HTML (doc/views.md, "Late tags"). */
bool filetype_has_late_tags(struct rd text);

/* The same as filetype_detect() with the definitions of file types in a database; NULL: none. */
enum file_type filetype_detect_with(const struct db_view *own, struct rd head, uint64_t size);

#endif
