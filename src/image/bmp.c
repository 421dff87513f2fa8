/* Stub, replaced below. */
#include "image/inside.h"
st_t image_bmp(struct rd in, uint64_t *ret, struct err *e)
{
	(void)in; (void)ret;
	return fail(e, ST_UNSUPPORTED, 0, "bmp");
}
