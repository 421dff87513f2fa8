/* File types from the first bytes of an object. Runs in the scan worker, for every object.
 *
 * Order, as found by scanning generated files with clamscan 1.4.6:
 *   0. magics at fixed places that the database defines (.ftm); clamscan forgets all others then,
 *      we do not: a definition too few must not make files clean that were looked into before;
 *   1. a magic at offset 0 (table below), or at a fixed place further in (tar, disk images);
 *      then body content that the database defines;
 *   2. content of the first kilobyte, in whatever surroundings: XML documents and mail before HTML,
 *      HTML before a boot record, that before Java classes and LHA archives, those before PDF, that
 *      before universal binaries; if none, HTML in the same kilobyte as UTF-16;
 *   3. text: the first kilobyte has no control characters;
 *   4. UTF-16 if it decodes to text (anything without many zeros does), else binary data. */
#include "parse/filetype.h"

#include "base/num.h"

#include <string.h>

#define HEAD_LOOK 1024 /* clamscan looks for tags and text in the first kilobyte only */
#define MAGIC_MAX 45
#define TAR_MAGIC_OFF 257
#define SECTOR 512
#define ISO_MAGIC_OFF 32769
#define FAT_ARCHS_MAX 0x20  /* a universal binary of more parts is taken for a Java class … */
#define JAVA_MAJOR_MAX 0x40 /* … of a version below this */

struct magic {
	enum file_type type;
	uint8_t len;
	uint8_t bytes[MAGIC_MAX];
};

#define M(type, s) {type, sizeof(s) - 1, s}

