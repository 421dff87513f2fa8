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
	IS(FT_PYTHON_COMPILED, "\x3f\r\r\n\0\0\0\0");
	IS(FT_PYTHON_COMPILED, "\x16\r\r\n<html>");
	IS(FT_PYTHON_COMPILED, "a\r\r\nsome text");
	IS(FT_PYTHON_COMPILED, "a\r\r\n%PDF-1.4");
	IS(FT_PYTHON_COMPILED, "a\r\r\n<\0h\0t\0m\0l\0>\0");
	IS(FT_HTML, "a\r\r\n<html>");
	IS(FT_BINARY_DATA, "a\x0c\r\n\0\0\0\0\0");
	IS(FT_IGNORED, "SQLite format 3\0");
	IS(FT_BINARY_DATA, "MSCF\0\0\0\1");
	IS(FT_PS, "%!PS-Adobe-3.0");
	IS(FT_TEXT_ASCII, "%!PS\n%%Title");
	IS(FT_RTF, "{\\rtx");
	IS(FT_TIFF, "MMxxxx");
	IS(FT_GIF, "GIF xxx");
	IS(FT_BINARY_DATA, "\0\0\0\0\0\0\0\0");
}

static void a_count_tells_universal_binaries_from_java(void)
{
	IS(FT_MACHO_UNIBIN, "\xca\xfe\xba\xbe\0\0\0\x1f");
	IS(FT_JAVA, "\xca\xfe\xba\xbe\0\0\0\x20");
	IS(FT_JAVA, "\xca\xfe\xba\xbe\0\0\0\x3f");
	IS(FT_BINARY_DATA, "\xca\xfe\xba\xbe\0\0\0\x40");
}

#define FAT "\xca\xfe\xba\xbe\0\0\0\2"
#define CLASS "\xca\xfe\xba\xbe\0\0\0\x34"
#define LHA "  -lh5-"

static void content_outranks_java_lha_and_universal_binaries(void)
{
	IS(FT_HTML, FAT " <html>");
	IS(FT_HTML, CLASS " <Script");
	IS(FT_HTML, LHA " <a href");
	IS(FT_XDP, FAT "<xdp:xdp");
	IS(FT_XDP, CLASS "<xdp:xdp");
	IS(FT_MHTML, LHA "\nMIME-Version: 1\nContent-Type: x");
	IS(FT_HTML, CLASS "%PDF-1.4 <html>");
	/* PDF stands between them */
	IS(FT_PDF, FAT " %PDF-1.4");
	IS(FT_JAVA, CLASS " %PDF-1.4");
	IS(FT_LHA_LZH, LHA " %PDF-1.4");
	/* where something was found, UTF-16 is not tried */
	IS(FT_MACHO_UNIBIN, FAT "<\0h\0t\0m\0l\0>\0");
	IS(FT_JAVA, CLASS "<\0h\0t\0m\0l\0>\0");
	IS(FT_LHA_LZH, LHA " <\0h\0t\0m\0l\0>\0");
}

static void starting_with(char *s, size_t n, const char *start, size_t len)
{
	memset(s, 1, n);
	memcpy(s, start, len);
}

static void fixed_places_outrank_java_lha_and_universal_binaries(void)
{
	static const char *const starts[] = {FAT, CLASS, LHA " "};
	static const enum file_type types[] = {FT_MACHO_UNIBIN, FT_JAVA, FT_LHA_LZH};
	static char s[40000];
	for (size_t i = 0; i < 3; i++) {
		starting_with(s, sizeof s, starts[i], 8);
		memcpy(s + 1018, "<HTML>", 6);
		T_EQ(detect(s, sizeof s), FT_HTML);
		memcpy(s + 257, "ustar", 5);
		T_EQ(detect(s, sizeof s), FT_POSIX_TAR);
		starting_with(s, sizeof s, starts[i], 8);
		memcpy(s + 1019, "<HTML>", 6);
		memcpy(s + 32769, "CD001", 5);
		T_EQ(detect(s, sizeof s), types[i]);
		memcpy(s + 510, "\x55\xaa", 2);
		T_EQ(detect(s, sizeof s), FT_MBR);
		memcpy(s + 512, "EFI PART", 8);
		T_EQ(detect(s, sizeof s), FT_GPT);
	}
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
}

