/* Windows bitmaps ("Bitmap Storage", "BITMAPINFOHEADER" in Microsoft's documentation) without
 * compression, of 1, 4, 8, 16, 24 and 32 bits per pixel. Runs in the worker. */
#include "image/inside.h"

#include <stdlib.h>

#define COLORS 256u
#define FILE_HEADER 14u
#define INFO_HEADER 40u /* and longer ones that begin alike */
#define INFO_HEADER_MAX 124u

/* BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS */
enum { PLAIN = 0, MASKS = 3, MASKS_WITH_ALPHA = 6 };

/* Where red, green or blue stands in a pixel; max is 2^n - 1, n <= 8. */
struct field {
	uint32_t shift, max;
};

struct bmp {
	struct rd in;
	uint64_t pixels; /* offset */
	uint32_t header; /* length */
	int64_t width, height; /* a negative height: the first row is the topmost */
	uint32_t bits, used, compression;
	struct field field[3];
	uint8_t gray[COLORS];
};

static uint8_t read_color(struct rd *in)
{
	uint8_t blue = rd_u8(in);
	uint8_t green = rd_u8(in);
	uint8_t red = rd_u8(in);
	return image_gray(red, green, blue);
}

static bool known_bits(uint32_t bits)
{
	return bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
}

static st_t read_header(struct bmp *b, struct err *e)
{
	rd_skip(&b->in, 10);
	b->pixels = rd_u32le(&b->in);
	b->header = rd_u32le(&b->in);
	b->width = (int32_t)rd_u32le(&b->in);
	b->height = (int32_t)rd_u32le(&b->in);
	rd_skip(&b->in, 2);
	b->bits = rd_u16le(&b->in);
	b->compression = rd_u32le(&b->in);
	rd_skip(&b->in, 12);
	b->used = rd_u32le(&b->in);
	TRY(rd_check(&b->in, e, "bmp: header"));
	if (b->header < INFO_HEADER || b->header > INFO_HEADER_MAX || !known_bits(b->bits))
		return fail(e, ST_UNSUPPORTED, 0, "bmp: header of %u, %u bits", b->header, b->bits);
	bool masks = b->compression == MASKS || b->compression == MASKS_WITH_ALPHA;
	if (b->compression != PLAIN && !(masks && (b->bits == 16 || b->bits == 32)))
		return fail(e, ST_UNSUPPORTED, 0, "bmp: compression %u", b->compression);
	if (b->width <= 0 || b->height == 0)
		return fail(e, ST_MALFORMED, 0, "bmp: no pixels");
	return ST_OK;
}

/* "The bits set in the mask must be contiguous." Of more than eight the highest count. */
static st_t read_mask(uint32_t mask, struct field *ret, struct err *e)
{
	uint32_t n = (uint32_t)__builtin_popcount(mask);
	uint32_t shift = mask ? (uint32_t)__builtin_ctz(mask) : 0;
	if (mask == 0 || mask >> shift != (uint32_t)((UINT64_C(1) << n) - 1))
		return fail(e, ST_MALFORMED, 0, "bmp: mask 0x%x", mask);
	uint32_t drop = n > 8 ? n - 8 : 0;
	*ret = (struct field){shift + drop, (1u << (n - drop)) - 1};
	return ST_OK;
}

/* Masks stand behind the header, which longer ones count as theirs. */
static st_t read_masks(struct bmp *b, struct err *e)
{
	static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
	if (b->bits != 16 && b->bits != 32)
		return ST_OK;
	rd_seek(&b->in, FILE_HEADER + INFO_HEADER);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t mask = usual[b->bits == 32][i];
		if (b->compression != PLAIN)
			mask = rd_u32le(&b->in);
		TRY(rd_check(&b->in, e, "bmp: masks"));
		TRY(read_mask(mask, &b->field[i], e));
	}
	return ST_OK;
}

/* What the table has not is black. */
static st_t read_table(struct bmp *b, struct err *e)
{
	if (b->bits > 8)
		return ST_OK;
	uint32_t n = b->used ? b->used : 1u << b->bits;
	if (n > COLORS)
		return fail(e, ST_MALFORMED, 0, "bmp: %u colours", n);
	rd_seek(&b->in, FILE_HEADER + b->header);
	for (uint32_t i = 0; i < n; i++) {
		b->gray[i] = read_color(&b->in);
		rd_skip(&b->in, 1);
	}
	return rd_check(&b->in, e, "bmp: colours");
}

static uint8_t in_field(uint32_t pixel, const struct field *f)
{
	uint32_t v = pixel >> f->shift & f->max;
	return (uint8_t)((v * 510 + f->max) / (f->max * 2)); /* v * 255 / max, rounded */
}

static uint8_t read_masked(const struct bmp *b, struct rd *row)
{
	uint32_t pixel = b->bits == 16 ? rd_u16le(row) : rd_u32le(row);
	return image_gray(in_field(pixel, &b->field[0]), in_field(pixel, &b->field[1]),
	                  in_field(pixel, &b->field[2]));
}

static void read_row(const struct bmp *b, struct rd *row, uint8_t *gray)
{
	uint32_t byte = 0, left = 0;
	for (int64_t x = 0; x < b->width; x++) {
		if (b->bits > 8) {
			gray[x] = b->bits == 24 ? read_color(row) : read_masked(b, row);
			continue;
		}
		if (left == 0)
			byte = rd_u8(row);
		left = left ? left - b->bits : 8 - b->bits;
		gray[x] = b->gray[byte >> left & ((1u << b->bits) - 1)];
	}
}

/* Rows are padded to 4 bytes. All are there: sizes in the header cost nothing. */
static st_t hash_rows(const struct bmp *b, uint8_t *gray, struct phash *hash, struct err *e)
{
	uint64_t stride = ((uint64_t)b->width * b->bits + 31) / 32 * 4;
	uint64_t rows = (uint64_t)(b->height < 0 ? -b->height : b->height);
	struct rd all = rd_at(&b->in, b->pixels, stride * rows);
	TRY(rd_check(&all, e, "bmp: pixels"));
	for (uint64_t y = 0; y < rows; y++) {
		uint64_t from = b->height < 0 ? y : rows - 1 - y;
		struct rd row = rd_at(&all, from * stride, stride);
		read_row(b, &row, gray);
		phash_row(hash, gray);
	}
	return ST_OK;
}

st_t image_bmp(struct rd in, uint64_t *ret, struct err *e)
{
	struct bmp b = {.in = in};
	struct phash *hash = NULL;
	TRY(read_header(&b, e));
	TRY(read_table(&b, e));
	TRY(read_masks(&b, e));
	TRY(image_begin((uint64_t)b.width, (uint64_t)(b.height < 0 ? -b.height : b.height), &hash, e));
	uint8_t *gray = calloc((size_t)b.width, 1);
	st_t st = gray ? hash_rows(&b, gray, hash, e) : fail(e, ST_NOMEM, 0, "bmp: no memory");
	if (st == ST_OK)
		*ret = phash_finish(hash);
	phash_free(hash);
	free(gray);
	return st;
}
