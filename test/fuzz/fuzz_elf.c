/* elf_parse() on hostile bytes: a layout that is called valid keeps its own promises. */
#include "parse/exe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exe_layout l;
	struct err e;
	err_clear(&e);
	st_t st = elf_parse(rd_make(data, size), &l, &e);
	if (l.valid != (st == ST_OK) || (l.valid && l.nsections > EXE_SECTIONS_MAX))
		abort();
	return 0;
}
