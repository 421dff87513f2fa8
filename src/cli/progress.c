#include "cli/progress.h"

#include "cli/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REDRAW_NS UINT64_C(100000000)
#define BAR_WIDTH 20

struct progress_count {
	pthread_t thread;
	const struct walk_opts *walk;
	const struct str_list *paths;
	_Atomic uint64_t files, bytes;
	_Atomic bool complete, stop;
};

uint64_t clock_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static st_t count_entry(void *ctx, const struct walk_entry *en)
{
	struct progress_count *c = ctx;
	if (en->kind == WALK_FILE) {
		atomic_fetch_add(&c->files, 1);
		atomic_fetch_add(&c->bytes, en->size);
	}
	return atomic_load(&c->stop) ? ST_LIMIT : ST_OK;
}

static void *count_all(void *ctx)
{
	struct progress_count *c = ctx;
	struct walk_opts o = *c->walk;
	o.count_only = true;
	o.visit = count_entry;
	o.ctx = c;
	bool counted = true;
	for (size_t i = 0; counted && i < c->paths->n; i++)
		counted = walk_path(&o, c->paths->v[i], NULL) == ST_OK;
	atomic_store(&c->complete, counted);
	return NULL;
}

void progress_init(struct progress *p, bool on, const struct walk_opts *walk,
                   const struct str_list *paths)
{
	*p = (struct progress){.on = on, .start_ns = clock_now_ns()};
	struct progress_count *c = on && paths->n ? calloc(1, sizeof *c) : NULL;
	if (!c)
		return;
	c->walk = walk;
	c->paths = paths;
	if (pthread_create(&c->thread, NULL, count_all, c))
		free(c);
	else
		p->count = c;
}

void progress_done(struct progress *p)
{
	progress_clear(p);
	if (p->count) {
		atomic_store(&p->count->stop, true);
		pthread_join(p->count->thread, NULL);
		free(p->count);
	}
	*p = (struct progress){0};
}

static void draw_bar(double done)
{
	char bar[BAR_WIDTH + 1];
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = (double)i < done * BAR_WIDTH ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "[%s] ", bar);
}

static void draw(struct progress *p, const struct run_totals *now, uint64_t ns)
{
	double seconds = (double)(ns - p->start_ns) / 1e9;
	double rate = seconds > 0 ? (double)now->bytes / seconds : 0;
	uint64_t all = p->count ? atomic_load(&p->count->bytes) : 0;
	bool complete = p->count && atomic_load(&p->count->complete) && all > 0;
	char size[32];
	text_size(size, sizeof size, now->bytes);
	fputs("\r", stderr);
	if (complete)
		draw_bar((double)now->bytes / (double)all);
	fprintf(stderr, "%llu files, %s, %.0f MB/s, %llu found", (unsigned long long)now->files, size,
	        rate / 1e6, (unsigned long long)p->found);
	if (complete && rate > 0 && all >= now->bytes) {
		uint64_t left = (uint64_t)((double)(all - now->bytes) / rate);
		fprintf(stderr, ", %llu:%02llu left", (unsigned long long)left / 60,
		        (unsigned long long)left % 60);
	}
	fputs("\x1b[K", stderr);
	p->drawn = true;
}

void progress_tick(struct progress *p, const struct run_totals *now)
{
	if (!p->on)
		return;
	uint64_t ns = clock_now_ns();
	if (ns - p->last_ns < REDRAW_NS)
		return;
	p->last_ns = ns;
	fflush(stdout);
	draw(p, now, ns);
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
	p->drawn = false;
}
