/* Perceptual hashes of pictures made here. The numbers are those that sigtool --fuzzy-img 1.4.6
 * printed for the same pictures. */
#include "base/buf.h"
#include "image/image.h"
#include "image/inside.h"
#include "image_jpegs.h"
#include "test/t.h"

#include <libdeflate.h>

#define W 45u
#define H 31u
#define HASH_GRAY UINT64_C(0xb0a600007ff739fd)  /* of pattern(x, y, 0), W x H */
#define HASH_COLOR UINT64_C(0xc0a78000fffba679) /* of pattern with 0, 5, 11 */

static uint8_t pattern(uint32_t x, uint32_t y, uint32_t k)
{
	return (uint8_t)(x * x * 7 + y * 13 + x * y + k * x);
}

static uint64_t hash_rows(uint32_t w, uint32_t h, uint8_t (*sample)(uint32_t, uint32_t, uint32_t))
{
	struct phash *p = NULL;
	uint8_t row[256];
	T_EQ(phash_new(w, h, &p, NULL), ST_OK);
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++)
			row[x] = sample(x, y, 0);
		phash_row(p, row);
	}
	uint64_t hash = phash_finish(p);
	phash_free(p);
	return hash;
}

static uint8_t black(uint32_t x, uint32_t y, uint32_t k)
{
	(void)x, (void)y, (void)k;
	return 0;
}

static uint8_t flat(uint32_t x, uint32_t y, uint32_t k)
{
	(void)x, (void)y, (void)k;
	return 200;
}

static uint8_t ramp(uint32_t x, uint32_t y, uint32_t k)
{
	(void)y, (void)k;
	return (uint8_t)(x * 8);
}

static void rows_have_the_hash_of_sigtool(void)
{
	T_EQ(hash_rows(32, 32, pattern), UINT64_C(0xa22b20007ffd6677)); /* not resized */
	T_EQ(hash_rows(33, 32, pattern), UINT64_C(0xa36900007ffd6677));
	T_EQ(hash_rows(W, H, pattern), HASH_GRAY);
	T_EQ(hash_rows(200, 150, pattern), UINT64_C(0xe63599db11899b8c));
	T_EQ(hash_rows(3, 70, pattern), UINT64_C(0x80373a7719671a67));
	T_EQ(hash_rows(1, 1, pattern), 0);
}

/* Where the median should be 0, rounding alone decides. */
static void pictures_without_content_have_the_hash_of_sigtool(void)
{
	T_EQ(hash_rows(20, 20, black), 0);
	T_EQ(hash_rows(20, 20, flat), UINT64_C(0x8000000000000000));
	T_EQ(hash_rows(32, 32, ramp), UINT64_C(0x8200000000000000));
}

static void rows_behind_the_last_are_ignored(void)
{
	struct phash *p = NULL;
	uint8_t white = 255;
	T_EQ(phash_new(1, 1, &p, NULL), ST_OK);
	for (int i = 0; i < 100; i++)
		phash_row(p, &white);
	T_EQ(phash_finish(p), UINT64_C(0x8000000000000000));
	phash_free(p);
}

/* -- files ---------------------------------------------------------------------------------- */

static struct buf file;

static uint64_t hash_file(enum file_type type)
{
	uint64_t hash = 1;
	struct err e = {0};
	T_EQ(image_hash(rd_make(file.data, file.len), type, &hash, &e), ST_OK);
	return hash;
}

static st_t status(enum file_type type, size_t len)
{
	uint64_t hash;
	return image_hash(rd_make(file.data, len), type, &hash, NULL);
}

/* No beginning of the file is read beyond its end (sanitizers), or has a hash if `whole`. */
static void beginnings(enum file_type type, bool whole)
{
	for (size_t n = 0; n < file.len; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		uint64_t hash;
		memcpy(copy, file.data, n);
		st_t st = image_hash(rd_make(copy, n), type, &hash, NULL);
		T_TRUE(st >= 0 && (st != ST_OK || !whole));
		free(copy);
	}
}

static void be32(uint32_t v)
{
	buf_u32le(&file, __builtin_bswap32(v));
}

static void png_chunk(const char *name, const void *p, size_t n)
{
	be32((uint32_t)n);
	size_t from = file.len;
	buf_add(&file, name, 4);
	buf_add(&file, p, n);
	be32(libdeflate_crc32(0, &file.data[from], file.len - from));
}

