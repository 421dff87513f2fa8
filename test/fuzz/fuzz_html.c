/* normal_html() on hostile bytes: it always has views, and they keep their bound. */
#include "normal/html.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct html_opts opts = {.scripts = true};
	struct html_views v;
	struct err e;

	err_clear(&e);
	if (normal_html(rd_make(data, size), &opts, &v, &e) != ST_OK)
		abort();
	size_t sum = v.nocomment.len + v.notags.len + v.javascript.len;
	if (sum > HTML_VIEWS_FACTOR * (size + 8) || (v.javascript.len && !v.has_script))
		abort();
	html_views_done(&v);
	return 0;
}