static const struct magic magics[] = {
	M(FT_JPEG, "\xff\xd8\xff"), M(FT_IGNORED, "\xff\xfb\x90"), M(FT_MACHO, "\xfe\xed\xfa\xce"),
	M(FT_MACHO, "\xfe\xed\xfa\xcf"), M(FT_MACHO, "\xce\xfa\xed\xfe"),
	M(FT_MACHO, "\xcf\xfa\xed\xfe"), M(FT_XZ, "\xfd""7zXZ\0"),
	M(FT_MSOLE2, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), M(FT_CPIO_OLD, "\xc7\x71"),
	M(FT_CPIO_OLD, "\x71\xc7"), M(FT_PNG, "\x89PNG"), M(FT_ELF, "\x7f""ELF"),
	M(FT_TNEF, "\x78\x9f\x3e\x22"), M(FT_ARJ, "\x60\xea"), M(FT_ZSTD, "\x28\xb5\x2f\xfd"),
	M(FT_GZ, "\x1f\x8b"), M(FT_GRAPHICS, "\0\0\0\x0cjP  \r\n\x87\n"),
	M(FT_LNK, "L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0F"),
	M(FT_ONENOTE, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
	M(FT_MSEXE, "MZ"), M(FT_ZIP, "PK\3\4"), M(FT_ZIP, "PK00PK\3\4"), M(FT_RAR, "Rar!"),
	M(FT_7Z, "7z\xbc\xaf\x27\x1c"), M(FT_BZ, "BZh"), M(FT_GRAPHICS, "BM"),
	M(FT_MSCAB, "MSCF\0\0\0\0"), M(FT_ALZ, "ALZ\1"), M(FT_EGG, "EGGA"), M(FT_XAR, "xar!"),
	M(FT_MSCHM, "ITSF"), M(FT_MSSZDD, "SZDD"), M(FT_CPIO_NEWC, "070701"),
	M(FT_CPIO_CRC, "070702"), M(FT_CPIO_ODC, "070707"), M(FT_PDF, "%PDF-"), M(FT_RTF, "{\\rt"),
	M(FT_GIF, "GIF"), M(FT_TIFF, "II*\0"), M(FT_TIFF, "MM"), M(FT_RIFF, "RIFF"),
	M(FT_RIFF, "RIFX"), M(FT_IGNORED, "OggS"), M(FT_IGNORED, "ID3"), M(FT_IGNORED, ".RMF"),
	M(FT_IGNORED, "SQLite format 3\0"), M(FT_SWF, "FWS"), M(FT_SWF, "CWS"), M(FT_SWF, "ZWS"),
	M(FT_BINHEX, "(This file must be converted with BinHex 4.0)"), M(FT_SCRENC, "#@~^"),
	M(FT_UUENCODED, "begin "), M(FT_HWP3, "HWP Document File V3.00 \x1a\1\2\3\4\5"),
	M(FT_PS, "%!PS-Adobe-"), M(FT_MAIL, "From "), M(FT_MAIL, ">From "), M(FT_MAIL, "From: "),
	M(FT_MAIL, "Received: "), M(FT_MAIL, "Return-Path: "), M(FT_MAIL, "Return-path: "),
	M(FT_MAIL, "Delivered-To: "), M(FT_MAIL, "Date: "), M(FT_MAIL, "Subject: "),
	M(FT_MAIL, "Message-ID: "), M(FT_MAIL, "Message-Id: "), M(FT_MAIL, "To: "),
	M(FT_MAIL, "X-UIDL: "), M(FT_MAIL, "X-Apparently-To: "), M(FT_MAIL, "X-Envelope-From: "),
	M(FT_MAIL, "X-Original-To: "), M(FT_MAIL, "X-Symantec-"), M(FT_MAIL, "X-EVS"),
	M(FT_MAIL, "X-Real-To: "), M(FT_MAIL, "X-Sieve: "), M(FT_MAIL, "Envelope-to: "),
	M(FT_MAIL, "Delivery-date: "), M(FT_MAIL, "Received-SPF: "), M(FT_MAIL, "For: "),
};

/* Content that decides on the type wherever it stands in the first kilobyte. Of several the one
 * of the highest rank decides, of equals the last one. */
enum rank {
	RANK_NONE,
	RANK_UNIBIN,
	RANK_PDF,
	RANK_START, /* Java classes, LHA archives, newer versions of Python */
	RANK_MBR,
	RANK_HTML,
	RANK_DOCUMENT
};

/* What follows '<' in tags that make HTML: in lower case, in upper case, some with a capital. */
struct tag {
	const char *name;
	bool capital;
};

static const struct tag tags[] = {
	{"html>", true}, {"head>", true}, {"script", true}, {"img", true}, {"object", true},
	{"iframe", false}, {"table", false},
};

/* What makes a document of a file that begins with XML_DECLARATION. */
#define XML_DECLARATION "<?xml version=\"1.0\""
#define UTF8_MARK "\xef\xbb\xbf"

struct xml_part {
	enum file_type type;
	const char *s; /* '?' behind '<' is any one byte */
};

static const struct xml_part xml_parts[] = {
	{FT_XML_XL, "<Workbook"}, {FT_XML_XL, "<?:Workbook"}, {FT_XML_WORD, "<wordDocument"},
	{FT_XML_WORD, "<?:wordDocument"}, {FT_XML_WORD, "progid=\"Word.Document\"?>"},
};

static bool has_at(const struct rd *r, uint64_t off, const char *s, size_t n)
{
	struct rd at = rd_at(r, off, n);
	return rd_peek(&at, s, n);
}

static enum file_type by_magic(const struct rd *r)
{
	for (size_t i = 0; r->len > 0 && i < ARRAY_LEN(magics); i++)
		if (rd_byte(r, 0) == magics[i].bytes[0] && rd_peek(r, magics[i].bytes, magics[i].len))
			return magics[i].type;
	return FILETYPES;
}

/* Universal binaries and Java classes begin alike: what follows is a count or a version. */
static enum file_type by_cafebabe(struct rd r)
{
	uint32_t magic = rd_u32be(&r);
	uint32_t n = rd_u32be(&r);
	if (r.bad || magic != 0xcafebabe || n >= JAVA_MAJOR_MAX)
		return FILETYPES;
	return n < FAT_ARCHS_MAX ? FT_MACHO_UNIBIN : FT_JAVA;
}

/* The numbers of Python versions that clamscan knows (all 65,536 tried). */
static const uint16_t pyc_numbers[] = {
	256, 336, 3000, 3010, 3020, 3030, 3040, 3050, 3060, 3061, 3071, 3081, 3091, 3101, 3103,
	3111, 3131, 3141, 3151, 3160, 3170, 3180, 3190, 3200, 3210, 3220, 3230, 3250, 3260, 3270,
	3280, 3290, 3300, 3310, 3320, 3330, 3340, 3350, 3351, 3360, 3361, 3370, 3371, 3372, 3373,
	3375, 3376, 3377, 3378, 3379, 3390, 3391, 3568, 5892, 11913, 20121, 50428, 50429, 50823,
	50824, 60202, 60203, 60717, 60718, 62011, 62012, 62021, 62041, 62051, 62061, 62062, 62071,
	62081, 62091, 62092, 62101, 62111, 62121, 62131, 62132, 62151, 62161, 62162, 62171, 62181,
	62191, 62201, 62211, 62212, 62218,
};

static bool is_pyc(struct rd r)
{
	uint16_t number = rd_u16le(&r);
	if (!rd_peek(&r, "\r\n", 2))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pyc_numbers); i++)
		if (number == pyc_numbers[i])
			return true;
	return false;
}