static void png_pixels(const uint8_t *raw, size_t n)
{
	static uint8_t packed[1 << 16];
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t len = libdeflate_zlib_compress(c, raw, n, packed, sizeof packed);
	T_TRUE(len > 0);
	png_chunk("IDAT", packed, len);
	libdeflate_free_compressor(c);
}

/* `bytes` per pixel: 1 gray, 2 gray of 16 bits, 3 colours, 4 colours and alpha. */
static void make_png(uint8_t bytes, uint32_t width)
{
	static const uint8_t types[] = {0, 0, 0, 2, 6};
	uint8_t depth = bytes == 2 ? 16 : 8;
	uint8_t head[13] = {0, 0, (uint8_t)(width >> 8), (uint8_t)width, 0, 0, 0, H, depth,
	                    types[bytes]};
	static uint8_t raw[H * (W * 4 + 1)];
	size_t n = 0;
	for (uint32_t y = 0; y < H; y++) {
		raw[n++] = 0; /* no filter */
		for (uint32_t x = 0; x < W; x++) {
			uint32_t wide = pattern(x, y, 0) * 251u + 100;
			for (uint8_t k = 0; k < bytes; k++)
				raw[n++] = k == 3 ? (uint8_t)x : pattern(x, y, k == 0 ? 0 : k * 6 - 1);
			if (bytes == 2)
				raw[n - 2] = (uint8_t)(wide >> 8), raw[n - 1] = (uint8_t)wide;
		}
	}
	file.len = 0;
	buf_add(&file, "\x89PNG\r\n\x1a\n", 8);
	png_chunk("IHDR", head, sizeof head);
	png_pixels(raw, n);
	png_chunk("IEND", "", 0);
}

static void png_of_all_kinds(void)
{
	make_png(1, W);
	T_EQ(hash_file(FT_PNG), HASH_GRAY);
	make_png(2, W);
	T_EQ(hash_file(FT_PNG), HASH_GRAY);
	make_png(3, W);
	T_EQ(hash_file(FT_PNG), HASH_COLOR);
	make_png(4, W); /* alpha plays no part */
	T_EQ(hash_file(FT_PNG), HASH_COLOR);
}

static void a_damaged_png_has_no_hash(void)
{
	make_png(3, W);
	size_t end = file.len - 12 - 20; /* IEND, and a part of the pixels */
	T_EQ(status(FT_PNG, end), ST_TRUNCATED);
	make_png(3, W + 1); /* a row is missing in the end */
	T_TRUE(status(FT_PNG, file.len) > 0);
	make_png(3, 0);
	T_EQ(status(FT_PNG, file.len), ST_MALFORMED);
	make_png(1, W);
	file.data[20] ^= 1; /* a checksum of the header */
	T_EQ(status(FT_PNG, file.len), ST_MALFORMED);
	make_png(1, W);
	beginnings(FT_PNG, false);
}

static void huge_pictures_are_refused(void)
{
	struct phash *p = NULL;
	T_EQ(image_begin(PHASH_WIDTH_MAX + 1, 1, &p, NULL), ST_LIMIT);
	T_EQ(image_begin(UINT64_MAX, UINT64_MAX, &p, NULL), ST_LIMIT);
	T_EQ(image_begin(10000, IMAGE_PIXELS_MAX / 10000 + 1, &p, NULL), ST_LIMIT);
	T_EQ(image_begin(0, 1, &p, NULL), ST_MALFORMED);
	T_EQ(image_begin(1, 0, &p, NULL), ST_MALFORMED);
	T_TRUE(p == NULL);
}

/* -- GIF ------------------------------------------------------------------------------------ */

struct codes {
	uint8_t bytes[W * H * 2];
	size_t n;
	uint32_t bits, nbits;
};

static void put_code(struct codes *c, uint32_t code)
{
	c->bits |= code << c->nbits;
	c->nbits += 9;
	for (; c->nbits >= 8; c->nbits -= 8, c->bits >>= 8)
		c->bytes[c->n++] = (uint8_t)c->bits;
}

static uint32_t row_of(uint32_t k, bool interlaced)
{
	uint32_t n = 0;
	for (uint32_t pass = 0; interlaced && pass < 4; pass++)
		for (uint32_t y = "\0\4\2\1"[pass]; y < H; y += "\10\10\4\2"[pass], n++)
			if (n == k)
				return y;
	return k;
}

