/* zip_kind() on hostile bytes: it ends, and says one of the kinds of zip. */
#include "parse/zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (zip_kind(rd_make(data, size))) {
	case FT_ZIP:
	case FT_OOXML_WORD:
	case FT_OOXML_XL:
	case FT_OOXML_PPT:
	case FT_OOXML_HWP:
		return 0;
	default:
		abort();
	}
}
