/* See phash.h. Runs in the worker; all of it is arithmetic on samples, none steers anything.
 *
 * Invariants
 * 1. Sums run in the order of the samples, products are rounded before they are added (no fused
 *    operations, see meson.build).
 * 2. A row is added to the sums of those rows of the small picture whose window it lies in, so that
 *    the large picture is never in memory as a whole. */
#include "image/phash.h"

#include "base/num.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SIDE 32u /* of the small picture */
#define LOW 8u   /* frequencies looked at, in each direction */
#define LANCZOS 3.0f
#define SAMPLE_MAX 255.0f

/* Which samples of a line of n make one sample of the small picture, and how much of each. */
struct window {
	uint32_t left, right; /* left <= i < right */
	float at, scale, sum;
};

struct phash {
	uint32_t width, height, y;
	struct window rows[SIDE];
	float *sums; /* [SIDE][width] */
	float small[SIDE][SIDE];
};

static float sinc(float t)
{
	float a = t * 3.14159265358979323846f;
	return t == 0.0f ? 1.0f : sinf(a) / a;
}

static float lanczos(float x)
{
	return fabsf(x) < LANCZOS ? sinc(x) * sinc(x / LANCZOS) : 0.0f;
}

static float weight(const struct window *w, uint32_t i)
{
	return lanczos(((float)i - w->at) / w->scale);
}

/* Window of sample `out` of the small picture in a line of n. */
static struct window window_of(uint32_t n, uint32_t out)
{
	struct window w = {0};
	float ratio = (float)n / (float)SIDE;
	w.scale = ratio < 1.0f ? 1.0f : ratio;
	float centre = ((float)out + 0.5f) * ratio;
	float reach = LANCZOS * w.scale;
	float left = floorf(centre - reach), right = ceilf(centre + reach);
	w.left = left < 0.0f ? 0 : (uint32_t)num_min_u64((uint64_t)left, n - 1);
	w.right = (uint32_t)num_min_u64(num_max_u64((uint64_t)right, w.left + 1), n);
	w.at = centre - 0.5f;
	for (uint32_t i = w.left; i < w.right; i++)
		w.sum += weight(&w, i);
	return w;
}

st_t phash_new(uint32_t width, uint32_t height, struct phash **ret, struct err *e)
{
	if (width > PHASH_WIDTH_MAX)
		return fail(e, ST_LIMIT, 0, "image: %u columns", width);
	struct phash *p = calloc(1, sizeof *p);
	float *sums = calloc((size_t)SIDE * width, sizeof *sums);
	if (!p || !sums) {
		free(p);
		free(sums);
		return fail(e, ST_NOMEM, 0, "image: no memory");
	}
	*p = (struct phash){.width = width, .height = height, .sums = sums};
	for (uint32_t y = 0; y < SIDE; y++)
		p->rows[y] = window_of(height, y);
	*ret = p;
	return ST_OK;
}

void phash_free(struct phash *p)
{
	if (p)
		free(p->sums);
	free(p);
}

static bool is_small(const struct phash *p)
{
	return p->width == SIDE && p->height == SIDE;
}

static void add_row(float *sums, const uint8_t *gray, uint32_t n, float w)
{
	for (uint32_t x = 0; x < n; x++)
		sums[x] += (float)gray[x] * w;
}

void phash_row(struct phash *p, const uint8_t *gray)
{
	uint32_t y = p->y;
	if (y == p->height)
		return;
	p->y++;
	for (uint32_t x = 0; is_small(p) && x < SIDE; x++)
		p->small[y][x] = (float)gray[x];
	for (uint32_t out = 0; !is_small(p) && out < SIDE; out++) {
		const struct window *w = &p->rows[out];
		if (y >= w->left && y < w->right)
			add_row(&p->sums[(size_t)out * p->width], gray, p->width, weight(w, y) / w->sum);
	}
}

