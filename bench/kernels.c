/* The kernels alone: what a pass over every byte costs.
 *
 *   kernels DB.vdb FILES.list
 *
 * Prints, for each class (in the first filter that has it) and each level of kernels, picoseconds
 * and candidates for a byte of input that is in the cache. These are the numbers of pass_cost in
 * src/sig/emit.c. */
#include "base/io.h"
#include "db/db.h"
#include "db/gram.h"
#include "db/view.h"
#include "match/cpu.h"
#include "match/kernels.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATH_LINE_MAX 8192

/* Input is taken in groups of blocks that fit in the second cache; of each file the beginning. */
#define GROUP (8 * (size_t)MATCH_BLOCK)
#define SAMPLE (24u << 20)
#define FILE_PART 400000u

/* The best of a few runs over a group counts: others use this machine, too. */
#define RUNS 4

static const char *const class_name[DB_CLASSES] = {"8_8", "8_4", "4_4", "4_2", "4_1", "2_1"};

static uint32_t pos[MATCH_CANDIDATES];

_Noreturn static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "kernels: %s: %s\n", what, e->text[0] != '\0' ? e->text : "failed");
	exit(2);
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The first bytes of the files, one behind the other. */
static size_t read_sample(const char *list, uint8_t *buf)
{
	struct err e = {0};
	char line[PATH_LINE_MAX];
	size_t len = 0;
	FILE *f = fopen(list, "r");
	if (f == NULL)
		die(list, &e);
	while (len + FILE_PART <= SAMPLE && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		AUTO_FD fd = open(line, O_RDONLY | O_CLOEXEC);
		size_t n = 0;
		if (fd < 0 || io_pread_full(fd, buf + len, FILE_PART, 0, &n, &e) != ST_OK)
			die(line, &e);
		len += n;
	}
	fclose(f);
	return len;
}

static size_t run_group(match_kernel *probe, const struct match_class *c, const uint8_t *data)
{
	size_t n = 0;
	for (size_t at = 0; at < GROUP; at += MATCH_BLOCK)
		n += probe(c, data + at, 0, MATCH_BLOCK, pos);
	return n;
}

static void run_level(const char *level, const struct match_class *c, const uint8_t *data,
                      size_t len)
{
	uint32_t mask = 0;
	double seconds = 0;
	size_t done = 0, n = 0;
	cpu_mask_by_name(level, &mask);
	match_kernel *probe = kernels_select(mask).probe[c->id];
	for (; len - done >= GROUP + gram_class(c->id).len; done += GROUP) {
		double best = 1e9;
		for (unsigned i = 0; i < RUNS; i++) {
			double start = now_s();
			size_t found = run_group(probe, c, data + done);
			double took = now_s() - start;
			best = took < best ? took : best;
			n += i == 0 ? found : 0;
		}
		seconds += best;
	}
	printf("%s %s: %.0f ps, %.5f candidates a byte\n", class_name[c->id], level,
	       seconds / (double)done * 1e12, (double)n / (double)done);
}

static void run_class(const struct db_view *v, enum db_class_id id, const struct db_class *dc,
                      const uint8_t *data, size_t len)
{
	static const char *const levels[] = {"scalar", "avx2", "avx512"};
	struct nibbles nibbles;
	struct match_class c = {.id = id, .bloom_log2 = dc->bloom_log2, .bloom = v->bloom + dc->bloom,
	                        .nibbles = &nibbles};
	if (id == DB_CLASS_2_1)
		nibbles_make(c.bloom, &nibbles);
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		run_level(levels[i], &c, data, len);
}

static const struct db_class *first_of_class(const struct db_view *v, enum db_class_id id)
{
	for (size_t f = 0; f < v->nfilter; f++)
		if (v->filter[f].cls[id].ngrams)
			return &v->filter[f].cls[id];
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: kernels DB.vdb FILES.list\n");
		return 2;
	}
	struct err e = {0};
	struct db *db = NULL;
	AUTO_FD fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || db_open(fd, &db, &e) != ST_OK)
		die(argv[1], &e);
	uint8_t *buf = malloc(SAMPLE);
	if (buf == NULL)
		die("memory", &e);
	size_t len = read_sample(argv[2], buf);
	const struct db_view *v = db_view(db);
	for (enum db_class_id id = 0; len > GROUP + 8 && id < DB_CLASSES; id++) {
		const struct db_class *c = first_of_class(v, id);
		if (c != NULL)
			run_class(v, id, c, buf, len);
	}
	free(buf);
	db_close(db);
	return 0;
}
