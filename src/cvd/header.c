/* The header: 512 bytes of text, padded with blanks.
 *   ClamAV-VDB:time:version:signatures:level:md5:dsig:builder[:seconds since 1970] */
#include "cvd/inside.h"

#include <string.h>
#include <strings.h>

#define MAGIC "ClamAV-VDB"

static bool numbers(struct piece *rest, struct cvd_header *h)
{
	uint32_t *const to[] = {&h->version, &h->sigs, &h->flevel};
	struct piece f;
	for (size_t i = 0; i < 3; i++)
		if (!piece_cut(rest, ':', &f) || !piece_u32(f, to[i]))
			return false;
	return true;
}

static bool fields(struct piece rest, struct cvd_header *h)
{
	struct piece f;
	if (!piece_cut(&rest, ':', &f) || !piece_text(f, h->time, sizeof h->time) ||
	    !numbers(&rest, h))
		return false;
	if (!piece_cut(&rest, ':', &f) || !piece_text(f, h->md5, sizeof h->md5))
		return false;
	if (!piece_cut(&rest, ':', &f) || !piece_text(f, h->dsig, sizeof h->dsig))
		return false;
	bool more = piece_cut(&rest, ':', &f);
	return piece_text(f, h->builder, sizeof h->builder) && (!more || piece_u64(rest, &h->stime));
}

st_t cvd_header_fields(struct piece line, struct cvd_header *ret, struct err *e)
{
	struct cvd_header h = {0};
	struct piece magic;
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	if (!piece_cut(&line, ':', &magic) || magic.n != sizeof MAGIC - 1 ||
	    memcmp(magic.p, MAGIC, magic.n))
		return fail(e, ST_UNSUPPORTED, 0, "not a signature container");
	if (!fields(line, &h))
		return fail(e, ST_UNSUPPORTED, 0, "header of the container is broken");
	*ret = h;
	return ST_OK;
}

st_t cvd_header_read(const void *p, size_t n, struct cvd_header *ret, struct err *e)
{
	struct rd r = rd_make(p, n);
	const uint8_t *text = rd_take(&r, CVD_HEADER_BYTES);
	if (!text)
		return fail(e, ST_TRUNCATED, n, "no header of a signature container");
	return cvd_header_fields((struct piece){(const char *)text, CVD_HEADER_BYTES}, ret, e);
}

enum cvd_kind cvd_kind_of(const char *name)
{
	static const char *const ext[CVD_KINDS] = {".cvd", ".cld", ".cud"};
	const char *dot = strrchr(name, '.');
	for (enum cvd_kind k = 0; dot && k < CVD_KINDS; k++)
		if (!strcasecmp(dot, ext[k]))
			return k;
	return CVD_KINDS;
}

const char *cvd_scheme_text(enum cvd_scheme s)
{
	static const char *const text[CVD_SCHEMES] = {
	    "not signed",
	    "legacy MD5/RSA-1024: evidence of origin only",
	    ".info SHA-256/RSA-2047",
	    "CMS",
	};
	return text[s];
}
