#include "cli/bar.h"

#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>

#define FIRST_NS UINT64_C(1000000000)
#define REDRAW_NS UINT64_C(100000000)
#define WIDTH 20

void bar_init(struct bar *b, bool on, const char *unit)
{
	*b = (struct bar){.on = on, .unit = unit, .start_ns = clock_now_ns()};
}

static void draw(const struct bar *b, uint64_t done, uint64_t total, uint64_t ns)
{
	char bar[WIDTH + 1];
	double part = total ? (double)done / (double)total : 0;
	double rate = (double)done / ((double)(ns - b->start_ns) / 1e9);
	for (int i = 0; i < WIDTH; i++)
		bar[i] = (double)i < part * WIDTH ? '#' : '.';
	bar[WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %" PRIu64 " of %" PRIu64 " %s, %.0f/s", bar, done, total, b->unit,
	        rate);
	if (rate >= 1 && total >= done) {
		uint64_t left = (uint64_t)((double)(total - done) / rate);
		fprintf(stderr, ", %" PRIu64 ":%02" PRIu64 " left", left / 60, left % 60);
	}
	fputs("\x1b[K", stderr);
}

void bar_tick(struct bar *b, uint64_t done, uint64_t total)
{
	if (!b->on)
		return;
	uint64_t ns = clock_now_ns();
	if (ns - b->start_ns < FIRST_NS || ns - b->last_ns < REDRAW_NS)
		return;
	b->last_ns = ns;
	draw(b, done, total, ns);
	fflush(stderr);
	b->drawn = true;
}

void bar_clear(struct bar *b)
{
	if (!b->drawn)
		return;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
	b->drawn = false;
}