static bool is_lha(const struct rd *r)
{
	return (has_at(r, 2, "-lh", 3) || has_at(r, 2, "-lz", 3) || has_at(r, 2, "-pm", 3)) &&
	       has_at(r, 6, "-", 1);
}

/* What the first bytes tell as long as no other content does. */
static enum file_type by_start(const struct rd *r)
{
	if (is_lha(r))
		return FT_LHA_LZH;
	if (has_at(r, 1, "\r\r\n", 3)) /* newer versions, by the second byte of their numbers */
		return FT_PYTHON_COMPILED;
	return by_cafebabe(*r);
}

/* Types told by bytes further in. */
static enum file_type by_place(const struct rd *r)
{
	if (is_pyc(*r))
		return FT_PYTHON_COMPILED;
	if (has_at(r, TAR_MAGIC_OFF, "ustar", 5))
		return FT_POSIX_TAR;
	if (has_at(r, SECTOR, "EFI PART", 8))
		return FT_GPT;
	if (has_at(r, 0, "ER", 2) && has_at(r, SECTOR, "PM", 2))
		return FT_APM;
	if (has_at(r, ISO_MAGIC_OFF, "CD001", 5) && by_start(r) == FILETYPES)
		return FT_ISO9660;
	return FILETYPES;
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

/* True if `s` stands at `off` as it is, its first `nupper` letters in upper case. */
static bool spelled(const struct rd *r, size_t off, const char *s, size_t nupper)
{
	for (size_t i = 0; s[i]; i++) {
		uint8_t c = i < nupper ? upper((uint8_t)s[i]) : (uint8_t)s[i];
		if (off + i >= r->len || rd_byte(r, off + i) != c)
			return false;
	}
	return true;
}

/* True if `s` stands at `off`, the letters that are upper case in it in any case. */
static bool mixed(const struct rd *r, size_t off, const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		uint8_t c = off + i < r->len ? rd_byte(r, off + i) : 0;
		if (c != (uint8_t)s[i] && (upper(c) != (uint8_t)s[i] || upper(c) == c))
			return false;
	}
	return true;
}

static bool has_tag(const struct rd *r, size_t off)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (spelled(r, off, tags[i].name, 0) || spelled(r, off, tags[i].name, SIZE_MAX) ||
		    (tags[i].capital && spelled(r, off, tags[i].name, 1)))
			return true;
	return false;
}

/* What was seen of the content so far. */
struct content {
	enum file_type type;
	enum rank rank;
	bool xml, hwpml; /* the start of such a document */
	bool link;       /* "<a " */
	bool mime;       /* "MIME-Version: " at the start of a line */
};

static void found(struct content *c, enum file_type type, enum rank rank)
{
	if (rank < c->rank)
		return;
	c->type = type;
	c->rank = rank;
}

static bool has_xml_part(const struct rd *r, size_t off, const char *s)
{
	if (s[1] != '?')
		return spelled(r, off, s, 0);
	return rd_byte(r, off) == '<' && spelled(r, off + 2, s + 2, 0);
}

static void see_xml_part(struct content *c, const struct rd *r, size_t i)
{
	for (size_t k = 0; c->xml && k < ARRAY_LEN(xml_parts); k++)
		if (has_xml_part(r, i, xml_parts[k].s))
			found(c, xml_parts[k].type, RANK_DOCUMENT);
}

static void see_tag(struct content *c, const struct rd *r, size_t i)
{
	see_xml_part(c, r, i);
	if (c->hwpml && spelled(r, i, "<HWPML", 0))
		found(c, FT_XML_HWP, RANK_DOCUMENT);
	if (spelled(r, i, "<xdp:xdp", 0))
		found(c, FT_XDP, RANK_DOCUMENT);
	if (has_tag(r, i + 1))
		found(c, FT_HTML, RANK_HTML);
	c->link |= mixed(r, i, "<A ");
}

/* "ef" is in one case: "hRef", but not "hrEf". */
static void see_link(struct content *c, const struct rd *r, size_t i)
{
	if (c->link && mixed(r, i, "HR") &&
	    (spelled(r, i + 2, "ef", 0) || spelled(r, i + 2, "EF", 0)))
		found(c, FT_HTML, RANK_HTML);
}

