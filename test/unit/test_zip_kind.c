/* zip_kind(): each case was seen in clamscan 1.4.6. */
#include "parse/zip.h"
#include "test/t.h"

static uint8_t zip[40000];
static size_t len;

static void put(size_t off, uint32_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zip[off + i] = (uint8_t)(v >> 8 * i);
}

static void start(void)
{
	memset(zip, 'x', sizeof zip);
	len = sizeof zip;
}

static void local(size_t at, const char *name)
{
	memcpy(zip + at, "PK\3\4", 4);
	memcpy(zip + at + 30, name, strlen(name));
}

/* A central directory of one name at 1000, and the end of the file. */
static void central(const char *name)
{
	size_t n = strlen(name);
	memset(zip + 1000, 0, 200);
	put(1000, 0x02014b50, 4);
	put(1028, (uint32_t)n, 2);
	memcpy(zip + 1046, name, n);
	put(1046 + n, 0x06054b50, 4);
	put(1046 + n + 8, 1, 2);
	put(1046 + n + 10, 1, 2);
	put(1046 + n + 12, (uint32_t)(46 + n), 4);
	put(1046 + n + 16, 1000, 4);
	len = 1046 + n + 22;
}

static enum file_type kind(void)
{
	return zip_kind(rd_make(zip, len));
}

static enum file_type second_is(const char *name, size_t at)
{
	start();
	local(0, "a");
	local(at, name);
	return kind();
}

static void names_tell_the_kind(void)
{
	T_EQ(second_is("word/document.xml", 100), FT_OOXML_WORD);
	T_EQ(second_is("xl/workbook.xml", 100), FT_OOXML_XL);
	T_EQ(second_is("ppt/", 100), FT_OOXML_PPT);
	T_EQ(second_is("Contents/content.hpf", 100), FT_OOXML_HWP);
	T_EQ(second_is("Word/document.xml", 100), FT_ZIP);
	T_EQ(second_is("a/word/document.xml", 100), FT_ZIP);
	T_EQ(second_is("word", 100), FT_ZIP);
}

static void how_far_is_looked_depends_on_the_headers(void)
{
	T_EQ(second_is("xl/", 30221), FT_OOXML_XL);
	T_EQ(second_is("xl/", 30222), FT_ZIP);
	second_is("a", 100);
	local(29246, "xl/");
	T_EQ(kind(), FT_OOXML_XL);
	second_is("a", 100);
	local(29247, "xl/");
	T_EQ(kind(), FT_ZIP);
}

static void three_headers_are_looked_at(void)
{
	second_is("a", 100);
	local(200, "xl/");
	T_EQ(kind(), FT_OOXML_XL);
	local(150, "b");
	T_EQ(kind(), FT_ZIP);
}

static void a_hint_leads_to_the_directory(void)
{
	static const char *const hints[] = {"[Content_Types].xml", "docProps/core.xml", "customXml/a"};
	for (size_t i = 0; i < 3; i++) {
		second_is(hints[i], 100);
		local(200, "a");
		central("ppt/a");
		T_EQ(kind(), FT_OOXML_PPT);
		zip[200] = 0; /* two headers are too few */
		T_EQ(kind(), FT_ZIP);
	}
	second_is("_rels/.rels", 100);
	local(200, "a");
	central("ppt/a");
	T_EQ(kind(), FT_ZIP);
}

static void every_truncation_is_a_zip(void)
{
	second_is("[Content_Types].xml", 100);
	local(200, "a");
	central("ppt/a");
	for (size_t n = len; n-- > 0;)
		T_EQ(zip_kind(rd_make(zip, n)), FT_ZIP);
}

int main(void)
{
	T_RUN(names_tell_the_kind);
	T_RUN(how_far_is_looked_depends_on_the_headers);
	T_RUN(three_headers_are_looked_at);
	T_RUN(a_hint_leads_to_the_directory);
	T_RUN(every_truncation_is_a_zip);
	return t_end();
}
