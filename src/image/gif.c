/* GIF (Graphics Interchange Format 89a, CompuServe 1990): the first frame on the logical screen.
 * Runs in the worker.
 *
 * Invariants
 * 1. The screen is one byte of gray per pixel; nothing is written outside of it.
 * 2. Codes below the table's length are defined, and each names one before it: chains end. */
#include "base/num.h"
#include "image/inside.h"

#include <stdlib.h>

#define COLORS 256u
#define CODES 4096u /* "The codes are ... up to 12 bits" (appendix F) */
#define NO_CODE CODES

enum { BLOCK_EXTENSION = 0x21, BLOCK_IMAGE = 0x2c };
enum { FLAG_TABLE = 0x80, FLAG_INTERLACED = 0x40 };

struct lzw {
	struct rd in, block; /* sub-blocks, and what is left of one */
	uint32_t bits, nbits;
	uint32_t first, width, len; /* code of "clear", bits of a code, codes defined */
	uint16_t before[CODES];
	uint8_t last[CODES], head[CODES]; /* last and first colour of what the code stands for */
	uint8_t text[CODES];
	bool ended;
};

struct gif {
	struct rd in;
	uint32_t width, height;           /* of the screen */
	uint32_t left, top, fwidth, fheight; /* of the frame */
	bool interlaced;
	uint8_t gray[COLORS];
	uint8_t *screen;
	uint32_t x, y, pass; /* in the frame, where the next colour goes */
	struct lzw lzw;
};

/* A colour table of 2^(n + 1) entries; what it has not is black. */
static void read_table(struct gif *g, uint8_t flags)
{
	uint32_t n = 2u << (flags & 7);
	for (uint32_t i = 0; i < COLORS; i++)
		g->gray[i] = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t red = rd_u8(&g->in);
		uint8_t green = rd_u8(&g->in);
		uint8_t blue = rd_u8(&g->in);
		g->gray[i] = image_gray(red, green, blue);
	}
}

static st_t read_screen(struct gif *g, struct err *e)
{
	rd_skip(&g->in, 6);
	g->width = rd_u16le(&g->in);
	g->height = rd_u16le(&g->in);
	uint8_t flags = rd_u8(&g->in);
	rd_skip(&g->in, 2);
	if (flags & FLAG_TABLE)
		read_table(g, flags);
	return rd_check(&g->in, e, "gif: screen");
}

/* Ends: each block takes a byte, and none are left at some time. */
static void skip_blocks(struct rd *in)
{
	for (uint8_t n = rd_u8(in); n > 0; n = rd_u8(in))
		rd_skip(in, n);
}

static st_t find_frame(struct gif *g, struct err *e)
{
	uint8_t block = rd_u8(&g->in);
	while (block == BLOCK_EXTENSION) {
		rd_skip(&g->in, 1);
		skip_blocks(&g->in);
		block = rd_u8(&g->in);
	}
	TRY(rd_check(&g->in, e, "gif: blocks"));
	if (block != BLOCK_IMAGE)
		return fail(e, ST_MALFORMED, g->in.pos, "gif: block 0x%02x", block);
	g->left = rd_u16le(&g->in);
	g->top = rd_u16le(&g->in);
	g->fwidth = rd_u16le(&g->in);
	g->fheight = rd_u16le(&g->in);
	uint8_t flags = rd_u8(&g->in);
	g->interlaced = flags & FLAG_INTERLACED;
	if (flags & FLAG_TABLE)
		read_table(g, flags);
	TRY(rd_check(&g->in, e, "gif: frame"));
	if ((uint64_t)g->fwidth * g->fheight > IMAGE_PIXELS_MAX)
		return fail(e, ST_LIMIT, 0, "gif: too many pixels");
	return ST_OK;
}

/* The next sub-block, of which the file may end. */
static void next_block(struct lzw *z)
{
	uint8_t n = rd_u8(&z->in);
	z->block = rd_sub(&z->in, num_min_size(n, rd_left(&z->in)));
}

/* The next code; NO_CODE when the data end. */
static uint32_t next_code(struct lzw *z)
{
	while (z->nbits < z->width) {
		if (rd_left(&z->block) == 0)
			next_block(z);
		if (rd_left(&z->block) == 0)
			return NO_CODE;
		z->bits |= (uint32_t)rd_u8(&z->block) << z->nbits;
		z->nbits += 8;
	}
	uint32_t code = z->bits & ((1u << z->width) - 1);
	z->bits >>= z->width;
	z->nbits -= z->width;
	return code;
}

