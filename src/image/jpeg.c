/* JPEG (ITU-T T.81) by libjpeg-turbo. Runs in the worker.
 *
 * libjpeg reports errors by calling error_exit(), which must not return: it jumps to decode().
 * Whatever must be freed is in struct job. */
#include "image/inside.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

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

static void on_error(j_common_ptr jpeg)
{
	char text[JMSG_LENGTH_MAX];
	(*jpeg->err->format_message)(jpeg, text);
	give_up(jpeg->client_data, ST_MALFORMED, text);
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

static st_t read_header(struct job *j)
{
	struct jpeg_decompress_struct *d = &j->jpeg;
	if (jpeg_read_header(d, TRUE) != JPEG_HEADER_OK)
		return fail(j->e, ST_MALFORMED, 0, "jpeg: no picture");
	TRY(image_begin(d->image_width, d->image_height, &j->hash, j->e));
	if (d->num_components == 1)
		d->out_color_space = JCS_GRAYSCALE;
	else if (d->num_components == 3)
		d->out_color_space = JCS_RGB;
	else
		return fail(j->e, ST_UNSUPPORTED, 0, "jpeg: %d components", d->num_components);
	d->dct_method = JDCT_ISLOW;
	j->row = malloc((size_t)d->image_width * (size_t)d->num_components);
	j->gray = malloc(d->image_width);
	return j->row && j->gray ? ST_OK : fail(j->e, ST_NOMEM, 0, "jpeg: no memory");
}

static void hash_row(struct job *j)
{
	size_t channels = (size_t)j->jpeg.output_components;
	for (size_t x = 0; x < j->jpeg.output_width; x++) {
		const uint8_t *p = &j->row[x * channels];
		j->gray[x] = channels == 1 ? p[0] : image_gray(p[0], p[1], p[2]);
	}
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
