/* Times the check of a log in a folder, and what the machine can hash at most: figures for
 * bench/tlog, a line each, "NAME VALUE UNIT".
 *
 * usage: tlog_check DIR [JOBS [RUNS]]
 * The fastest of RUNS runs counts, warm in the page cache. */
#include "log/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define HASHES 3000000

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void measure_hashes(void)
{
	struct tlog_hasher h = {0};
	struct tlog_hash a = {{1}}, b = {{2}};
	double start = now();
	for (unsigned i = 0; i < HASHES; i++)
		tlog_hash_node(&h, &a, &b, &a);
	printf("node_hashes_one_core %.2f M/s\n", HASHES / (now() - start) / 1e6);
}

static st_t check_once(int dir, unsigned jobs, struct log_check_report *r, struct err *e)
{
	struct log_source *s;
	struct log_check_opts o = {.jobs = jobs};
	TRY(log_source_new_folder(dir, &s, e));
	st_t st = log_check(s, NULL, &o, r, e);
	log_check_report_done(r);
	log_source_free(s);
	return st;
}

int main(int argc, char **argv)
{
	static struct log_check_report r;
	struct err e = {0};
	struct rusage used;
	unsigned jobs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
	unsigned runs = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 3;
	int dir = argc > 1 ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	double best = 0, best_cpu = 0;
	if (dir < 0) {
		fputs("usage: tlog_check DIR [JOBS [RUNS]]\n", stderr);
		return 2;
	}
	for (unsigned i = 0; i < runs; i++) {
		double start = now(), start_cpu = cpu();
		if (check_once(dir, jobs, &r, &e) != ST_OK) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		double took = now() - start;
		if (i == 0 || took < best) {
			best = took;
			best_cpu = cpu() - start_cpu;
		}
	}
	getrusage(RUSAGE_SELF, &used);
	printf("log_check_entries %llu entries\n", (unsigned long long)r.counts.entries);
	printf("log_check_jobs %u threads\n", jobs);
	printf("log_check_time %.3f s\n", best);
	printf("log_check_cpu %.3f s\n", best_cpu);
	printf("log_check_rate %.0f entries/s\n", (double)r.counts.entries / best);
	printf("log_check_bytes %.0f MB/s\n", (double)r.counts.bytes / best / 1e6);
	printf("log_check_memory %.1f MB\n", (double)used.ru_maxrss / 1024);
	measure_hashes();
	return 0;
}
