#include "attest/base64.h"

#define BAD 255u

struct decoder {
	bool standard, url; /* characters of that alphabet alone were seen */
};

static unsigned value(struct decoder *d, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26u;
	if (c >= '0' && c <= '9')
		return c - '0' + 52u;
	d->standard = d->standard || c == '+' || c == '/';
	d->url = d->url || c == '-' || c == '_';
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : BAD;
}

/* Padding characters at the end: 0 to 2. */
static unsigned padding(struct rd in)
{
	unsigned pad = 0;
	while (pad < 2 && rd_byte(&in, in.len - 1 - pad) == '=')
		pad++;
	return pad;
}

/* Four characters, the last `pad` of which are padding. */
static bool group(struct decoder *d, struct rd *in, unsigned pad, struct buf *out)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t c = rd_u8(in);
		unsigned v = i < 4 - pad ? value(d, c) : 0;
		if (v == BAD)
			return false;
		bits = bits << 6 | v;
	}
	if (bits & ((1u << pad * 8) - 1))
		return false;
	for (unsigned i = 0; i < 3 - pad; i++)
		buf_u8(out, (uint8_t)(bits >> (16 - 8 * i)));
	return true;
}

bool attest_base64(struct rd in, struct buf *out)
{
	struct rd whole = rd_at(&in, in.pos, rd_left(&in));
	struct decoder d = {0};
	size_t was = out->len;
	bool fine = whole.len % 4 == 0;
	unsigned pad = fine && whole.len ? padding(whole) : 0;
	while (fine && rd_left(&whole) > 0)
		fine = group(&d, &whole, rd_left(&whole) == 4 ? pad : 0, out);
	if (fine && !(d.standard && d.url))
		return true;
	out->len = was;
	return false;
}