/* A frame of `cut` pixels less than it says, on a screen of which it covers the lower right. */
static void make_gif(bool interlaced, uint32_t left, uint32_t top, uint32_t cut)
{
	struct codes c = {0};
	file.len = 0;
	buf_add(&file, "GIF89a", 6);
	buf_u16le(&file, (uint16_t)(W + left));
	buf_u16le(&file, (uint16_t)(H + top));
	buf_add(&file, "\xf7\0\0", 3);
	for (uint32_t i = 0; i < 256; i++)
		buf_fill(&file, (uint8_t)i, 3);
	buf_add(&file, "\x21\xf9\x04\1\0\0\xc8\0", 8); /* colour 200 is transparent */
	buf_u8(&file, ',');
	buf_u16le(&file, (uint16_t)left);
	buf_u16le(&file, (uint16_t)top);
	buf_u16le(&file, W);
	buf_u16le(&file, H);
	buf_u8(&file, interlaced ? 0x40 : 0);
	buf_u8(&file, 8);
	for (uint32_t i = 0; i < W * H - cut; i++) {
		if (i % 200 == 0)
			put_code(&c, 256);
		put_code(&c, pattern(i % W, row_of(i / W, interlaced), 0));
	}
	put_code(&c, 257);
	put_code(&c, 0);
	for (size_t at = 0; at < c.n; at += 255) {
		size_t n = c.n - at < 255 ? c.n - at : 255;
		buf_u8(&file, (uint8_t)n);
		buf_add(&file, &c.bytes[at], n);
	}
	buf_add(&file, "\0;", 2);
}

static uint8_t in_the_corner(uint32_t x, uint32_t y, uint32_t k)
{
	return x < 7 || y < 5 ? 0 : pattern(x - 7, y - 5, k);
}

static void gif_plain_and_interlaced(void)
{
	make_gif(false, 0, 0, 0);
	T_EQ(hash_file(FT_GIF), HASH_GRAY);
	make_gif(true, 0, 0, 0);
	T_EQ(hash_file(FT_GIF), HASH_GRAY);
}

static void a_gif_is_black_where_there_is_no_frame(void)
{
	make_gif(false, 7, 5, 0);
	T_EQ(hash_file(FT_GIF), hash_rows(W + 7, H + 5, in_the_corner));
}

static void a_gif_without_all_pixels_has_no_hash(void)
{
	make_gif(false, 0, 0, 1);
	T_EQ(status(FT_GIF, file.len), ST_TRUNCATED);
	make_gif(false, 0, 0, 0);
	beginnings(FT_GIF, false);
	file.data[6] = file.data[7] = 0; /* no columns */
	T_EQ(status(FT_GIF, file.len), ST_MALFORMED);
	file.data[6] = file.data[7] = file.data[8] = file.data[9] = 0xff;
	T_EQ(status(FT_GIF, file.len), ST_LIMIT);
}

static void gif_codes_must_be_defined(void)
{
	make_gif(false, 0, 0, 0);
	size_t data = 13 + 768 + 8 + 10 + 2; /* screen, colours, extension, frame, sizes */
	/* The first code is 256, of 9 bits; behind it 306, where 257 is the last that is defined. */
	file.data[data + 1] = 1 | 50 << 1;
	file.data[data + 2] = (file.data[data + 2] & 0xfc) | 2;
	T_EQ(status(FT_GIF, file.len), ST_MALFORMED);
}

/* -- BMP, JPEG, others ---------------------------------------------------------------------- */

static void make_bmp(bool color, bool top_down)
{
	uint32_t colors = color ? 0 : 256, stride = (W * (color ? 3 : 1) + 3) / 4 * 4;
	file.len = 0;
	buf_add(&file, "BM", 2);
	buf_fill(&file, 0, 8);
	buf_u32le(&file, 54 + colors * 4);
	buf_u32le(&file, 40);
	buf_u32le(&file, W);
	buf_u32le(&file, top_down ? -H : H);
	buf_u16le(&file, 1);
	buf_u16le(&file, color ? 24 : 8);
	buf_fill(&file, 0, 24);
	for (uint32_t i = 0; i < colors; i++) {
		buf_fill(&file, (uint8_t)i, 3);
		buf_u8(&file, 0);
	}
	for (uint32_t k = 0; k < H; k++) {
		uint32_t y = top_down ? k : H - 1 - k;
		size_t from = file.len;
		for (uint32_t x = 0; x < W; x++) {
			if (color)
				buf_u8(&file, pattern(x, y, 11));
			if (color)
				buf_u8(&file, pattern(x, y, 5));
			buf_u8(&file, pattern(x, y, 0));
		}
		buf_fill(&file, 0, stride - (file.len - from));
	}
}

