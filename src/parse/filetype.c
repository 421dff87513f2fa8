/* File types from the first bytes of an object. Runs in the scan worker, for every object.
 *
 * Order, as found by scanning generated files with clamscan 1.4.6:
 *   0. magics at fixed places that the database defines (.ftm); clamscan forgets all others then,
 *      we do not: a definition too few must not make files clean that were looked into before;
 *   1. a magic at offset 0 (table below), or at a fixed place further in (tar, LHA, disk images);
 *      then body content that the database defines;
 *   2. mail: a header line at offset 0;
 *   3. HTML: one of a few tags within the first kilobyte, in whatever surroundings; then PDF there;
 *   4. text: the first kilobyte has no control characters;
 *   5. UTF-16 if it decodes to text (anything without many zeros does), else binary data. */
#include "parse/filetype.h"

#include "base/num.h"

#include <string.h>

#define HEAD_LOOK 1024 /* clamscan looks for tags and text in the first kilobyte only */
#define MAGIC_MAX 24
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
	M(FT_JPEG, "\xff\xd8\xff"), M(FT_IGNORED, "\xff\xfb"), M(FT_MACHO, "\xfe\xed\xfa\xce"),
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
	M(FT_CPIO_CRC, "070702"), M(FT_CPIO_ODC, "070707"), M(FT_PDF, "%PDF-"), M(FT_RTF, "{\\rtf"),
	M(FT_GIF, "GIF8"), M(FT_TIFF, "II*\0"), M(FT_TIFF, "MM\0*"), M(FT_RIFF, "RIFF"),
	M(FT_RIFF, "RIFX"), M(FT_IGNORED, "OggS"), M(FT_IGNORED, "ID3"), M(FT_IGNORED, ".RMF"),
	M(FT_IGNORED, "SQLite format 3"), M(FT_SWF, "FWS"), M(FT_SWF, "CWS"), M(FT_SWF, "ZWS"),
	M(FT_BINHEX, "(This file must be conv"), M(FT_SCRENC, "#@~^"), M(FT_UUENCODED, "begin "),
	M(FT_HWP3, "HWP Document File V3.00"), M(FT_MAIL, "From "), M(FT_MAIL, ">From "),
	M(FT_MAIL, "From:"), M(FT_MAIL, "Received: "), M(FT_MAIL, "Return-Path: "),
	M(FT_MAIL, "Return-path: "), M(FT_MAIL, "Delivered-To: "), M(FT_MAIL, "Date: "),
	M(FT_MAIL, "Subject: "), M(FT_MAIL, "Message-ID: "), M(FT_MAIL, "Message-Id: "),
	M(FT_MAIL, "To: "), M(FT_MAIL, "X-UIDL: "), M(FT_MAIL, "X-Apparently-To: "),
	M(FT_MAIL, "X-Envelope-From: "), M(FT_MAIL, "X-Original-To: "), M(FT_MAIL, "X-Symantec-"),
	M(FT_MAIL, "X-EVS: "), M(FT_MAIL, "X-Real-To: "), M(FT_MAIL, "X-Sieve: "),
};

/* What follows '<' in the tags that make HTML, lower case. */
static const char *const tags[] = {
	"html>", "head>", "script", "iframe", "table", "a href=", "img", "object",
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

static bool is_pyc(struct rd r)
{
	rd_skip(&r, 1);
	uint8_t version = rd_u8(&r); /* 2.x: f2, f3; 3.x: 0c, 0d */
	return (version == 0x0d || version == 0x0c || version == 0xf3 || version == 0xf2) &&
	       rd_peek(&r, "\r\n", 2);
}

static bool is_lha(const struct rd *r)
{
	return (has_at(r, 2, "-lh", 3) || has_at(r, 2, "-lz", 3) || has_at(r, 2, "-pm", 3)) &&
	       has_at(r, 6, "-", 1);
}

/* Types told by bytes further in. */
static enum file_type by_place(const struct rd *r)
{
	enum file_type t = by_cafebabe(*r);
	if (t != FILETYPES)
		return t;
	if (is_pyc(*r))
		return FT_PYTHON_COMPILED;
	if (is_lha(r))
		return FT_LHA_LZH;
	if (has_at(r, TAR_MAGIC_OFF, "ustar", 5))
		return FT_POSIX_TAR;
	if (has_at(r, SECTOR, "EFI PART", 8))
		return FT_GPT;
	if (has_at(r, 0, "ER", 2) && has_at(r, SECTOR, "PM", 2))
		return FT_APM;
	if (has_at(r, ISO_MAGIC_OFF, "CD001", 5))
		return FT_ISO9660;
	return FILETYPES;
}

/* True if `s` (lower case) stands at `off`, each character `step` bytes wide, in any case. */
static bool has_word(struct rd r, size_t off, size_t step, const char *s)
{
	rd_seek(&r, off);
	for (; *s; s++) {
		uint8_t c = rd_u8(&r);
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (r.bad || c != (uint8_t)*s)
			return false;
		if (step == 2 && rd_u8(&r) != 0)
			return false;
	}
	return true;
}

static bool has_tag(const struct rd *r, size_t off, size_t step)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (has_word(*r, off + step, step, tags[i]))
			return true;
	return false;
}

static enum file_type by_content(const struct rd *r)
{
	enum file_type t = FILETYPES;
	for (size_t i = 0; i < r->len; i++) {
		if (rd_byte(r, i) == '%' && t == FILETYPES && has_at(r, i, "%PDF-", 5))
			t = FT_PDF;
		if (rd_byte(r, i) != '<')
			continue;
		if (has_tag(r, i, 1))
			return FT_HTML;
		if (has_at(r, i + 1, "\0", 1) && has_tag(r, i, 2))
			return FT_HTML_UTF16;
	}
	return t;
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

/* UTF-16 of either order: a unit below 256 must be a text character. The first one is passed
 * over, as if it were a byte order mark (so clamscan: all 256 values tried at four places). */
static bool is_utf16(struct rd r, bool big)
{
	(void)rd_u16le(&r);
	while (rd_left(&r) >= 2) {
		uint16_t c = big ? rd_u16be(&r) : rd_u16le(&r);
		if (c < 256 && !is_text_byte((uint8_t)c))
			return false;
	}
	return r.len >= 2;
}

static enum file_type by_text(const struct rd *r)
{
	if (is_text(r))
		return FT_TEXT_ASCII;
	if (rd_peek(r, "\xff\xfe", 2) && is_utf16(*r, false))
		return FT_TEXT_UTF16LE;
	return is_utf16(*r, true) ? FT_TEXT_UTF16BE : FT_BINARY_DATA;
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
	if (t != FILETYPES)
		return t;
	t = by_text(&look);
	if (t != FT_TEXT_ASCII && has_at(&all, SECTOR - 2, "\x55\xaa", 2))
		return FT_MBR;
	return t;
}
