/* JPEG (ITU-T T.81) by libjpeg-turbo. Runs in the worker.
 *
 * libjpeg reports errors by calling error_exit(), which must not return: it jumps to decode().
 * Whatever must be freed is in struct job. */
#include "image/inside.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

/* Each scan of a progressive file takes time for the whole picture, however short it is. Usual
 * encoders write about ten; of small pictures more are allowed, by this many pixels in all. */
#define SCANNED_PIXELS_MAX (IMAGE_PIXELS_MAX * 10)

struct job {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf out;
	struct phash *hash;
	uint8_t *row, *gray;
	st_t st;
	struct err *e;
};

static void give_up(struct job *j, st_t st, const char *text)
{
	j->st = fail(j->e, st, 0, "jpeg: %s", text);
	longjmp(j->out, 1);
}

static bool is_limit(int code)
{
	return code == JERR_NO_BACKING_STORE || code == JERR_OUT_OF_MEMORY ||
	       code == JERR_IMAGE_TOO_BIG;
}

static void on_error(j_common_ptr jpeg)
{
	char text[JMSG_LENGTH_MAX];
	(*jpeg->err->format_message)(jpeg, text);
	give_up(jpeg->client_data, is_limit(jpeg->err->msg_code) ? ST_LIMIT : ST_MALFORMED, text);
}

static void on_message(j_common_ptr jpeg, int level)
{
	(void)jpeg;
	(void)level;
}

static void on_output(j_common_ptr jpeg)
{
	(void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
	struct job *j = jpeg->client_data;
	uint64_t pixels = (uint64_t)j->jpeg.image_width * j->jpeg.image_height;
	if (j->jpeg.input_scan_number > 0 &&
	    pixels > SCANNED_PIXELS_MAX / (uint64_t)j->jpeg.input_scan_number)
		give_up(j, ST_LIMIT, "too many scans");
}

static void set_up(struct job *j, struct rd in)
{
	size_t n = rd_left(&in);
	jpeg_create_decompress(&j->jpeg);
	j->jpeg.mem->max_memory_to_use = (long)IMAGE_MEMORY_MAX;
	j->jpeg.progress = &j->progress;
	jpeg_mem_src(&j->jpeg, rd_take(&in, n), n);
}

/* Colours are converted here, because the way of rounding shows in the hash. */
static st_t choose_colors(struct job *j)
{
	struct jpeg_decompress_struct *d = &j->jpeg;
	switch (d->jpeg_color_space) {
	case JCS_GRAYSCALE:
	case JCS_RGB:
	case JCS_YCbCr:
	case JCS_CMYK:
		d->out_color_space = d->jpeg_color_space;
		return ST_OK;
	case JCS_YCCK:
		d->out_color_space = JCS_CMYK;
		return ST_OK;
	default:
		return fail(j->e, ST_UNSUPPORTED, 0, "jpeg: %d components", d->num_components);
	}
}

static st_t read_header(struct job *j)
{
	struct jpeg_decompress_struct *d = &j->jpeg;
	if (jpeg_read_header(d, TRUE) != JPEG_HEADER_OK)
		return fail(j->e, ST_MALFORMED, 0, "jpeg: no picture");
	TRY(image_begin(d->image_width, d->image_height, &j->hash, j->e));
	TRY(choose_colors(j));
	d->dct_method = JDCT_ISLOW;
	j->row = malloc((size_t)d->image_width * (size_t)d->num_components);
	j->gray = malloc(d->image_width);
	return j->row && j->gray ? ST_OK : fail(j->e, ST_NOMEM, 0, "jpeg: no memory");
}

static uint8_t clamp(int32_t v)
{
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* ITU-T T.871, 7, in 14-bit fractions:
 *   R = Y + 1.402 * (CR - 128)
 *   G = Y - 0.344 * (CB - 128) - 0.714 * (CR - 128)
 *   B = Y + 1.772 * (CB - 128) */
static uint8_t gray_of_ycbcr(const uint8_t *p)
{
	int32_t y = p[0] * 16384 + 8191, cb = p[1] - 128, cr = p[2] - 128;
	return image_gray(clamp((y + 22970 * cr) >> 14), clamp((y - 11700 * cr - 5638 * cb) >> 14),
	                  clamp((y + 29032 * cb) >> 14));
}

/* x * y / 255, rounded. */
static uint8_t product(uint32_t x, uint32_t y)
{
	uint32_t t = x * y + 128;
	return (uint8_t)((t + (t >> 8)) >> 8);
}

/* Inks as Adobe writes them: 255 is none. */
static uint8_t gray_of_cmyk(const uint8_t *p)
{
	return image_gray(product(p[0], p[3]), product(p[1], p[3]), product(p[2], p[3]));
}

static uint8_t gray_of(J_COLOR_SPACE space, const uint8_t *p)
{
	switch (space) {
	case JCS_YCbCr:
		return gray_of_ycbcr(p);
	case JCS_CMYK:
		return gray_of_cmyk(p);
	case JCS_RGB:
		return image_gray(p[0], p[1], p[2]);
	default:
		return p[0];
	}
}

static void hash_row(struct job *j)
{
	size_t channels = (size_t)j->jpeg.output_components;
	for (size_t x = 0; x < j->jpeg.output_width; x++)
		j->gray[x] = gray_of(j->jpeg.out_color_space, &j->row[x * channels]);
	phash_row(j->hash, j->gray);
}

static st_t decode(struct job *j, struct rd in)
{
	if (setjmp(j->out))
		return j->st;
	set_up(j, in);
	TRY(read_header(j));
	jpeg_start_decompress(&j->jpeg);
	while (j->jpeg.output_scanline < j->jpeg.output_height) {
		JSAMPROW row = j->row;
		jpeg_read_scanlines(&j->jpeg, &row, 1);
		hash_row(j);
	}
	return ST_OK;
}

st_t image_jpeg(struct rd in, uint64_t *ret, struct err *e)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return fail(e, ST_NOMEM, 0, "jpeg: no memory");
	j->e = e;
	j->jpeg.err = jpeg_std_error(&j->errors);
	j->jpeg.client_data = j;
	j->errors.error_exit = on_error;
	j->errors.emit_message = on_message;
	j->errors.output_message = on_output;
	j->progress.progress_monitor = on_progress;
	st_t st = decode(j, in);
	if (st == ST_OK)
		*ret = phash_finish(j->hash);
	jpeg_destroy_decompress(&j->jpeg);
	phash_free(j->hash);
	free(j->row);
	free(j->gray);
	free(j);
	return st;
}