static void tags_are_lower_or_upper_case_or_some_have_a_capital(void)
{
	IS(FT_HTML, "x <script");
	IS(FT_HTML, "x <SCRIPT");
	IS(FT_HTML, "x <Script");
	IS(FT_TEXT_ASCII, "x <scRipt");
	IS(FT_TEXT_ASCII, "x <SCRIPt");
	IS(FT_HTML, "x <IFRAMEx");
	IS(FT_TEXT_ASCII, "x <Iframe");
	IS(FT_TEXT_ASCII, "x <Table>");
	IS(FT_TEXT_ASCII, "x </html>");
	IS(FT_TEXT_ASCII, "x <html ");
}

static void a_link_has_its_href_anywhere_behind(void)
{
	IS(FT_HTML, "x <a href");
	IS(FT_HTML, "x <A name='y'>\n<p> HRef");
	IS(FT_HTML, "x <a noHREF");
	IS(FT_TEXT_ASCII, "x <a hrEf");
	IS(FT_TEXT_ASCII, "x <a\thref");
	IS(FT_TEXT_ASCII, "href <a ");
}

static void tags_in_utf16_stand_at_even_places(void)
{
	IS(FT_HTML_UTF16, "<\0h\0t\0m\0l\0>\0");
	IS(FT_HTML_UTF16, "\xff\xfe<\0I\0m\0g\0");
	IS(FT_HTML_UTF16, "\0\1\0\2<\0h\0t\0m\0l\0>\0");
	IS(FT_TEXT_UTF16BE, "abcdefg<\0h\0t\0m\0l\0>\0");
	IS(FT_HTML, "<\0h\0t\0m\0l\0>\0<html>");
	/* low + 16 high */
	IS(FT_HTML_UTF16, "\x2c\1\x58\1\x64\1\x5d\1\x5c\1\x2e\1");
	/* with a mark big-endian, and then without a name of its own */
	IS(FT_HTML, "\xfe\xff\0<\0h\0t\0m\0l\0>");
	IS(FT_HTML, "\xfe\xff\0\1\0<\0h\0t\0m\0l\0>");
	IS(FT_TEXT_UTF16BE, "\xfe\xff\0\0\0<\0h\0t\0m\0l\0>");
	IS(FT_HTML_UTF16, "\xfe\xff<\0h\0t\0m\0l\0>\0");
	IS(FT_TEXT_UTF16BE, "\0<\0h\0t\0m\0l\0>");
	/* other content takes the place of HTML, there too, but makes no type */
	IS(FT_TEXT_UTF16LE, "\xff\xfe<\0x\0d\0p\0:\0x\0d\0p\0<\0i\0m\0g\0");
}

#define XML "<?xml version=\"1.0\"?>"
#define MIME "MIME-Version: 1\nContent-Type: x"

static void documents_in_xml(void)
{
	IS(FT_XML_XL, XML "<Workbook");
	IS(FT_XML_XL, XML "xxx <y:Workbook");
	IS(FT_TEXT_ASCII, XML "<ss:Workbook");
	IS(FT_TEXT_ASCII, " " XML "<Workbook");
	IS(FT_XML_WORD, XML "<w:wordDocument");
	IS(FT_XML_WORD, XML "<?mso-application progid=\"Word.Document\"?>");
	IS(FT_XML_HWP, "\xef\xbb\xbf" XML "<HWPML");
	IS(FT_TEXT_ASCII, XML "<HWPML");
	IS(FT_XDP, "x <xdp:xdp");
}

