#include "cli/progress.h"

#include "cli/text.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_NS UINT64_C(100000000)
#define BAR_WIDTH 20

struct progress_totals {
	_Atomic uint64_t files, bytes;
	_Atomic bool complete;
};

uint64_t clock_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static st_t count_entry(void *ctx, const struct walk_entry *en)
{
	struct progress_totals *t = ctx;
	if (en->kind == WALK_FILE) {
		atomic_fetch_add(&t->files, 1);
		atomic_fetch_add(&t->bytes, en->size);
	}
	return ST_OK;
}

static _Noreturn void count_all(struct progress_totals *t, const struct walk_opts *walk,
                                const struct str_list *paths, pid_t parent)
{
	struct walk_opts o = *walk;
	o.count_only = true;
	o.visit = count_entry;
	o.ctx = t;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bool counted = getppid() == parent;
	for (size_t i = 0; counted && i < paths->n; i++)
		counted = walk_path(&o, paths->v[i], NULL) == ST_OK;
	atomic_store(&t->complete, counted);
	_exit(0);
}

void progress_init(struct progress *p, bool on, const struct walk_opts *walk,
                   const struct str_list *paths)
{
	*p = (struct progress){.on = on, .start_ns = clock_now_ns()};
	if (!on)
		return;
	void *shared = mmap(NULL, sizeof *p->totals, PROT_READ | PROT_WRITE,
	                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return;
	p->totals = shared;
	pid_t parent = getpid();
	p->counter = fork();
	if (p->counter == 0)
		count_all(p->totals, walk, paths, parent);
}

void progress_done(struct progress *p)
{
	progress_clear(p);
	if (p->counter > 0) {
		kill(p->counter, SIGKILL);
		waitpid(p->counter, NULL, 0);
	}
	if (p->totals)
		munmap(p->totals, sizeof *p->totals);
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
	uint64_t all = p->totals ? atomic_load(&p->totals->bytes) : 0;
	bool complete = p->totals && atomic_load(&p->totals->complete) && all > 0;
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