/* A line begins at i. */
static void see_line(struct content *c, const struct rd *r, size_t i)
{
	if (c->mime && mixed(r, i, "Content-Type: "))
		found(c, FT_MHTML, RANK_DOCUMENT);
	c->mime |= mixed(r, i, "MIME-Version: ");
}

static void see_pdf(struct content *c, const struct rd *r, size_t i)
{
	if ((spelled(r, i, "%PDF-", 0) || spelled(r, i, "%pdf-", 0)) && spelled(r, i + 6, ".", 0))
		found(c, FT_PDF, RANK_PDF);
}

static void see(struct content *c, const struct rd *r, size_t i)
{
	switch (rd_byte(r, i)) {
	case '<':
		see_tag(c, r, i);
		break;
	case 'h':
	case 'H':
		see_link(c, r, i);
		break;
	case 'p':
		see_xml_part(c, r, i);
		break;
	case '\n':
		see_line(c, r, i + 1);
		break;
	case '%':
		see_pdf(c, r, i);
		break;
	default:
		break;
	}
}

static enum file_type by_content(const struct rd *r)
{
	struct content c = {.type = FILETYPES};
	c.xml = spelled(r, 0, XML_DECLARATION, 0);
	c.hwpml = spelled(r, 0, UTF8_MARK XML_DECLARATION, 0);
	c.mime = mixed(r, 0, "MIME-Version: ");
	enum file_type start = by_start(r);
	if (start != FILETYPES)
		found(&c, start, start == FT_MACHO_UNIBIN ? RANK_UNIBIN : RANK_START);
	if (has_at(r, SECTOR - 2, "\x55\xaa", 2))
		found(&c, FT_MBR, RANK_MBR);
	for (size_t i = 0; i < r->len; i++)
		see(&c, r, i);
	return c.type;
}

/* Is there an attribute "href" at or behind `from`? */
static bool has_link(const struct rd *r, size_t from)
{
	struct content c = {.type = FILETYPES, .link = true};
	for (size_t i = from; i < r->len && c.type == FILETYPES; i++)
		if ((rd_byte(r, i) | 0x20) == 'h')
			see_link(&c, r, i);
	return c.type == FT_HTML;
}

bool filetype_has_late_tags(struct rd text)
{
	size_t link = SIZE_MAX, next;
	for (size_t at = 0; at < text.len; at = next + 1) {
		struct rd rest = rd_at(&text, at, text.len - at);
		const uint8_t *p = memchr(rest.base, '<', rest.len);
		if (!p)
			break;
		next = at + (size_t)(p - rest.base);
		if (has_tag(&text, next + 1))
			return true;
		if (link == SIZE_MAX && mixed(&text, next, "<A "))
			link = next;
	}
	return link != SIZE_MAX && has_link(&text, link);
}

/* True if the bytes are HTML when pairs of them are taken for characters. clamscan makes one byte
 * of each, low + 16 high, so that also other pairs than "<\0" give a '<'. */
static bool is_wide_html(const struct rd *r, bool big)
{
	uint8_t narrow[HEAD_LOOK / 2];
	size_t n = num_min_size(r->len / 2, sizeof narrow);
	for (size_t i = 0; i < n; i++) {
		uint8_t first = rd_byte(r, 2 * i), second = rd_byte(r, 2 * i + 1);
		narrow[i] = (uint8_t)(big ? second + 16 * first : first + 16 * second);
	}
	struct rd decoded = rd_make(narrow, n);
	return by_content(&decoded) == FT_HTML;
}

/* A zero behind the mark makes it one of other encodings to clamscan. */
static bool has_big_mark(const struct rd *r)
{
	return rd_peek(r, "\xfe\xff", 2) && !rd_peek(r, "\xfe\xff\0\0", 4);
}

/* HTML in UTF-16BE with a mark is given on as it is: no HTML_UTF16, which is little-endian. */
static enum file_type by_wide_content(const struct rd *r)
{
	if (is_wide_html(r, false))
		return FT_HTML_UTF16;
	return has_big_mark(r) && is_wide_html(r, true) ? FT_HTML : FILETYPES;
}

/* Control characters that text may have: bell to tab, line and page feeds, return, escape. */
static bool is_text_byte(uint8_t c)
{
	return ((c >= 0x20) & (c != 0x7f)) | ((c >= 7) & (c <= 13) & (c != 11)) | (c == 27);
}

static bool is_text(const struct rd *r)
{
	unsigned controls = 0; /* no early return: so the loop becomes SIMD */
	for (size_t i = 0; i < r->len; i++)
		controls |= !is_text_byte(rd_byte(r, i));
	return r->len > 0 && !controls;
}

