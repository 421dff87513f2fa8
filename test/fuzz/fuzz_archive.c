/* Containers through the format interface: everything is opened and read, within bounds. */
#include "parse/format.h"

/* So that one input costs milliseconds: a bomb is for scan/ and its limits. */
#define MEMBERS_MAX 64
#define BYTES_MAX ((size_t)1 << 20)

static uint8_t out[65536];

static st_t read_members(const struct format *f, struct format_ctx *c)
{
	size_t total = 0;
	for (int i = 0; i < MEMBERS_MAX && total < BYTES_MAX; i++) {
		struct member m;
		bool end;
		size_t n = 1;
		struct err e = {0};
		TRY(f->next(c, &m, &end, &e));
		if (end)
			return ST_OK;
		while (n > 0 && total < BYTES_MAX && f->read(c, out, sizeof out, &n, &e) == ST_OK)
			total += n;
	}
	return ST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_make(data, size);
	struct format_ctx *c;
	struct err e = {0};
	/* What begins with a tag is taken for HTML: its data: URLs are children. */
	enum file_type type = size > 0 && data[0] == '<' ? FT_HTML : FT_BINARY_DATA;
	const struct format *f = format_for(type, in);
	if (!f || f->open(in, type, &c, &e) != ST_OK)
		return 0;
	(void)read_members(f, c);
	f->close(c);
	return 0;
}
