/* Inside of image/: one decoder per format. Each gives phash.h the gray rows of the (first) picture
 * and knows nothing of the hash but that. Statuses as in image.h.
 *
 * Colours become gray as sigtool 1.4.6 has it: 16 bits are rounded to 8, alpha is dropped, so that
 * a transparent pixel has the colour that the file gives it. */
#ifndef VITRINE_IMAGE_INSIDE_H
#define VITRINE_IMAGE_INSIDE_H

#include "base/rd.h"
#include "image/phash.h"

/* A second of work or two, a few times more than cameras make. */
#define IMAGE_PIXELS_MAX (UINT64_C(100) << 20)

/* Of pictures that cannot be had row by row (interlaced, progressive). */
#define IMAGE_MEMORY_MAX (UINT64_C(256) << 20)

/* Luma of ITU-R BT.601 in single precision, summed from left to right, rounded half up: another
 * order gives other hashes. */
static inline uint8_t image_gray(uint8_t r, uint8_t g, uint8_t b)
{
	float v = 0.299f * (float)r + 0.587f * (float)g + 0.114f * (float)b;
	uint32_t whole = (uint32_t)v;
	return (uint8_t)(whole + (v - (float)whole >= 0.5f));
}

/* phash_new() within IMAGE_PIXELS_MAX; ST_MALFORMED for a picture without pixels. */
st_t image_begin(uint64_t width, uint64_t height, struct phash **ret, struct err *e);

st_t image_png(struct rd in, uint64_t *ret, struct err *e);
st_t image_jpeg(struct rd in, uint64_t *ret, struct err *e);
st_t image_gif(struct rd in, uint64_t *ret, struct err *e);
st_t image_bmp(struct rd in, uint64_t *ret, struct err *e);

#endif
