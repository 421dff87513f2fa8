/* How fast a log takes entries, durably: batches of 1, 100, 1,000 and 10,000 entries of 100 bytes
 * into one log each, through the system's calls, with a checkpoint signed and published for every
 * batch; and what this disk can do at all. Prints lines "NAME VALUE UNIT".
 *
 * usage: tlog_add DIR [ENTRIES]   DIR: a new folder; ENTRIES for batches of 1,000, else 1000000 */
#include "log/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENTRY 100
#define BATCH 10000

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "tlog_add: %s: %s\n", what, e ? e->text : strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static int folder(int at, const char *name)
{
	if (mkdirat(at, name, 0755))
		die(name, NULL);
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(name, NULL);
	return fd;
}

/* Milliseconds of one round of each, for comparison. */
static void machine(int dir)
{
	static char data[65536];
	enum { ROUNDS = 200 };
	int f = openat(dir, "file", O_RDWR | O_CREAT, 0644);
	if (f < 0 || write(f, data, sizeof data) != (ssize_t)sizeof data || fsync(f))
		die("file", NULL);
	double t = now();
	for (int i = 0; i < ROUNDS; i++)
		if (pwrite(f, data, 4096, 0) != 4096 || fdatasync(f))
			die("overwrite", NULL);
	printf("disk_overwrite_4k_fdatasync %.3f ms\n", (now() - t) * 1e3 / ROUNDS);
	close(f);
	t = now();
	for (int i = 0; i < ROUNDS; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		f = openat(dir, name, O_RDWR | O_CREAT | O_EXCL, 0644);
		if (f < 0 || write(f, data, 8192) != 8192 || fsync(f))
			die("create", NULL);
		close(f);
	}
	printf("disk_create_8k_fsync %.3f ms\n", (now() - t) * 1e3 / ROUNDS);
	t = now();
	for (int i = 0; i < ROUNDS; i++)
		if (renameat(dir, i % 2 ? "b" : "file", dir, i % 2 ? "file" : "b") || fsync(dir))
			die("rename", NULL);
	printf("disk_rename_fsync %.3f ms\n", (now() - t) * 1e3 / ROUNDS);
}

struct setting {
	struct signer *signer;
	struct note_key key;
	int dir;
};

static void fill(char *data, struct log_entry *entry, uint64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *p = data + i * ENTRY;
		memset(p, 'x', ENTRY);
		uint64_t id = first + i;
		memcpy(p, &id, sizeof id);
		entry[i] = (struct log_entry){p, ENTRY};
	}
}

static void measure(const struct setting *s, size_t batch, uint64_t entries)
{
	static char data[BATCH * ENTRY];
	static struct log_entry entry[BATCH];
	static uint64_t index[BATCH];
	struct err e = {0};
	char name[32];
	snprintf(name, sizeof name, "batch%zu", batch);
	int own = folder(s->dir, name), public = folder(own, "public");
	struct log_writer_opts o = {.io = &log_io_system, .private_dir = folder(own, "private"),
	                            .signer = s->signer, .key = &s->key, .seed = {1, 2}};
	struct log_writer *w;
	if (log_store_open_folder(o.io, public, &o.store, &e) != ST_OK ||
	    log_writer_create(&o, &e) != ST_OK || log_writer_open(&o, &w, &e) != ST_OK)
		die("open", &e);
	uint64_t syncs = o.store->syncs, rounds = entries / batch;
	double t = now(), c = cpu();
	for (uint64_t i = 0; i < rounds; i++) {
		fill(data, entry, i * batch, batch);
		if (log_writer_add(w, entry, batch, index, &e) != ST_OK)
			die("add", &e);
		if (index[0] != i * batch || index[batch - 1] != (i + 1) * batch - 1)
			die("add", &(struct err){.text = "wrong index"});
	}
	t = now() - t;
	c = cpu() - c;
	printf("add_%zu_rate %.0f entries/s\n", batch, (double)entries / t);
	printf("add_%zu_entries %" PRIu64 " entries\n", batch, entries);
	printf("add_%zu_time %.3f ms/batch\n", batch, t * 1e3 / (double)rounds);
	printf("add_%zu_cpu %.3f ms/batch\n", batch, c * 1e3 / (double)rounds);
	printf("add_%zu_syncs %.1f syncs/batch\n", batch,
	       (double)(o.store->syncs - syncs) / (double)rounds);
	t = now();
	if (log_writer_close(w, &e) != ST_OK)
		die("close", &e);
	printf("add_%zu_close %.1f ms\n", batch, (now() - t) * 1e3);
	log_writer_free(w);
	t = now();
	if (unlinkat(o.private_dir, "index", 0) || log_writer_open(&o, &w, &e) != ST_OK)
		die("open without index", &e);
	printf("add_%zu_open_without_index %.1f ms\n", batch, (now() - t) * 1e3);
	fflush(stdout);
	log_writer_free(w);
	log_store_free(o.store);
	close(o.private_dir);
	close(public);
	close(own);
}

int main(int argc, char **argv)
{
	static const uint8_t seed[32] = "bench";
	struct setting s = {.dir = -1};
	struct err e = {0};
	uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	if (argc < 2 || entries < 1000 || (mkdir(argv[1], 0755) && errno != EEXIST)) {
		fputs("usage: tlog_add DIR [ENTRIES]\n", stderr);
		return 2;
	}
	s.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir < 0 || signer_new(SIGNER_ED25519, seed, &s.signer, &e) != ST_OK ||
	    note_key_of_signer("bench.example/log", NOTE_ED25519, s.signer, &s.key, &e) != ST_OK)
		die("start", &e);
	machine(folder(s.dir, "disk"));
	measure(&s, 1, entries / 1000);
	measure(&s, 100, entries / 20);
	measure(&s, 1000, entries);
	measure(&s, BATCH, entries);
	signer_free(s.signer);
	return 0;
}
