/* PNG (ISO/IEC 15948) by libpng. Runs in the worker.
 *
 * libpng reports errors by longjmp. They end in decode(): whatever must be freed is in struct job,
 * and no function between the jump and decode() holds anything else. */
#include "image/inside.h"

#include <png.h>
#include <stdlib.h>

/* A chunk that is kept (the palette has 768 bytes). */
#define CHUNK_MAX ((png_alloc_size_t)1 << 16)

struct job {
	struct rd in;
	png_structp png;
	png_infop info;
	struct phash *hash;
	uint8_t *rows; /* all of them if interlaced, else one */
	uint8_t *gray; /* one row */
	uint32_t width, height, channels;
	int passes;
	st_t st;
	struct err *e;
};

static void on_error(png_structp png, png_const_charp text)
{
	struct job *j = png_get_error_ptr(png);
	st_t st = j->in.bad ? ST_TRUNCATED : ST_MALFORMED;
	j->st = fail(j->e, st, j->in.pos, "png: %s", text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
	struct job *j = png_get_io_ptr(png);
	rd_copy(&j->in, to, n);
	if (j->in.bad)
		png_error(png, "truncated");
}

/* Chunks besides IHDR, PLTE, IDAT and IEND are passed over: neither alpha nor gamma, profiles and
 * text count, and what is not parsed cannot hurt. Checksums of the pixels alone do not matter to
 * sigtool either. */
static void set_up(struct job *j)
{
	png_set_read_fn(j->png, j, read_bytes);
	png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_user_limits(j->png, PHASH_WIDTH_MAX, (png_uint_32)IMAGE_PIXELS_MAX);
	png_set_chunk_malloc_max(j->png, CHUNK_MAX);
#ifdef PNG_IGNORE_ADLER32 /* not in every libpng */
	png_set_option(j->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
#endif
}

static st_t make_room(struct job *j)
{
	uint64_t rows = j->passes > 1 ? j->height : 1;
	uint64_t bytes = rows * j->width * j->channels; /* of less than IMAGE_PIXELS_MAX pixels */
	if (bytes > IMAGE_MEMORY_MAX)
		return fail(j->e, ST_LIMIT, 0, "png: too large to be interlaced");
	j->rows = calloc(bytes, 1);
	j->gray = malloc(j->width);
	return j->rows && j->gray ? ST_OK : fail(j->e, ST_NOMEM, 0, "png: no memory");
}

static st_t read_header(struct job *j)
{
	png_read_info(j->png, j->info);
	j->width = png_get_image_width(j->png, j->info);
	j->height = png_get_image_height(j->png, j->info);
	TRY(image_begin(j->width, j->height, &j->hash, j->e));
	png_set_expand(j->png);
	png_set_scale_16(j->png);
	png_set_strip_alpha(j->png);
	j->passes = png_set_interlace_handling(j->png);
	png_read_update_info(j->png, j->info);
	j->channels = png_get_channels(j->png, j->info);
	if (j->channels != 1 && j->channels != 3)
		return fail(j->e, ST_UNSUPPORTED, 0, "png: %u channels", j->channels);
	return make_room(j);
}

static void hash_row(struct job *j, const uint8_t *row)
{
	for (uint32_t x = 0; x < j->width; x++) {
		const uint8_t *p = &row[(size_t)x * j->channels];
		j->gray[x] = j->channels == 1 ? p[0] : image_gray(p[0], p[1], p[2]);
	}
	phash_row(j->hash, j->gray);
}

static void read_rows(struct job *j)
{
	size_t stride = j->passes > 1 ? (size_t)j->width * j->channels : 0;
	for (int pass = 1; pass <= j->passes; pass++)
		for (uint32_t y = 0; y < j->height; y++) {
			png_read_row(j->png, &j->rows[y * stride], NULL);
			if (pass == j->passes)
				hash_row(j, &j->rows[y * stride]);
		}
}

static st_t decode(struct job *j)
{
	if (setjmp(png_jmpbuf(j->png)))
		return j->st;
	set_up(j);
	TRY(read_header(j));
	read_rows(j);
	return ST_OK;
}

st_t image_png(struct rd in, uint64_t *ret, struct err *e)
{
	struct job j = {.in = in, .e = e};
	st_t st = ST_NOMEM;
	j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
	j.info = j.png ? png_create_info_struct(j.png) : NULL;
	if (j.info)
		st = decode(&j);
	if (st == ST_OK)
		*ret = phash_finish(j.hash);
	png_destroy_read_struct(&j.png, &j.info, NULL);
	phash_free(j.hash);
	free(j.rows);
	free(j.gray);
	return st;
}
