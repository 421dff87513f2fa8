/* filetype_detect() on hostile bytes: always a type of the table. */
#include "parse/filetype.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum file_type t = filetype_detect(rd_make(data, size), size);
	if (t >= FILETYPES || filetype_by_name(filetype_name(t)) != t)
		abort();
	return 0;
}
