/* pe_import_text() on hostile bytes: a text is lower case and within its limit. */
#include "parse/exe.h"
#include "parse/pe_imports.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exe_layout l;
	struct rd in = rd_make(data, size);
	struct buf text = {0};
	struct err e = {0};
	if (pe_parse(in, &l, &e) != ST_OK)
		return 0;
	st_t st = pe_import_text(in, &l, &text, &e);
	for (size_t i = 0; st == ST_OK && i < text.len; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			abort();
	buf_done(&text);
	return 0;
}
