/* See image.h. */
#include "image/image.h"

#include "image/inside.h"

st_t image_begin(uint64_t width, uint64_t height, struct phash **ret, struct err *e)
{
	if (width == 0 || height == 0)
		return fail(e, ST_MALFORMED, 0, "image: no pixels");
	/* The first test keeps the product from wrapping. */
	if (width > PHASH_WIDTH_MAX || height > IMAGE_PIXELS_MAX / width)
		return fail(e, ST_LIMIT, 0, "image: too many pixels");
	return phash_new((uint32_t)width, (uint32_t)height, ret, e);
}

bool image_has_hash(enum file_type type)
{
	return type == FT_GIF || type == FT_PNG || type == FT_JPEG || type == FT_TIFF ||
	       type == FT_GRAPHICS;
}

st_t image_hash(struct rd in, enum file_type type, uint64_t *ret, struct err *e)
{
	switch (type) {
	case FT_PNG:
		return image_png(in, ret, e);
	case FT_JPEG:
		return image_jpeg(in, ret, e);
	case FT_GIF:
		return image_gif(in, ret, e);
	case FT_GRAPHICS:
		if (rd_peek(&in, "BM", 2))
			return image_bmp(in, ret, e);
		break;
	default:
		break;
	}
	return fail(e, ST_UNSUPPORTED, 0, "image: a format that is not decoded");
}
