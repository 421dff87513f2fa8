/* The one place where options of the database become PCRE2's: the compiler tries with them what the
 * worker will run. */
#ifndef VITRINE_DB_REGEX_OPTIONS_H
#define VITRINE_DB_REGEX_OPTIONS_H

#include "db/layout.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static inline uint32_t db_regex_compile_options(uint32_t options)
{
	static const uint32_t of[] = {
	    PCRE2_CASELESS, PCRE2_DOTALL,         PCRE2_MULTILINE, PCRE2_EXTENDED,
	    PCRE2_ANCHORED, PCRE2_DOLLAR_ENDONLY, PCRE2_UNGREEDY,
	};
	uint32_t r = PCRE2_USE_OFFSET_LIMIT;
	for (unsigned i = 0; i < sizeof of / sizeof *of; i++)
		r |= options >> i & 1 ? of[i] : 0;
	return r;
}

#endif
