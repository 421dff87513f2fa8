/* Archives and compressed streams through libarchive: one plug-in for all of them. */
#ifndef VITRINE_PARSE_LIBARCHIVE_H
#define VITRINE_PARSE_LIBARCHIVE_H

#include "parse/format.h"

extern const struct format format_libarchive;

#endif
