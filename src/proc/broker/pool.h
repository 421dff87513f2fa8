/* Pool of jailed scan workers, seen from the broker (which opens files and never reads them).
 *
 * The broker hands descriptors in with pool_submit() and takes results out with pool_next().
 * A worker that crashes, hangs or runs out of memory costs one VERDICT_INCOMPLETE result for the
 * file it was at; it is replaced, files queued behind go to another worker.
 * Replies of workers are hostile input: anything out of turn or malformed kills the worker.
 *
 * Whether a file or the database is to blame for lost workers the pool cannot tell, and files are
 * hostile: nothing they do may change what is scanned with. Who knows better is asked
 * (`replace`). */
#ifndef VITRINE_PROC_BROKER_POOL_H
#define VITRINE_PROC_BROKER_POOL_H

#include "base/st.h"
#include "scan/scan.h"

struct pool;

struct pool_opts {
	const char *worker_path; /* of the executable; NULL: found beside ours, else in libexecdir */
	int db_fd;               /* compiled database; the pool makes itself a copy */
	uint32_t jobs;           /* workers; 0: one per core */
	uint32_t queue;          /* files handed to one worker ahead of time; 0: the default */
	uint32_t grace_ms; /* a worker this much over max_scantime_ms is stuck; 0: the default */
	bool regex_jit; /* workers may have executable memory: see doc/sandbox.md */
	struct scan_opts scan;
	/* Asked once, when workers do not become ready, or several in a row were lost at files:
	 * another database (the pool takes the descriptor over), or -1 if this one is not to blame.
	 * With another one, the files that were lost are scanned once more. NULL: nobody is asked. */
	int (*replace)(void *ctx, const char *what_happened);
	void *replace_ctx;
};

/* What happened inside one file: bytes of names and paths are hostile, print them escaped. */
struct pool_event {
	bool found; /* else incomplete */
	bool official;
	st_t why;
	char *text;  /* signature name, or the reason */
	char *inner; /* path inside the file, "" for the file itself */
};

struct pool_result {
	uint64_t id; /* given to pool_submit */
	enum verdict verdict;
	uint64_t size, bytes_read, bytes_scanned, objects;
	char type_name[40]; /* CL_TYPE_…, "" if unknown */
	struct pool_event *events;
	size_t nevents;
};
void pool_result_done(struct pool_result *r);

/* Starts the workers; the first failure to open the database is reported here. */
st_t pool_new(const struct pool_opts *opts, struct pool **ret, struct err *e);
void pool_free(struct pool *p);

/* Queues the file behind fd (ownership passes on success and on failure). May block while every
 * queue is full; results that come in meanwhile are kept for pool_next(). */
st_t pool_submit(struct pool *p, uint64_t id, int fd, struct err *e);

/* True if pool_submit() would not block. */
bool pool_has_room(struct pool *p);

/* The next result, in any order; waits up to timeout_ms (-1: until one comes). *ret_got is false
 * when the time is over or nothing is outstanding. The caller calls pool_result_done(). */
st_t pool_next(struct pool *p, int timeout_ms, struct pool_result *ret, bool *ret_got,
               struct err *e);

/* Files submitted and not yet taken out. */
size_t pool_outstanding(const struct pool *p);

/* Meta data of the database as the first worker reported it: active signatures. */
uint64_t pool_known_signatures(const struct pool *p);

/* Layers of the jail that this system refused (enum sandbox_missing); 0: all are there. */
uint32_t pool_missing_layers(const struct pool *p);

#endif
