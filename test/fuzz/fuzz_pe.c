/* pe_parse() and pe_version_keys() on hostile bytes: a layout that is called valid keeps its own
 * promises. */
#include "parse/exe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exe_layout l;
	struct err e;
	err_clear(&e);
	st_t st = pe_parse(rd_make(data, size), &l, &e);
	if (l.valid != (st == ST_OK) || (l.valid && l.nsections > EXE_SECTIONS_MAX))
		abort();
	if (!l.valid)
		return 0;
	pe_version_keys(rd_make(data, size), &l);
	for (uint32_t i = 0; i < l.nversion_keys; i++)
		if (l.version_key[i] >= size || (i > 0 && l.version_key[i] <= l.version_key[i - 1]))
			abort();
	return 0;
}
