/* filetype_detect(): each case was seen in clamscan 1.4.6. */
#include "parse/filetype.h"
#include "test/t.h"

static enum file_type detect(const void *s, size_t n)
{
	return filetype_detect(rd_make(s, n), n);
}

#define IS(type, s) T_STR(filetype_name(detect(s, sizeof(s) - 1)), filetype_name(type))

static void magics_give_the_type(void)
{
	IS(FT_MSEXE, "MZ\x90\0\3\0\0\0");
	IS(FT_ELF, "\x7f" "ELF\2\1\1\0");
	IS(FT_ZIP, "PK\3\4\x14\0\0\0");
	IS(FT_ZIP, "PK00PK\3\4");
	IS(FT_PDF, "%PDF-1.4\n");
	IS(FT_MSOLE2, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
	IS(FT_MACHO, "\xcf\xfa\xed\xfe\7\0\0\1");
	IS(FT_LHA_LZH, "\x20\x20-lh5-12");
	IS(FT_PYTHON_COMPILED, "\xa7\r\r\n\0\0\0\0");
	IS(FT_IGNORED, "SQLite format 3\0");
	IS(FT_BINARY_DATA, "MSCF\0\0\0\1");
	IS(FT_BINARY_DATA, "\0\0\0\0\0\0\0\0");
}

static void a_count_tells_universal_binaries_from_java(void)
{
	IS(FT_MACHO_UNIBIN, "\xca\xfe\xba\xbe\0\0\0\x1f");
	IS(FT_JAVA, "\xca\xfe\xba\xbe\0\0\0\x20");
	IS(FT_JAVA, "\xca\xfe\xba\xbe\0\0\0\x3f");
	IS(FT_BINARY_DATA, "\xca\xfe\xba\xbe\0\0\0\x40");
}

static void a_tag_in_the_first_kilobyte_makes_html(void)
{
	static char s[3000];
	memset(s, 'x', sizeof s);
	memcpy(s + 1018, "<HTML>", 6);
	T_EQ(detect(s, sizeof s), FT_HTML);
	memset(s, 'x', sizeof s);
	memcpy(s + 1019, "<html>", 6);
	T_EQ(detect(s, sizeof s), FT_TEXT_ASCII);
	IS(FT_HTML, "\1\2\3<iframe src");
	IS(FT_TEXT_ASCII, "<body><p>text</p>");
	IS(FT_HTML_UTF16, "<\0h\0t\0m\0l\0>\0");
}

static void mail_headers_stand_at_the_start(void)
{
	IS(FT_MAIL, "Received: by x");
	IS(FT_TEXT_ASCII, "X: y\nReceived: by x");
	IS(FT_TEXT_ASCII, "MIME-Version: 1.0\n");
}

static void text_has_no_control_characters(void)
{
	static const char controls[] = "\7\b\t\n\f\r\x1b";
	for (int c = 1; c < 256; c++) {
		char s[] = "some text";
		s[4] = (char)c;
		bool text = (c >= 32 && c != 127) || strchr(controls, c);
		T_EQ(detect(s, 9) == FT_TEXT_ASCII, text);
	}
}

static void only_the_first_kilobyte_decides_on_text(void)
{
	static char s[2000];
	memset(s, 'x', sizeof s);
	s[1024] = 0;
	T_EQ(detect(s, sizeof s), FT_TEXT_ASCII);
	s[1023] = 0;
	T_EQ(detect(s, sizeof s), FT_TEXT_UTF16BE);
}

static void utf16_needs_a_mark_only_if_little_endian(void)
{
	IS(FT_TEXT_UTF16LE, "\xff\xfe" "a\0b\0");
	IS(FT_TEXT_UTF16BE, "a\0b\0c\0");
	IS(FT_TEXT_UTF16BE, "\0a\0b\0c");
	IS(FT_BINARY_DATA, "\0a\0\1\0c");
	IS(FT_TEXT_UTF16BE, "\0\1\x90\x91\x90\x91");
	IS(FT_BINARY_DATA, "\x90\x91\0\1\x90\x91");
}

static void places_further_in(void)
{
	static uint8_t s[40000];
	memcpy(s + 257, "ustar", 5);
	T_EQ(detect(s, sizeof s), FT_POSIX_TAR);
	memset(s, 0, sizeof s);
	memcpy(s + 32769, "CD001", 5);
	T_EQ(detect(s, sizeof s), FT_ISO9660);
	s[32769] = 0;
	s[510] = 0x55;
	s[511] = 0xaa;
	T_EQ(detect(s, sizeof s), FT_MBR);
}

static void names_and_targets_agree_with_the_table(void)
{
	for (int t = 0; t < FILETYPES; t++)
		T_EQ(filetype_by_name(filetype_name((enum file_type)t)), t);
	T_EQ(filetype_by_name("CL_TYPE_NONE"), FILETYPES);
	T_EQ(filetype_target(FT_MSEXE), 1);
	T_EQ(filetype_target(FT_MACHO_UNIBIN), 9);
	T_EQ(filetype_target(FT_BINARY_DATA), 14);
}

static void every_short_input_has_a_type(void)
{
	T_EQ(detect("", 0), FT_BINARY_DATA);
	T_EQ(detect("a", 1), FT_TEXT_ASCII);
}

int main(void)
{
	T_RUN(magics_give_the_type);
	T_RUN(a_count_tells_universal_binaries_from_java);
	T_RUN(a_tag_in_the_first_kilobyte_makes_html);
	T_RUN(mail_headers_stand_at_the_start);
	T_RUN(text_has_no_control_characters);
	T_RUN(only_the_first_kilobyte_decides_on_text);
	T_RUN(utf16_needs_a_mark_only_if_little_endian);
	T_RUN(places_further_in);
	T_RUN(names_and_targets_agree_with_the_table);
	T_RUN(every_short_input_has_a_type);
	return t_end();
}
