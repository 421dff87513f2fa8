/* ere_new() and ere_search(): the first line is the expression, the rest the text. */
#include "base/ere.h"

#include <stdint.h>
#include <string.h>

/* So that one input costs milliseconds: time is the product of both. */
#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *line = size ? memchr(p, '\n', size) : NULL;
	size_t len = line ? (size_t)(line - p) : size;
	size_t rest = line ? size - len - 1 : 0;
	struct ere *x = NULL;
	if (ere_new(p, len, &x, NULL) != ST_OK)
		return 0;
	(void)ere_search(x, line ? line + 1 : "", rest < TEXT_MAX ? rest : TEXT_MAX);
	ere_free(x);
	return 0;
}