static void a_mime_version_before_a_content_type_is_a_web_archive(void)
{
	IS(FT_MHTML, MIME);
	IS(FT_MHTML, "x\nmime-version: 1\r\ny\r\ncontent-type: x");
	IS(FT_MHTML, "MIME-Version: \nContent-Type: x");
	IS(FT_TEXT_ASCII, "xMIME-Version: 1\nContent-Type: x");
	IS(FT_TEXT_ASCII, "Content-Type: x\nMIME-Version: 1\n");
	IS(FT_TEXT_ASCII, "MIME-VERSION: 1\nContent-Type: x");
}

static void of_several_contents_one_decides(void)
{
	IS(FT_HTML, "x %PDF-1.4 <html>");
	IS(FT_HTML, "x <html> %PDF-1.4");
	IS(FT_XDP, "x <xdp:xdp <html>");
	IS(FT_XDP, "x <html> <xdp:xdp");
	IS(FT_XDP, MIME " <xdp:xdp");
	IS(FT_MHTML, "<xdp:xdp\n" MIME);
	IS(FT_PDF, "x %PDF-1.4  <\0h\0t\0m\0l\0>\0");
	IS(FT_PDF, "x %pdf-\1.");
	IS(FT_TEXT_ASCII, "x %PDF-14.");
}

static void mail_headers_stand_at_the_start(void)
{
	IS(FT_MAIL, "Received: by x");
	IS(FT_TEXT_ASCII, "X: y\nReceived: by x");
	IS(FT_TEXT_ASCII, "MIME-Version: 1.0\n");
	IS(FT_TEXT_ASCII, "From:x");
	IS(FT_MAIL, "Envelope-to: x");
	IS(FT_MAIL, "X-EVSx");
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
	IS(FT_TEXT_UTF16BE, "\0\1\xff""abc X;Y");
}

static void a_mark_allows_control_characters_in_utf16(void)
{
	IS(FT_TEXT_UTF16LE, "\xff\xfe\1\0\0\0x");
	IS(FT_TEXT_UTF16BE, "\xfe\xff\0\0\0\1");
	IS(FT_BINARY_DATA, "\0a\0\0\0\1");
	/* but not U+FFFE */
	IS(FT_BINARY_DATA, "\xff\xfe" "a\0\xfe\xff");
	IS(FT_BINARY_DATA, "\xfe\xff\0a\xff\xfe");
	IS(FT_BINARY_DATA, "\0a\0b\xff\xfe");
	IS(FT_TEXT_UTF16BE, "\0a\0b\xff\xff");
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
	memset(s, 'x', 510);
	T_EQ(detect(s, sizeof s), FT_MBR);
	memcpy(s + 20, "%PDF-1.4", 8);
	T_EQ(detect(s, sizeof s), FT_MBR);
	memcpy(s + 600, "<html>", 6);
	T_EQ(detect(s, sizeof s), FT_HTML);
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
	T_RUN(content_outranks_java_lha_and_universal_binaries);
	T_RUN(fixed_places_outrank_java_lha_and_universal_binaries);
	T_RUN(a_tag_in_the_first_kilobyte_makes_html);
	T_RUN(tags_are_lower_or_upper_case_or_some_have_a_capital);
	T_RUN(a_link_has_its_href_anywhere_behind);
	T_RUN(tags_in_utf16_stand_at_even_places);
	T_RUN(documents_in_xml);
	T_RUN(a_mime_version_before_a_content_type_is_a_web_archive);
	T_RUN(of_several_contents_one_decides);
	T_RUN(mail_headers_stand_at_the_start);
	T_RUN(text_has_no_control_characters);
	T_RUN(only_the_first_kilobyte_decides_on_text);
	T_RUN(utf16_needs_a_mark_only_if_little_endian);
	T_RUN(a_mark_allows_control_characters_in_utf16);
	T_RUN(places_further_in);
	T_RUN(names_and_targets_agree_with_the_table);
	T_RUN(every_short_input_has_a_type);
	return t_end();
}
