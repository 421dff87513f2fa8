/* For test/e2e/test_html_views.py: reads files, each behind its length (32 bits, little-endian),
 * and writes for each the views in the same way: nocomment, notags, javascript (length 0xffffffff
 * if there is none), then the number of data: URLs and what they hold. */
#include "normal/html.h"

#include <stdio.h>
#include <stdlib.h>

#define NONE UINT32_MAX

static bool put_number(uint32_t n)
{
	return fwrite(&n, sizeof n, 1, stdout) == 1;
}

static bool put(const struct buf *b)
{
	return put_number((uint32_t)b->len) &&
	       (b->len == 0 || fwrite(b->data, 1, b->len, stdout) == b->len);
}

static bool put_views(const struct html_views *v)
{
	bool ok = put(&v->nocomment) && put(&v->notags);

	ok = ok && (v->has_script ? put(&v->javascript) : put_number(NONE));
	ok = ok && put_number((uint32_t)v->n_data);
	for (size_t i = 0; ok && i < v->n_data; i++)
		ok = put(&v->data[i]);
	return ok && fflush(stdout) == 0;
}

static bool serve(uint32_t n)
{
	static const struct html_opts opts = {.scripts = true};
	struct html_views v = {0};
	uint8_t *p = malloc((size_t)n + 1);
	bool ok = p && fread(p, 1, n, stdin) == n &&
	          normal_html(rd_make(p, n), &opts, &v, NULL) == ST_OK && put_views(&v);

	html_views_done(&v);
	free(p);
	return ok;
}

int main(void)
{
	uint32_t n;

	while (fread(&n, sizeof n, 1, stdin) == 1)
		if (!serve(n))
			return 1;
	return 0;
}
