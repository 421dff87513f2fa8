/* Members unfolded at once, against the same members read from libarchive: the short cut never
 * gives less, and nothing else. */
#include "parse/format.h"

#include <stdlib.h>
#include <string.h>

/* So that one input costs milliseconds: a bomb is for scan/ and its limits. */
#define MEMBERS_MAX 16
#define BYTES_MAX ((size_t)256 << 10)

static uint8_t fast[BYTES_MAX], slow[BYTES_MAX];

/* Up to BYTES_MAX bytes of the child; true if it ended well before them. */
static bool read_child(const struct format *f, struct format_ctx *c, size_t *ret_n)
{
	struct err e = {0};
	size_t n = 1, total = 0;
	st_t st = ST_OK;
	while (st == ST_OK && n > 0 && total < BYTES_MAX) {
		st = f->read(c, &slow[total], BYTES_MAX - total, &n, &e);
		total += n;
	}
	*ret_n = total;
	return st == ST_OK && n == 0;
}

static bool step(const struct format *f, struct format_ctx *c, struct member *m)
{
	struct err e = {0};
	bool end = true;
	return f->next(c, m, &end, &e) == ST_OK && !end;
}

static void walk(const struct format *f, struct format_ctx *a, struct format_ctx *b)
{
	struct member m, plain;
	for (int i = 0; i < MEMBERS_MAX; i++) {
		size_t n = 0, n_slow;
		if (!step(f, a, &m) || !step(f, b, &plain))
			return;
		if (!m.whole || f->whole(a, fast, BYTES_MAX, &n) != WHOLE_DONE)
			return;
		bool well = read_child(f, b, &n_slow);
		if (n_slow > n || memcmp(slow, fast, n_slow) || (well && n_slow > 0 && n_slow != n))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_make(data, size);
	struct format_ctx *a, *b;
	/* The kinds that have a short cut; fuzz_archive.c is for all. */
	if (!rd_peek(&in, "\x1f\x8b", 2) && !rd_peek(&in, "PK", 2))
		return 0;
	const struct format *f = format_for(FT_BINARY_DATA, in);
	if (!f || f->open(in, FT_BINARY_DATA, &a, NULL) != ST_OK)
		return 0;
	if (f->open(in, FT_BINARY_DATA, &b, NULL) == ST_OK) {
		walk(f, a, b);
		f->close(b);
	}
	f->close(a);
	return 0;
}
