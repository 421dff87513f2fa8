/* File types by magic, named as ClamAV names them (CL_TYPE_…), and the target type of each. */
#ifndef VITRINE_PARSE_FILETYPE_H
#define VITRINE_PARSE_FILETYPE_H

#include "base/rd.h"

/* X(enumerator, name, target). Order is part of the database format: append only. */
#define FILETYPE_TABLE(X)                        \
	X(FT_BINARY_DATA, "CL_TYPE_BINARY_DATA", 14) \
	X(FT_TEXT_ASCII, "CL_TYPE_TEXT_ASCII", 7)    \
	X(FT_MSEXE, "CL_TYPE_MSEXE", 1)              \
	X(FT_ELF, "CL_TYPE_ELF", 6)                  \
	X(FT_ZIP, "CL_TYPE_ZIP", 0)

enum file_type {
#define X(e, n, t) e,
	FILETYPE_TABLE(X)
#undef X
	FILETYPES
};

/* Bytes from the start of the object that detection looks at, at most. */
#define FILETYPE_HEAD 65536

/* The type of an object from its first bytes; never fails: FT_BINARY_DATA or text at worst.
 * `size` is the size of the whole object. */
enum file_type filetype_detect(struct rd head, uint64_t size);

const char *filetype_name(enum file_type t);

/* ClamAV's target type (0..14) of objects of this type. */
uint8_t filetype_target(enum file_type t);

/* The type of that name, or FILETYPES. */
enum file_type filetype_by_name(const char *name);

#endif
