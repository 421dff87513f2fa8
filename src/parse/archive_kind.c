#include "parse/archive_kind.h"

#include "base/num.h"

#include <archive.h>

static bool at(const struct rd *in, uint64_t off, const char *magic, size_t n)
{
	struct rd r = rd_at(in, off, n);
	return rd_peek(&r, magic, n);
}

static uint8_t byte_at(const struct rd *in, uint64_t off)
{
	struct rd r = rd_at(in, off, 1);
	return rd_u8(&r);
}

static bool is_zip(const struct rd *in)
{
	return at(in, 0, "PK\3\4", 4) || at(in, 0, "PK\5\6", 4) || at(in, 0, "PK\7\10PK\3\4", 8);
}

/* RFC 1952: method 8 is the only one, the upper three flag bits are zero. */
static bool is_gzip(const struct rd *in)
{
	return at(in, 0, "\x1f\x8b\x08", 3) && (byte_at(in, 3) & 0xe0) == 0;
}

static bool is_bzip2(const struct rd *in)
{
	uint8_t level = byte_at(in, 3);
	if (!at(in, 0, "BZh", 3) || level < '1' || level > '9')
		return false;
	return at(in, 4, "1AY&SY", 6) || at(in, 4, "\x17\x72\x45\x38\x50\x90", 6);
}

static bool is_xz(const struct rd *in)
{
	return at(in, 0, "\xfd" "7zXZ\0", 6);
}

static bool is_zstd(const struct rd *in)
{
	return at(in, 0, "\x28\xb5\x2f\xfd", 4);
}

/* Has no magic: properties 3/0/2, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is
 * unknown or below 256 GiB (the bounds that xz(1) uses to tell .lzma files), and a range coder's
 * zero. */
static bool is_lzma(const struct rd *in)
{
	struct rd r = *in;
	uint8_t props = rd_u8(&r);
	uint32_t dict = rd_u32le(&r);
	uint64_t size = rd_u64le(&r);
	uint8_t first = rd_u8(&r);
	if (r.bad || props != 0x5d || first != 0 || dict < 4096)
		return false;
	uint32_t low = dict & -dict;
	bool dict_ok = dict == low || dict == low + (low << 1);
	return dict_ok && (size == UINT64_MAX || size < UINT64_C(1) << 38);
}

/* compress(1): 9 to 16 bits; bits 5 and 6 of the flags are not used. */
static bool is_compress(const struct rd *in)
{
	uint8_t flags = byte_at(in, 2);
	uint8_t bits = flags & 0x1f;
	return at(in, 0, "\x1f\x9d", 2) && (flags & 0x60) == 0 && bits >= 9 && bits <= 16;
}

#define TAR_BLOCK 512
#define TAR_SUM_OFF 148
#define TAR_SUM_LEN 8

/* Reads an octal number that may have blanks around it. */
static bool tar_sum_field(const uint8_t *p, uint32_t *ret)
{
	size_t i = 0, digits = 0;
	uint32_t v = 0;
	while (i < TAR_SUM_LEN && p[i] == ' ')
		i++;
	for (; i < TAR_SUM_LEN && p[i] >= '0' && p[i] <= '7'; i++, digits++)
		v = v << 3 | (uint32_t)(p[i] - '0');
	for (; i < TAR_SUM_LEN; i++)
		if (p[i] != ' ' && p[i] != 0)
			return false;
	*ret = v;
	return digits > 0;
}

/* POSIX pax, "ustar Interchange Format": sum of all bytes, the field itself taken as blanks. Old
 * programs added signed bytes. */
static bool is_tar(const struct rd *in)
{
	struct rd r = rd_at(in, 0, TAR_BLOCK);
	const uint8_t *p = rd_take(&r, TAR_BLOCK);
	uint32_t want;
	if (!p || p[0] == 0 || !tar_sum_field(&p[TAR_SUM_OFF], &want))
		return false;
	uint32_t sum = 0, high = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool in_field = i >= TAR_SUM_OFF && i < TAR_SUM_OFF + TAR_SUM_LEN;
		uint8_t b = in_field ? ' ' : p[i];
		sum += b;
		high += b >> 7;
	}
	return want == sum || want == sum - 256 * high;
}

/* With the magic and the version a wrong sum is damage: GNU tar skips such a header and goes on. */
static bool is_ustar(const struct rd *in)
{
	return at(in, 257, "ustar\00000", 8) || at(in, 257, "ustar  ", 8);
}

/* Headers of digits: 76 octal ones (odc) or 110 hexadecimal ones (newc, crc). */
static bool is_cpio_text(const struct rd *in)
{
	bool odc = at(in, 0, "070707", 6);
	if (!odc && !at(in, 0, "070701", 6) && !at(in, 0, "070702", 6))
		return false;
	struct rd r = rd_at(in, 0, odc ? 76 : 110);
	while (!r.bad && rd_left(&r) > 0) {
		uint8_t b = rd_u8(&r);
		uint8_t lower = b | 0x20;
		bool hex = (b >= '0' && b <= '9') || (lower >= 'a' && lower <= 'f');
		if (odc ? b < '0' || b > '7' : !hex)
			return false;
	}
	return !r.bad;
}

