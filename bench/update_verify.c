/* What it costs to verify an update, beside hashing its files: processor time and memory of
 * chain_check() over a repository in memory (test/unit/update_world.h), one line a case.
 *
 * usage: update_verify [--runs N] [--targets N] [--size MB] */
#include "../test/unit/update_world.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct measured {
	double ms;   /* processor time, mean */
	long kb;     /* memory at its peak, beyond what there was before */
	uint64_t bytes, requests;
};

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long status_kb(const char *key)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, key, strlen(key)))
			kb = strtol(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

/* The kernel's peak starts again at what is in memory now. */
static void forget_peak(void)
{
	malloc_trim(0);
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "5", 1) != 1)
		fprintf(stderr, "the peak of memory is that of the whole run\n");
	if (fd >= 0)
		close(fd);
}

static void must_pass(struct world *w)
{
	if (world_check(w) == ST_OK)
		return;
	fprintf(stderr, "refused: %s\n", w->e.text);
	exit(1);
}

/* `before` sets up each run and is not measured. */
static struct measured measure(struct world *w, unsigned runs, void (*before)(struct world *))
{
	struct measured m = {0};
	for (unsigned i = 0; i < runs; i++) {
		before(w);
		forget_peak();
		long was = status_kb("VmRSS:");
		double start = cpu_ms();
		must_pass(w);
		m.ms += (cpu_ms() - start) / runs;
		long grown = status_kb("VmHWM:") - was;
		m.kb = grown > m.kb ? grown : m.kb;
		m.bytes = w->source_of.bytes;
		m.requests = w->source_of.requests;
	}
	return m;
}

static void print(const char *what, const struct measured *m)
{
	printf("%-44s %8.2f ms cpu %7.1f MB peak %9llu bytes %3llu requests\n", what, m->ms,
	       (double)m->kb / 1024, (unsigned long long)m->bytes, (unsigned long long)m->requests);
}

static void first_time(struct world *w)
{
	world_clear(&w->store);
}

static void nothing(struct world *w)
{
	(void)w;
}

static void log_grew(struct world *w)
{
	w->nleaves -= w->nleaves > 900 ? 600 : 0;
	world_add_entries(w, 300);
	world_publish(w);
}

/* Every file from the source again. */
static void empty_spool(struct world *w)
{
	world_clear(&w->store);
	world_spool_put(w, &w->vdb, "", 0);
}

static void large_database(struct world *w, size_t mb)
{
	uint64_t state = 1;
	buf_done(&w->vdb);
	for (size_t i = 0; i < mb << 17; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		buf_u32le(&w->vdb, (uint32_t)(state >> 33));
		buf_u32le(&w->vdb, (uint32_t)i);
	}
	w->release.version++;
	world_publish(w);
}

static unsigned number(const char *s)
{
	return (unsigned)strtoul(s, NULL, 10);
}

int main(int argc, char **argv)
{
	unsigned runs = 100, targets = 300, mb = 64;
	uint8_t sum[32];
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--runs"))
			runs = number(argv[i + 1]);
		if (!strcmp(argv[i], "--targets"))
			targets = number(argv[i + 1]);
		if (!strcmp(argv[i], "--size"))
			mb = number(argv[i + 1]);
	}
	struct world *w = world_new();
	w->more_targets = targets;
	world_publish(w);
	w->evidence_only = true;
	must_pass(w);
	struct measured m = measure(w, runs, first_time);
	print("all evidence, for the first time", &m);
	world_sha256(&w->vdb, sum);
	w->have = sum;
	must_pass(w);
	m = measure(w, runs, nothing);
	print("nothing changed", &m);
	m = measure(w, runs < 3 ? runs : 3, log_grew);
	print("a new release, the log grew by 300", &m);
	w->evidence_only = false;
	w->have = NULL;
	large_database(w, mb);
	m = measure(w, 2, empty_spool);
	print("with a database, compressed on the way", &m);
	world_free(w);
	return 0;
}
