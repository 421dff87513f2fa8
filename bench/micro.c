/* The engine alone: how fast it goes through files that are already in memory.
 *
 *   micro [--levels] DB.vdb FILES.list
 *
 * Prints a line for each kernel level ("all" only, without --levels): level, MB/s, then bytes,
 * files, files with a match, and the engine's counters per KB of input. A file is read whole into
 * one buffer, then begin, feed and finish are timed: the same way in which vscan.c times
 * Vectorscan. Types and the shape of executables are found out as the scanner does, outside the
 * time measured; containers are not opened and texts are looked at as they are. */
#include "base/io.h"
#include "db/db.h"
#include "db/filetypes.h"
#include "match/cpu.h"
#include "parse/exe.h"
#include "parse/filetype.h"
#include "verify/engine.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATH_LINE_MAX 8192

/* Largest file that is read; the lists of gen.py hold nothing bigger. */
#define FILE_MAX_LEN (64u << 20)

struct totals {
	uint64_t bytes, files, found;
	uint64_t evaluated; /* files in which the condition of a signature was evaluated */
	double seconds;
};

_Noreturn static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "micro: %s: %s\n", what, e->text[0] != '\0' ? e->text : "failed");
	exit(2);
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* NULL if it is no executable or its headers make no sense. */
static const struct exe_layout *layout_of(uint8_t target, struct rd in)
{
	static struct exe_layout exe;
	st_t st = ST_UNSUPPORTED;
	if (target == TARGET_PE)
		st = pe_parse(in, &exe, NULL);
	else if (target == TARGET_ELF)
		st = elf_parse(in, &exe, NULL);
	else if (target == TARGET_MACHO)
		st = macho_parse(in, &exe, NULL);
	if (st != ST_OK || !exe.valid)
		return NULL;
	if (target == TARGET_PE)
		pe_version_keys(in, &exe);
	return &exe;
}

static size_t read_file(const char *path, uint8_t *buf)
{
	struct err e = {0};
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	if (fd < 0 || io_pread_full(fd, buf, FILE_MAX_LEN, 0, &n, &e) != ST_OK)
		die(path, &e);
	return n;
}

static void scan_file(struct engine *g, const char *path, uint8_t *buf, struct totals *t)
{
	size_t n = read_file(path, buf), head = n < FILETYPE_HEAD ? n : FILETYPE_HEAD;
	uint8_t target = filetype_target(filetype_detect(rd_make(buf, head), n));
	struct object_facts facts = {.file_size = n, .exe = layout_of(target, rd_make(buf, n))};
	uint64_t evaluated = engine_stats(g).evaluated;
	const uint32_t *sigs = NULL;
	size_t nsigs = 0;
	struct err e = {0};
	double start = now_s();
	engine_begin(g, target, buf, n, &facts);
	engine_feed(g, n);
	st_t st = engine_finish(g, &sigs, &nsigs, &e);
	if (st != ST_OK && st != ST_LIMIT)
		die(path, &e);
	t->seconds += now_s() - start;
	t->bytes += n;
	t->files++;
	t->found += nsigs > 0;
	t->evaluated += engine_stats(g).evaluated > evaluated;
}

static void print_totals(const char *level, const struct totals *t, struct engine_stats s)
{
	double kb = (double)t->bytes / 1e3;
	printf("%s %.1f %llu bytes, %llu files, %llu with a match; "
	       "%.3f candidates, %.3f confirms, %.5f conditions a KB; "
	       "conditions in %llu files\n",
	       level, (double)t->bytes / t->seconds / 1e6, (unsigned long long)t->bytes,
	       (unsigned long long)t->files, (unsigned long long)t->found,
	       (double)s.candidates / kb, (double)s.confirms / kb, (double)s.evaluated / kb,
	       (unsigned long long)t->evaluated);
}

static void run_level(const struct db *db, const char *level, const char *list, uint8_t *buf)
{
	uint32_t mask = 0;
	struct err e = {0};
	struct engine *g = NULL;
	if (cpu_mask_by_name(level, &mask) != 0 || engine_new(db, mask, &g, &e) != ST_OK)
		die(level, &e);
	FILE *f = fopen(list, "r");
	if (f == NULL)
		die(list, &e);
	char line[PATH_LINE_MAX];
	struct totals t = {0};
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		scan_file(g, line, buf, &t);
	}
	fclose(f);
	print_totals(level, &t, engine_stats(g));
	engine_free(g);
}

int main(int argc, char **argv)
{
	bool each = argc == 4 && strcmp(argv[1], "--levels") == 0;
	if (argc != 3 && !each) {
		fprintf(stderr, "usage: micro [--levels] DB.vdb FILES.list\n");
		return 2;
	}
	const char *path = argv[argc - 2], *list = argv[argc - 1];
	struct err e = {0};
	struct db *db = NULL;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || db_open(fd, &db, &e) != ST_OK)
		die(path, &e);
	uint8_t *buf = malloc(FILE_MAX_LEN);
	if (buf == NULL)
		die("memory", &e);
	static const char *const levels[] = {"scalar", "avx2", "avx512"};
	for (size_t i = 0; each && i < sizeof levels / sizeof levels[0]; i++)
		run_level(db, levels[i], list, buf);
	if (!each)
		run_level(db, "all", list, buf);
	free(buf);
	db_close(db);
	return 0;
}
