/* What one function of src/normal makes of standard input, on standard output.
 * usage: normal_probe text|text-sigtool|utf16|utf16-sigtool */
#include "base/num.h"
#include "normal/text.h"
#include "normal/utf16.h"

#include <stdio.h>
#include <string.h>

typedef st_t normal_fn(const uint8_t *data, size_t n, struct buf *out, struct err *e);

static const struct {
	const char *name;
	normal_fn *fn;
} functions[] = {
    {"text", normal_text},
    {"text-sigtool", normal_text_sigtool},
    {"utf16", normal_utf16},
    {"utf16-sigtool", normal_utf16_sigtool},
};

static normal_fn *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (!strcmp(functions[i].name, name))
			return functions[i].fn;
	return NULL;
}

static void read_all(struct buf *in)
{
	uint8_t block[65536];
	size_t n;

	while ((n = fread(block, 1, sizeof block, stdin)) > 0)
		buf_add(in, block, n);
}

int main(int argc, char **argv)
{
	normal_fn *fn = argc == 2 ? find(argv[1]) : NULL;
	struct buf in = {0}, out = {0};

	if (!fn)
		return 2;
	read_all(&in);
	bool good = !ferror(stdin) && !in.oom && fn(in.data, in.len, &out, NULL) == ST_OK;
	good = good && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	buf_done(&in);
	buf_done(&out);
	return good ? 0 : 1;
}