static void shrink_columns(struct phash *p)
{
	for (uint32_t x = 0; x < SIDE; x++) {
		struct window w = window_of(p->width, x);
		float t[SIDE] = {0};
		for (uint32_t i = w.left; i < w.right; i++) {
			float f = weight(&w, i) / w.sum;
			for (uint32_t y = 0; y < SIDE; y++)
				t[y] += p->sums[(size_t)y * p->width + i] * f;
		}
		for (uint32_t y = 0; y < SIDE; y++)
			p->small[y][x] = roundf(fminf(fmaxf(t[y], 0.0f), SAMPLE_MAX));
	}
}

/* DCT of type II of n samples (a power of two up to 32), in place and not normalised:
 *   X[k] = sum of x[i] * cos(pi * (i + 1/2) * k / n)
 * by splitting it into one of n/2 (even k) and two of n/4, as described by Plonka and Tasche, "Fast
 * and numerically stable algorithms for discrete cosine transforms" (2005). Depth at most 5. */
static void dct(float *x, uint32_t n)
{
	uint32_t half = n / 2, quarter = n / 4;
	float even[SIDE / 2], c[SIDE / 4], s[SIDE / 4];
	if (n < 2)
		return;
	if (n == 2) {
		float sum = x[0] + x[1];
		x[1] = (x[0] - x[1]) * 0.70710678118654752440f;
		x[0] = sum;
		return;
	}
	for (uint32_t i = 0; i < quarter; i++) {
		double angle = 2.0 * M_PI / (4.0 * n) * (2.0 * i + 1.0);
		float re = (float)cos(angle), im = (float)sin(angle);
		float outer = x[i] - x[n - 1 - i], inner = x[half - 1 - i] - x[half + i];
		float turned = inner * re - outer * im;
		even[i] = x[n - 1 - i] + x[i];
		even[half - 1 - i] = x[half - 1 - i] + x[half + i];
		c[i] = outer * re + inner * im;
		s[quarter - 1 - i] = i % 2 ? -turned : turned;
	}
	dct(even, half);
	dct(c, quarter);
	dct(s, quarter);
	for (uint32_t i = 0; i < half; i++)
		x[2 * i] = even[i];
	x[1] = c[0];
	x[n - 1] = -s[0];
	for (uint32_t i = 1; i < quarter; i++) {
		float t = (i + quarter) % 2 ? s[quarter - i] : -s[quarter - i];
		x[4 * i - 1] = c[i] + t;
		x[4 * i + 1] = c[i] - t;
	}
}

static void transpose(float m[SIDE][SIDE])
{
	for (uint32_t y = 0; y < SIDE; y++)
		for (uint32_t x = 0; x < y; x++) {
			float t = m[y][x];
			m[y][x] = m[x][y];
			m[x][y] = t;
		}
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static uint64_t bits_of(float m[SIDE][SIDE])
{
	float low[LOW * LOW], sorted[LOW * LOW];
	uint64_t bits = 0;
	for (uint32_t i = 0; i < LOW * LOW; i++)
		low[i] = sorted[i] = m[i / LOW][i % LOW];
	qsort(sorted, LOW * LOW, sizeof *sorted, compare);
	float median = (sorted[LOW * LOW / 2 - 1] + sorted[LOW * LOW / 2]) / 2.0f;
	for (uint32_t i = 0; i < LOW * LOW; i++)
		bits = bits << 1 | (low[i] > median);
	return bits;
}

uint64_t phash_finish(struct phash *p)
{
	if (!is_small(p))
		shrink_columns(p);
	for (uint32_t i = 0; i < SIDE * SIDE; i++)
		p->small[i / SIDE][i % SIDE] /= SAMPLE_MAX;
	for (uint32_t pass = 0; pass < 2; pass++) {
		transpose(p->small);
		for (uint32_t y = 0; y < SIDE; y++)
			dct(p->small[y], SIDE);
	}
	return bits_of(p->small);
}
