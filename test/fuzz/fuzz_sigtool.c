/* Signature text, as sigtool's --decode-sigs and --test-sigs take it apart: no line of what goes to
 * the compiler is anything but one signature. */
#include "explain/sigtool.h"

#include <stdlib.h>
#include <string.h>

static void must(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct explain_object text = {data, size, 0};
	struct out words = {0}, bodies = {0};
	(void)sigtool_decode(&words, &text, NULL);
	must(sigtool_bodies(&bodies, &text, NULL) == ST_OK);
	const uint8_t *p = bodies.all.data, *end = p + bodies.all.len;
	while (p < end) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
		must(nl && *p >= '0' && *p <= '9' && memchr(p, ';', (size_t)(nl - p)));
		p = nl + 1;
	}
	out_done(&words);
	out_done(&bodies);
	return 0;
}