static void bmp_in_both_directions(void)
{
	for (int top_down = 0; top_down < 2; top_down++) {
		make_bmp(true, top_down);
		T_EQ(hash_file(FT_GRAPHICS), HASH_COLOR);
		make_bmp(false, top_down);
		T_EQ(hash_file(FT_GRAPHICS), HASH_GRAY);
	}
	beginnings(FT_GRAPHICS, true);
	file.data[30] = 1; /* run lengths */
	T_EQ(status(FT_GRAPHICS, file.len), ST_UNSUPPORTED);
}

/* Red, green and blue of five, six and five bits, one pixel. */
static void bmp_with_masks(void)
{
	static const uint8_t head[] = {40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 16, 0, 3, 0, 0, 0};
	file.len = 0;
	buf_add(&file, "BM", 2);
	buf_fill(&file, 0, 8);
	buf_u32le(&file, 66);
	buf_add(&file, head, sizeof head);
	buf_fill(&file, 0, 20);
	buf_u32le(&file, 0xf800);
	buf_u32le(&file, 0x7e0);
	buf_u32le(&file, 0x1f);
	buf_u32le(&file, 0x1234);
	T_EQ(hash_file(FT_GRAPHICS), UINT64_C(0x8000000000000000));
	beginnings(FT_GRAPHICS, true);
	file.data[66] = file.data[67] = 0; /* black */
	T_EQ(hash_file(FT_GRAPHICS), 0);
	file.data[55] = 0xf4; /* a hole in the mask */
	T_EQ(status(FT_GRAPHICS, file.len), ST_MALFORMED);
	file.data[54] = file.data[55] = 0;
	T_EQ(status(FT_GRAPHICS, file.len), ST_MALFORMED);
}

static void jpeg_gray_and_progressive(void)
{
	file.len = 0;
	buf_add(&file, jpeg_gray, sizeof jpeg_gray);
	T_EQ(hash_file(FT_JPEG), UINT64_C(0x882a552a552b5f6f));
	beginnings(FT_JPEG, false);
	file.len = 0;
	buf_add(&file, jpeg_progressive, sizeof jpeg_progressive);
	T_EQ(hash_file(FT_JPEG), UINT64_C(0x882a552a552b5f6f));
	beginnings(FT_JPEG, false);
}

/* 65535 x 65535 pixels are said in the frame header (SOF2) of a file of 720 bytes. */
static void a_jpeg_does_not_choose_how_long_it_takes(void)
{
	size_t at = 0;
	file.len = 0;
	buf_add(&file, jpeg_progressive, sizeof jpeg_progressive);
	while (at + 9 < file.len && (file.data[at] != 0xff || file.data[at + 1] != 0xc2))
		at++;
	memset(&file.data[at + 5], 0xff, 4);
	T_EQ(status(FT_JPEG, file.len), ST_LIMIT);
	memcpy(&file.data[at + 5], "\x20\x00\x20\x00", 4); /* coefficients of 8192 x 8192 */
	T_EQ(status(FT_JPEG, file.len), ST_LIMIT);
}

static void other_types_are_said_to_be_unsupported(void)
{
	file.len = 0;
	buf_add(&file, "II*\0\x08\0\0\0", 8);
	T_EQ(status(FT_TIFF, file.len), ST_UNSUPPORTED);
	T_EQ(status(FT_GRAPHICS, file.len), ST_UNSUPPORTED);
	T_TRUE(image_has_hash(FT_TIFF) && image_has_hash(FT_PNG) && !image_has_hash(FT_TEXT_ASCII));
}

int main(void)
{
	T_RUN(rows_have_the_hash_of_sigtool);
	T_RUN(pictures_without_content_have_the_hash_of_sigtool);
	T_RUN(rows_behind_the_last_are_ignored);
	T_RUN(png_of_all_kinds);
	T_RUN(a_damaged_png_has_no_hash);
	T_RUN(huge_pictures_are_refused);
	T_RUN(gif_plain_and_interlaced);
	T_RUN(a_gif_is_black_where_there_is_no_frame);
	T_RUN(a_gif_without_all_pixels_has_no_hash);
	T_RUN(gif_codes_must_be_defined);
	T_RUN(bmp_in_both_directions);
	T_RUN(bmp_with_masks);
	T_RUN(jpeg_gray_and_progressive);
	T_RUN(a_jpeg_does_not_choose_how_long_it_takes);
	T_RUN(other_types_are_said_to_be_unsupported);
	buf_done(&file);
	return t_end();
}
