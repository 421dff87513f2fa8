/* Makes src/sig/gramfreq.bin: how common grams are in ordinary files (src/sig/freq.h).
 *
 *   find /usr -xdev -type f | sort | tools/gramfreq OUT      (build: ninja tools/gramfreq)
 *
 * Every file is sampled in stretches; the table is a heuristic that decides only how fast a compiled
 * database is, never what it finds. It is made seldom and committed. */
#include "db/gram.h"
#include "sig/freq.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STRETCH 65536u      /* bytes read at a time */
#define EVERY 8u            /* one 8-byte gram in so many is counted singly */
#define SAMPLES_MAX (96u << 20)
#define BYTES_PER_FILE (2u << 20)

static uint64_t count3[FREQ3_SLOTS], count4[FREQ4_SLOTS], probes4;
static uint64_t *sample;
static size_t nsamples;

static void count(const uint8_t *p, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i + 8 <= n; i++) {
		struct gram g = gram4(p + i);
		count3[pair_odd(g.check).y >> (32 - FREQ3_LOG2)]++;
		count4[g.y >> (32 - FREQ4_LOG2)]++;
		probes4++;
		*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		if ((*seed >> 40) % EVERY == 0 && nsamples < SAMPLES_MAX)
			sample[nsamples++] = load_u64le(p + i) | GRAM_FOLD8;
	}
}

static void read_file(const char *path)
{
	static uint8_t buf[STRETCH];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	off_t step = size > (off_t)BYTES_PER_FILE ? size / (BYTES_PER_FILE / STRETCH) : (off_t)STRETCH;
	uint64_t seed = (uint64_t)size;
	for (off_t at = 0; at < size; at += step) {
		ssize_t n = pread(fd, buf, sizeof buf, at);
		if (n > 0)
			count(buf, (size_t)n, &seed);
	}
	close(fd);
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = load_u64le(a), y = load_u64le(b);
	return x < y ? -1 : x > y;
}

/* 8 * log2(1 + hits in 2^32 probes), without libm. */
static uint8_t scale(uint64_t n, uint64_t of)
{
	double v = 1 + (double)n * 4294967296.0 / (double)of;
	unsigned b = 0;
	while (v >= 2 && b < 248) {
		v /= 2;
		b += 8;
	}
	for (double step = 1.0905077326652577; v >= step && b < 255; v /= step)
		b++;
	return (uint8_t)b;
}

static void write_tables(FILE *f)
{
	static uint8_t table8[FREQ8_SLOTS];
	for (size_t i = 0; i < FREQ3_SLOTS; i++)
		fputc(scale(count3[i], probes4), f);
	for (size_t i = 0; i < FREQ4_SLOTS; i++)
		fputc(scale(count4[i], probes4), f);
	qsort(sample, nsamples, sizeof *sample, cmp);
	for (size_t i = 0, k; i < nsamples; i += k) {
		for (k = 1; i + k < nsamples && sample[i + k] == sample[i]; k++)
			;
		if ((double)k * 4294967296.0 / (double)nsamples < FREQ8_FLOOR)
			continue;
		uint8_t *slot = &table8[gram8((const uint8_t *)&sample[i]).y >> (32 - FREQ8_LOG2)];
		uint8_t v = scale(k, nsamples);
		*slot = v > *slot ? v : *slot;
	}
	fwrite(table8, 1, sizeof table8, f);
}

int main(int argc, char **argv)
{
	static char path[4096];
	sample = malloc(SAMPLES_MAX * sizeof *sample);
	FILE *out = argc == 2 ? fopen(argv[1], "wb") : NULL;
	if (!sample || !out)
		return 2;
	while (fgets(path, sizeof path, stdin)) {
		path[strcspn(path, "\n")] = '\0';
		read_file(path);
	}
	write_tables(out);
	fprintf(stderr, "%llu grams counted, %zu sampled\n", (unsigned long long)probes4, nsamples);
	return fclose(out) ? 2 : 0;
}
