/* Normalised text and decoded UTF-16 of any bytes: as long as promised, made of the bytes that a
 * copy has, the same when made in two pieces, and its own copy. */
#include "normal/text.h"
#include "normal/utf16.h"

#include <stdlib.h>
#include <string.h>

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_bytes(const struct buf *copy)
{
	for (size_t i = 0; i < copy->len; i++) {
		uint8_t c = copy->data[i];
		must(c >= ' ' && c < 0x80 && !(c >= 'A' && c <= 'Z'));
		must(i == 0 || c != ' ' || copy->data[i - 1] != ' ');
	}
}

static void check_pieces(const uint8_t *data, size_t size, const struct buf *copy)
{
	struct normal_text t = {0};
	size_t cut = size ? data[0] % size : 0;
	uint8_t *out = malloc(size ? size : 1);

	must(out != NULL);
	size_t len = normal_text_run(&t, data, cut, out);
	len += normal_text_run(&t, data + cut, size - cut, out + len);
	must(len == copy->len && (len == 0 || memcmp(out, copy->data, len) == 0));
	free(out);
}

static void check_again(const struct buf *copy)
{
	struct buf again = {0};

	must(normal_text(copy->data, copy->len, &again, NULL) == ST_OK);
	must(again.len == copy->len && (again.len == 0 || !memcmp(again.data, copy->data, again.len)));
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf copy = {0}, utf16 = {0}, strings = {0};

	must(normal_text(data, size, &copy, NULL) == ST_OK && copy.len <= size);
	check_bytes(&copy);
	check_pieces(data, size, &copy);
	check_again(&copy);
	must(normal_utf16(data, size, &utf16, NULL) == ST_OK && utf16.len == size / 2);
	must(normal_utf16_sigtool(data, size, &strings, NULL) == ST_OK && strings.len <= utf16.len);
	buf_done(&copy);
	buf_done(&utf16);
	buf_done(&strings);
	return 0;
}
