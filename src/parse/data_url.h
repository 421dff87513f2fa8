/* The data: URLs (RFC 2397) of an HTML file as its children. */
#ifndef VITRINE_PARSE_DATA_URL_H
#define VITRINE_PARSE_DATA_URL_H

#include "parse/format.h"

extern const struct format format_data_url;

#endif
