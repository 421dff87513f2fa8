/* The pipeline of a scan: entries of the walk go in, files go through the pool in any order, and
 * everything comes out in the order it went in, so that two runs can be compared line by line.
 *
 * Invariants
 * 1. A ring of at most RUN_RING entries; when its oldest is still being scanned, the walk waits.
 * 2. With `keep_files` the descriptor of every file stays open until it was shown, so that an
 *    action meets the very file that was scanned; the ring is then small, as descriptors
 *    are few. */
#ifndef VITRINE_CLI_RUN_H
#define VITRINE_CLI_RUN_H

#include "cli/walk.h"
#include "proc/broker/pool.h"

#define RUN_RING 4096
#define RUN_RING_KEEPING_FILES 256

struct run_item {
	enum walk_kind kind;
	char *path;
	int error;
	int fd;          /* with keep_files, a descriptor of what was scanned; else -1 */
	bool done;       /* result is there, or none is needed */
	uint64_t size;
	struct pool_result result; /* WALK_FILE only */
};

struct run_totals {
	uint64_t files, bytes; /* scanned, and their sizes */
};

struct run;

struct run_opts {
	struct pool *pool;
	bool keep_files;
	/* Told in order. The item is freed afterwards. */
	st_t (*show)(void *ctx, struct run_item *item, struct err *e);
	/* Called often, between files. */
	void (*tick)(void *ctx, const struct run_totals *totals);
	void *ctx;
};

st_t run_new(const struct run_opts *opts, struct run **ret, struct err *e);
void run_free(struct run *r);

/* Puts an entry in; takes over its descriptor in every case. */
st_t run_add(struct run *r, const struct walk_entry *en, struct err *e);

/* Waits until everything came out. */
st_t run_finish(struct run *r, struct err *e);

#endif