/* The old binary header: two bytes of magic, so the name must end where its size says. */
#define CPIO_BIN_HEAD 26
static bool is_cpio_bin(const struct rd *in)
{
	bool le = at(in, 0, "\xc7\x71", 2);
	if (!le && !at(in, 0, "\x71\xc7", 2))
		return false;
	struct rd r = rd_at(in, 20, 2);
	uint16_t namesize = le ? rd_u16le(&r) : rd_u16be(&r);
	if (r.bad || namesize < 2 || byte_at(in, CPIO_BIN_HEAD) == 0)
		return false;
	return at(in, CPIO_BIN_HEAD - 1u + namesize, "\0", 1);
}

static bool is_7z(const struct rd *in)
{
	return at(in, 0, "7z\xbc\xaf\x27\x1c", 6);
}

static bool is_rar(const struct rd *in)
{
	return at(in, 0, "Rar!\x1a\7\0", 7);
}

static bool is_rar5(const struct rd *in)
{
	return at(in, 0, "Rar!\x1a\7\1\0", 8);
}

/* ECMA-119 8.1: the first volume descriptor is sector 16. */
static bool is_iso(const struct rd *in)
{
	return at(in, 32769, "CD001", 5);
}

static bool is_cab(const struct rd *in)
{
	return at(in, 0, "MSCF\0\0\0\0", 8);
}

static bool is_xar(const struct rd *in)
{
	return at(in, 0, "xar!", 4);
}

static bool is_lha(const struct rd *in)
{
	uint8_t level = byte_at(in, 20);
	return (at(in, 2, "-lh", 3) || at(in, 2, "-lz", 3)) && byte_at(in, 6) == '-' && level <= 3;
}

static bool is_ar(const struct rd *in)
{
	return at(in, 0, "!<arch>\n", 8);
}

/* The central directory rules, as for most programs that extract; without one, from the start. */
static int enable_zip(struct archive *a)
{
	int r = archive_read_support_format_zip_seekable(a);
	return r == ARCHIVE_OK ? archive_read_support_format_zip_streamable(a) : r;
}

/* Order matters only between ustar and tar. */
static const struct archive_kind kinds[] = {
	{.name = "zip", .is = is_zip, .enable = enable_zip},
	{.name = "gzip", .is = is_gzip, .filter = ARCHIVE_FILTER_GZIP},
	{.name = "bzip2", .is = is_bzip2, .filter = ARCHIVE_FILTER_BZIP2},
	{.name = "xz", .is = is_xz, .filter = ARCHIVE_FILTER_XZ},
	{.name = "zstd", .is = is_zstd, .filter = ARCHIVE_FILTER_ZSTD},
	{.name = "7z", .is = is_7z, .enable = archive_read_support_format_7zip},
	{.name = "rar", .is = is_rar, .enable = archive_read_support_format_rar},
	{.name = "rar5", .is = is_rar5, .enable = archive_read_support_format_rar5},
	{.name = "cab", .is = is_cab, .enable = archive_read_support_format_cab},
	{.name = "ar", .is = is_ar, .enable = archive_read_support_format_ar},
	{.name = "xar", .is = is_xar, .enable = archive_read_support_format_xar},
	{.name = "cpio", .is = is_cpio_text, .enable = archive_read_support_format_cpio},
	{.name = "cpio", .is = is_cpio_bin, .enable = archive_read_support_format_cpio, .weak = true},
	{.name = "tar", .is = is_ustar, .enable = archive_read_support_format_tar},
	{.name = "tar", .is = is_tar, .enable = archive_read_support_format_tar, .weak = true},
	{.name = "compress", .is = is_compress, .filter = ARCHIVE_FILTER_COMPRESS, .weak = true},
	{.name = "lzma", .is = is_lzma, .filter = ARCHIVE_FILTER_LZMA, .weak = true},
	{.name = "lha", .is = is_lha, .enable = archive_read_support_format_lha, .weak = true},
	{.name = "iso9660", .is = is_iso, .enable = archive_read_support_format_iso9660},
};

const struct archive_kind *archive_kind_of(const struct rd *in)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].is(in))
			return &kinds[i];
	return NULL;
}

#define GZIP_FEXTRA 4
#define GZIP_FNAME 8

void archive_gzip_name(const struct rd *in, char *ret, size_t cap)
{
	struct rd r = *in;
	size_t n = 0;
	rd_skip(&r, 3);
	uint8_t flags = rd_u8(&r);
	rd_skip(&r, 6);
	if (flags & GZIP_FEXTRA)
		rd_skip(&r, rd_u16le(&r));
	while ((flags & GZIP_FNAME) && n + 1 < cap) {
		char c = (char)rd_u8(&r);
		if (c == 0)
			break;
		ret[n++] = c;
	}
	ret[n] = 0;
}
