/* Vectorscan (a fork of Hyperscan) as a yardstick: how fast a set of literals is searched for in a
 * list of files.
 *
 *   vscan compile LITERALS.hex OUT.hs     one literal in hex a line
 *   vscan scan SET.hs FILES.list          prints: bytes, files, files with a match, seconds reading
 *                                         and scanning, seconds scanning alone
 *
 * Each file is read whole into one buffer, as our worker does, and scanned in block mode on one
 * core. A file's matches are counted once (HS_FLAG_SINGLEMATCH). */
#include <errno.h>
#include <fcntl.h>
#include <hs/hs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Longest line of either input; a literal takes two digits a byte. */
#define LINE_MAX_LEN 8192

/* Largest file that is read; the lists of gen.py hold nothing bigger. */
#define FILE_MAX_LEN (64u << 20)

struct literals {
	char **text;
	size_t *len;
	unsigned *flags, *ids;
	unsigned n, cap;
};

struct totals {
	uint64_t bytes, files, found;
	double read_s, scan_s;
};

static void die(const char *what)
{
	fprintf(stderr, "vscan: %s: %s\n", what, errno != 0 ? strerror(errno) : "failed");
	exit(2);
}

static void *must(void *p)
{
	if (p == NULL)
		die("memory");
	return p;
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Reads one line without its newline; false at the end. */
static bool next_line(FILE *f, char line[LINE_MAX_LEN])
{
	if (fgets(line, LINE_MAX_LEN, f) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static void literals_grow(struct literals *l)
{
	if (l->n < l->cap)
		return;
	l->cap = l->cap == 0 ? 1024 : l->cap * 2;
	l->text = must(realloc(l->text, l->cap * sizeof *l->text));
	l->len = must(realloc(l->len, l->cap * sizeof *l->len));
	l->flags = must(realloc(l->flags, l->cap * sizeof *l->flags));
	l->ids = must(realloc(l->ids, l->cap * sizeof *l->ids));
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void literals_add(struct literals *l, const char *hex)
{
	literals_grow(l);
	size_t len = strlen(hex) / 2;
	char *text = must(malloc(len + 1));
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	l->text[l->n] = text;
	l->len[l->n] = len;
	l->flags[l->n] = HS_FLAG_SINGLEMATCH;
	l->ids[l->n] = l->n;
	l->n++;
}

static void compile(const char *in, const char *out)
{
	FILE *f = fopen(in, "r");
	if (f == NULL)
		die(in);
	struct literals l = {0};
	char line[LINE_MAX_LEN];
	while (next_line(f, line))
		literals_add(&l, line);
	fclose(f);
	hs_database_t *db;
	hs_compile_error_t *why;
	if (hs_compile_lit_multi((const char *const *)l.text, l.flags, l.ids, l.len, l.n,
	                         HS_MODE_BLOCK, NULL, &db, &why) != HS_SUCCESS)
		die(why->message);
	char *bytes;
	size_t len;
	if (hs_serialize_database(db, &bytes, &len) != HS_SUCCESS)
		die("serialise");
	f = fopen(out, "wb");
	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		die(out);
}

static hs_database_t *load(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		die(path);
	size_t len = (size_t)ftell(f);
	rewind(f);
	char *bytes = must(malloc(len));
	hs_database_t *db = NULL;
	if (fread(bytes, 1, len, f) != len || hs_deserialize_database(bytes, len, &db) != HS_SUCCESS)
		die(path);
	free(bytes);
	fclose(f);
	return db;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *ctx)
{
	(void)id, (void)from, (void)to, (void)flags;
	*(bool *)ctx = true;
	return 0;
}

static size_t read_file(const char *path, char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	size_t have = 0;
	for (ssize_t n = 1; n > 0 && have < FILE_MAX_LEN; have += (size_t)n) {
		n = read(fd, buf + have, FILE_MAX_LEN - have);
		if (n < 0)
			die(path);
	}
	close(fd);
	return have;
}

static void scan_file(const hs_database_t *db, hs_scratch_t *scratch, const char *path, char *buf,
                      struct totals *t)
{
	double start = now_s();
	size_t n = read_file(path, buf);
	double have = now_s();
	bool found = false;
	if (hs_scan(db, buf, (unsigned)n, 0, scratch, on_match, &found) != HS_SUCCESS)
		die(path);
	t->scan_s += now_s() - have;
	t->read_s += have - start;
	t->bytes += n;
	t->files++;
	t->found += found;
}

static void scan(const char *set, const char *list)
{
	hs_database_t *db = load(set);
	hs_scratch_t *scratch = NULL;
	if (hs_alloc_scratch(db, &scratch) != HS_SUCCESS)
		die("scratch");
	FILE *f = fopen(list, "r");
	if (f == NULL)
		die(list);
	char *buf = must(malloc(FILE_MAX_LEN));
	struct totals t = {0};
	char line[LINE_MAX_LEN];
	while (next_line(f, line))
		scan_file(db, scratch, line, buf, &t);
	fclose(f);
	printf("%llu %llu %llu %.6f %.6f\n", (unsigned long long)t.bytes, (unsigned long long)t.files,
	       (unsigned long long)t.found, t.read_s + t.scan_s, t.scan_s);
	free(buf);
	hs_free_scratch(scratch);
	hs_free_database(db);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "compile") == 0)
		compile(argv[2], argv[3]);
	else if (argc == 4 && strcmp(argv[1], "scan") == 0)
		scan(argv[2], argv[3]);
	else {
		fprintf(stderr, "usage: vscan compile LITERALS.hex OUT.hs | scan SET.hs FILES.list\n");
		return 2;
	}
	return 0;
}
