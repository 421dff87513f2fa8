/* What the names of its members say about a zip: packages of Office (ECMA-376, Part 2) and HWPX.
 * Runs in the scan worker. Rules, found by scanning generated files with clamscan 1.4.6:
 * 1. The names in the first three local headers are looked at, also in headers that stand inside
 *    of a member; how far it looks depends on how many it has passed: each costs it a stretch of
 *    bytes.
 * 2. If none of them gives the kind, but one of the three is a part that such packages have, the
 *    first name in the central directory that does gives it. */
#include "base/num.h"
#include "parse/zip.h"

#include <string.h>

#define STRETCH 975
#define STEPS 32 /* stretches and headers */
#define HEADERS 3
#define LOCAL_SIG "PK\3\4"
#define LOCAL_NAME 30 /* APPNOTE 4.3.7: offset of the name */
#define CENTRAL_SIG 0x02014b50u

static const struct {
	enum file_type type;
	const char *name;
} kinds[] = {
	{FT_OOXML_WORD, "word/"}, {FT_OOXML_XL, "xl/"}, {FT_OOXML_PPT, "ppt/"},
	{FT_OOXML_HWP, "Contents/content.hpf"},
};

static const char *const hints[] = {"[Content_Types].xml", "docProps/", "customXml/"};

/* FT_ZIP if the name says nothing. */
static enum file_type by_name(const struct rd *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (rd_peek(name, kinds[i].name, strlen(kinds[i].name)))
			return kinds[i].type;
	return FT_ZIP;
}

static bool is_hint(const struct rd *name)
{
	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (rd_peek(name, hints[i], strlen(hints[i])))
			return true;
	return false;
}

/* APPNOTE 4.3.12 */
static enum file_type by_directory(const struct rd *in)
{
	struct rd r;
	if (!zip_find_central(in, &r))
		return FT_ZIP;
	while (rd_left(&r) > 0) {
		uint32_t sig = rd_u32le(&r);
		rd_skip(&r, 24);
		uint16_t name_len = rd_u16le(&r);
		uint16_t extra = rd_u16le(&r);
		uint16_t comment = rd_u16le(&r);
		rd_skip(&r, 12);
		struct rd name = rd_sub(&r, name_len);
		rd_skip(&r, extra);
		rd_skip(&r, comment);
		if (r.bad || sig != CENTRAL_SIG)
			return FT_ZIP;
		enum file_type t = by_name(&name);
		if (t != FT_ZIP)
			return t;
	}
	return FT_ZIP;
}

enum file_type zip_kind(struct rd in)
{
	bool hint = false;
	size_t headers = 0;
	for (size_t at = 0; at < in.len && (at + 3) / STRETCH + headers < STEPS; at++) {
		struct rd r = rd_at(&in, at, in.len - at);
		if (!rd_peek(&r, LOCAL_SIG, 4))
			continue;
		rd_skip(&r, num_min_size(LOCAL_NAME, rd_left(&r)));
		enum file_type t = by_name(&r);
		if (t != FT_ZIP)
			return t;
		hint |= is_hint(&r);
		if (++headers == HEADERS)
			return hint ? by_directory(&in) : FT_ZIP;
	}
	return FT_ZIP;
}
