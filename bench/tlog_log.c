/* Writes a large log for bench/tlog: a folder of tiles and bundles with an unsigned checkpoint.
 *
 * usage: tlog_log DIR ENTRIES BYTES
 * Entry i is its number as decimal digits with leading zeros, BYTES of them. */
#include "base/num.h"
#include "log/check.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct maker {
	const char *dir;
	struct tlog_hasher h;
	struct tlog_hash row[TILE_LEVELS][TILE_WIDTH];
	uint64_t size;
	unsigned n[TILE_LEVELS];
};

static void make_folders(char *path, size_t from)
{
	for (char *p = path + from; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0777);
		*p = '/';
	}
}

static void put_file(const struct maker *m, const struct tile *t, const void *p, size_t n)
{
	char rel[TILE_PATH_MAX], path[4096];
	tile_path(t, rel);
	snprintf(path, sizeof path, "%s/%s", m->dir, rel);
	FILE *f = fopen(path, "wb");
	if (!f) {
		make_folders(path, strlen(m->dir) + 1);
		f = fopen(path, "wb");
	}
	if (!f || fwrite(p, 1, n, f) != n || fclose(f)) {
		perror(path);
		exit(2);
	}
}

/* Stores the tile of a level and, if it is full, goes on with its root one level up. */
static void put_row(struct maker *m, unsigned level)
{
	for (; level < TILE_LEVELS && m->n[level]; level++) {
		uint64_t hashes = tile_level_size(m->size, level);
		struct tile t = {TILE_HASHES, level, (hashes - 1) / TILE_WIDTH, m->n[level]};
		put_file(m, &t, m->row[level], m->n[level] * sizeof m->row[0][0]);
		if (m->n[level] < TILE_WIDTH)
			return;
		struct tlog_frontier f = {0};
		for (unsigned i = 0; i < TILE_WIDTH; i++)
			tlog_frontier_add(&f, &m->h, &m->row[level][i]);
		tlog_frontier_root(&f, &m->h, &m->row[level + 1][m->n[level + 1]++]);
		m->n[level] = 0;
		if (m->n[level + 1] < TILE_WIDTH)
			return;
	}
}

static void put_bundle(struct maker *m, struct buf *b)
{
	struct tile t = {TILE_ENTRIES, 0, (m->size - 1) / TILE_WIDTH, m->n[0]};
	put_file(m, &t, b->data, b->len);
	b->len = 0;
}

static void put_checkpoint(struct maker *m, const struct tlog_hash *root)
{
	static const char signature[] = "\n\xe2\x80\x94 bench.example AAAAAAAA\n";
	struct tile t = {.kind = TILE_CHECKPOINT, .width = TILE_WIDTH};
	struct buf b = {0};
	checkpoint_format("bench.example", m->size, root, &b);
	buf_add(&b, signature, sizeof signature - 1);
	put_file(m, &t, b.data, b.len);
	buf_done(&b);
}

int main(int argc, char **argv)
{
	static struct maker m;
	static char entry[ENTRY_MAX + 1];
	struct tlog_frontier tree = {0};
	struct tlog_hash root;
	struct buf b = {0};
	uint64_t size = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	int bytes = argc == 4 ? (int)strtoul(argv[3], NULL, 10) : 0;
	if (size == 0 || bytes <= 0 || (unsigned)bytes > ENTRY_MAX) {
		fputs("usage: tlog_log DIR ENTRIES BYTES\n", stderr);
		return 2;
	}
	m.dir = argv[1];
	mkdir(m.dir, 0777);
	while (m.size < size) {
		snprintf(entry, sizeof entry, "%0*" PRIu64, bytes, m.size++);
		if (bundle_add(&b, entry, (size_t)bytes, NULL) != ST_OK)
			return 2;
		tlog_hash_leaf(&m.h, entry, (size_t)bytes, &m.row[0][m.n[0]]);
		tlog_frontier_add(&tree, &m.h, &m.row[0][m.n[0]++]);
		if (m.n[0] == TILE_WIDTH || m.size == size)
			put_bundle(&m, &b);
		if (m.n[0] == TILE_WIDTH)
			put_row(&m, 0);
	}
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (m.n[level])
			put_row(&m, level);
	tlog_frontier_root(&tree, &m.h, &root);
	put_checkpoint(&m, &root);
	buf_done(&b);
	return m.h.bad ? 2 : 0;
}
