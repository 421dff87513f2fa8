/* image_hash() on hostile bytes, each format by its magic. */
#include "image/image.h"

/* So that one input costs milliseconds; that the real limit holds is for the unit test. */
#define PIXELS_MAX (UINT64_C(1) << 20)

static uint64_t area(const struct rd *in, uint64_t off, bool words)
{
	struct rd r = rd_at(in, off, words ? 8 : 4);
	uint64_t a = words ? rd_u32be(&r) : rd_u16be(&r);
	uint64_t b = words ? rd_u32be(&r) : rd_u16be(&r);
	return r.bad || a > PIXELS_MAX || b > PIXELS_MAX ? UINT64_MAX : a * b;
}

static uint64_t area_gif(const struct rd *in, uint64_t off)
{
	struct rd r = rd_at(in, off, 4);
	uint64_t w = rd_u16le(&r);
	return w * rd_u16le(&r);
}

/* Whatever may be a frame header of a JPEG file is one here. */
static uint64_t area_jpeg(const struct rd *in)
{
	uint64_t most = 0;
	for (size_t i = 1; i + 8 < in->len; i++) {
		uint64_t n = (rd_byte(in, i) & 0xf0) == 0xc0 ? area(in, i + 4, false) : 0;
		most = n > most ? n : most;
	}
	return most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_make(data, size);
	uint64_t hash, pixels = 0;
	enum file_type type = FT_GRAPHICS;
	if (rd_peek(&in, "\x89PNG", 4)) {
		type = FT_PNG;
		pixels = area(&in, 16, true);
	} else if (rd_peek(&in, "\xff\xd8", 2)) {
		type = FT_JPEG;
		pixels = area_jpeg(&in);
	} else if (rd_peek(&in, "GIF8", 4)) {
		type = FT_GIF;
		pixels = area_gif(&in, 6);
	}
	if (pixels <= PIXELS_MAX && image_hash(in, type, &hash, NULL) < 0)
		__builtin_trap();
	return 0;
}