/* True if the units behind the first may be UTF-16: U+FFFE is none, and if the first is no mark,
 * a unit below 256 must be a text character. */
static bool is_utf16(struct rd r, bool big, bool marked)
{
	rd_skip(&r, 2);
	while (rd_left(&r) >= 2) {
		uint16_t c = big ? rd_u16be(&r) : rd_u16le(&r);
		if (c == 0xfffe || (!marked && c < 256 && !is_text_byte((uint8_t)c)))
			return false;
	}
	return r.len >= 2;
}

static enum file_type by_text(const struct rd *r)
{
	if (is_text(r))
		return FT_TEXT_ASCII;
	if (rd_peek(r, "\xff\xfe", 2))
		return is_utf16(*r, false, true) ? FT_TEXT_UTF16LE : FT_BINARY_DATA;
	return is_utf16(*r, true, rd_peek(r, "\xfe\xff", 2)) ? FT_TEXT_UTF16BE : FT_BINARY_DATA;
}

/* Places in the head as a table of flags: ends[i] says that a part may end in front of byte i. */
struct ends {
	bool at[DB_MAGIC_LOOK + 1];
};

static bool part_at(const struct db_view *v, const struct db_magic_part *p, const struct rd *look,
                    size_t at)
{
	for (uint32_t i = 0; i < p->len; i++)
		if ((rd_byte(look, at + i) & v->magic_bytes[p->bytes + p->len + i]) !=
		    v->magic_bytes[p->bytes + i])
			return false;
	return true;
}

/* Marks where the first part ends; false if it is nowhere. */
static bool first_part(const struct db_view *v, const struct db_magic *m, const struct rd *look,
                       struct ends *ret)
{
	const struct db_magic_part *p = &v->magic_part[m->part];
	bool any = false;
	*ret = (struct ends){0};
	for (size_t at = m->off_min; at <= m->off_max && at + p->len <= look->len; at++)
		any |= ret->at[at + p->len] = part_at(v, p, look, at);
	return any;
}

/* Marks where a part ends that follows one of the ends of the part before at the right distance. */
static bool next_part(const struct db_view *v, const struct db_magic_part *p,
                      const struct rd *look, const struct ends *before, struct ends *ret)
{
	size_t near = 0; /* ends before that are at the right distance from `at` */
	bool any = false;
	*ret = (struct ends){0};
	for (size_t at = 0; at + p->len <= look->len; at++) {
		near += at >= p->gap_min && before->at[at - p->gap_min];
		near -= p->gap_max < at && before->at[at - p->gap_max - 1];
		if (near > 0)
			any |= ret->at[at + p->len] = part_at(v, p, look, at);
	}
	return any;
}

static bool magic_fits(const struct db_view *v, const struct db_magic *m, const struct rd *look)
{
	struct ends ends, before;
	bool fits = first_part(v, m, look, &ends);
	for (uint32_t i = 1; i < m->nparts && fits; i++) {
		before = ends;
		fits = next_part(v, &v->magic_part[m->part + i], look, &before, &ends);
	}
	return fits;
}

/* Types that the database defines, in its order. */
static enum file_type by_own(const struct db_view *v, const struct rd *look, uint32_t flags)
{
	for (size_t i = 0; v && i < v->nmagic; i++) {
		const struct db_magic *m = &v->magic[i];
		if (m->flags != flags || !magic_fits(v, m, look))
			continue;
		if (flags == DB_MAGIC_DIRECT || m->rtype == FILETYPES || m->rtype == by_text(look))
			return (enum file_type)m->type;
	}
	return FILETYPES;
}

enum file_type filetype_detect(struct rd head, uint64_t size)
{
	return filetype_detect_with(NULL, head, size);
}

enum file_type filetype_detect_with(const struct db_view *own, struct rd head, uint64_t size)
{
	struct rd all = rd_at(&head, 0, num_min_u64(num_min_u64(head.len, size), FILETYPE_HEAD));
	struct rd look = rd_at(&all, 0, num_min_u64(all.len, HEAD_LOOK));
	enum file_type t = by_own(own, &look, DB_MAGIC_DIRECT);
	if (t == FILETYPES)
		t = by_magic(&all);
	if (t == FILETYPES)
		t = by_place(&all);
	if (t == FILETYPES)
		t = by_own(own, &look, 0);
	if (t != FILETYPES)
		return t;
	t = by_content(&look);
	if (t == FILETYPES)
		t = by_wide_content(&look);
	return t != FILETYPES ? t : by_text(&look);
}