static void clear_codes(struct lzw *z)
{
	z->len = z->first + 2;
	z->width = 1;
	while ((1u << z->width) < z->len)
		z->width++;
}

static void define(struct lzw *z, uint32_t before, uint8_t last)
{
	if (z->len == CODES)
		return;
	z->before[z->len] = (uint16_t)before;
	z->last[z->len] = last;
	z->head[z->len] = z->head[before];
	z->len++;
	if (z->len == 1u << z->width && z->width < 12)
		z->width++;
}

/* "The first row is every 8th, starting with row 0", then every 8th from 4, 4th from 2, 2nd from 1
 * (appendix E). */
static void next_row(struct gif *g)
{
	static const uint8_t start[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
	g->x = 0;
	if (!g->interlaced) {
		g->y++;
		return;
	}
	g->y += step[g->pass];
	while (g->y >= g->fheight && g->pass < 3)
		g->y = start[++g->pass];
}

static void put(struct gif *g, uint8_t color)
{
	uint32_t x = g->left + g->x, y = g->top + g->y;
	if (x < g->width && y < g->height)
		g->screen[(size_t)y * g->width + x] = g->gray[color];
	if (++g->x == g->fwidth)
		next_row(g);
}

/* The colours that a code stands for. `code` is defined. */
static void put_code(struct gif *g, uint32_t code)
{
	struct lzw *z = &g->lzw;
	uint32_t n = 0;
	for (; code >= z->first + 2; code = z->before[code])
		z->text[n++] = z->last[code];
	put(g, (uint8_t)code);
	while (n > 0 && g->y < g->fheight)
		put(g, z->text[--n]);
}

static st_t start_lzw(struct gif *g, struct err *e)
{
	struct lzw *z = &g->lzw;
	uint32_t size = rd_u8(&g->in);
	TRY(rd_check(&g->in, e, "gif: data"));
	if (size < 1 || size > 8)
		return fail(e, ST_MALFORMED, g->in.pos, "gif: colours of %u bits", size);
	z->in = g->in;
	z->first = 1u << size;
	for (uint32_t i = 0; i < z->first; i++)
		z->head[i] = z->last[i] = (uint8_t)i;
	clear_codes(z);
	return ST_OK;
}

/* Ends: each code takes a bit at least. */
static st_t read_frame(struct gif *g, struct err *e)
{
	struct lzw *z = &g->lzw;
	uint32_t before = NO_CODE;
	TRY(start_lzw(g, e));
	while (g->y < g->fheight && g->fwidth > 0) {
		uint32_t code = next_code(z);
		if (code == NO_CODE || code == z->first + 1)
			return fail(e, ST_TRUNCATED, z->in.pos, "gif: pixels are missing");
		if (code == z->first) {
			clear_codes(z);
			before = NO_CODE;
			continue;
		}
		if (code > z->len || (code == z->len && (before == NO_CODE || z->len == CODES)))
			return fail(e, ST_MALFORMED, z->in.pos, "gif: code %u", code);
		if (before != NO_CODE)
			define(z, before, z->head[code == z->len ? before : code]);
		put_code(g, code);
		before = code;
	}
	return ST_OK;
}

static st_t hash_screen(struct gif *g, uint64_t *ret, struct err *e)
{
	struct phash *hash = NULL;
	TRY(image_begin(g->width, g->height, &hash, e));
	for (uint32_t y = 0; y < g->height; y++)
		phash_row(hash, &g->screen[(size_t)y * g->width]);
	*ret = phash_finish(hash);
	phash_free(hash);
	return ST_OK;
}

static st_t decode(struct gif *g, uint64_t *ret, struct err *e)
{
	TRY(read_screen(g, e));
	TRY(find_frame(g, e));
	uint64_t pixels = (uint64_t)g->width * g->height;
	if (pixels == 0 || pixels > IMAGE_PIXELS_MAX)
		return fail(e, pixels ? ST_LIMIT : ST_MALFORMED, 0, "gif: %u x %u", g->width, g->height);
	g->screen = calloc(pixels, 1);
	if (!g->screen)
		return fail(e, ST_NOMEM, 0, "gif: no memory");
	TRY(read_frame(g, e));
	return hash_screen(g, ret, e);
}

st_t image_gif(struct rd in, uint64_t *ret, struct err *e)
{
	struct gif *g = calloc(1, sizeof *g);
	if (!g)
		return fail(e, ST_NOMEM, 0, "gif: no memory");
	g->in = in;
	st_t st = decode(g, ret, e);
	free(g->screen);
	free(g);
	return st;
}
