/* Compiled databases, kept between runs.
 *
 * Text signatures are compiled once. The result lies in the user's cache folder under the SHA-256
 * of what went in: the content and kind of every source, the compiler's version and the options. A
 * second, smaller file leads from the identity of the sources (path, device, inode, size,
 * modification and change time) to that name, so that 300 MB of text are not hashed at each start.
 *
 * The trade-off: a source whose bytes change while size and both times stay the same is not
 * noticed. ctime cannot be set back by its owner, only by the clock or the raw device; and sources
 * that changed within the last seconds, where one tick may hide a second write, are not recorded.
 * Whenever any part of the identity differs, the content decides.
 *
 * Invariants
 * 1. The folder is ours, mode 0700, no link; else it is not used at all and that is said.
 * 2. A database appears under its name only complete and on disk (temporary file, fsync, rename).
 * 3. Nothing is trusted for being in the cache: the database is checked when opened, like any. */
#ifndef VITRINE_CLI_DBCACHE_H
#define VITRINE_CLI_DBCACHE_H

#include "cli/dbset.h"
#include "proc/broker/compile.h"

struct dbcache_opts {
	struct compile_opts compile;
	bool no_cache;
	bool renew; /* compile anew and replace what is kept: it turned out to be damaged */
	/* Told when compiling starts (it may take seconds) and when the cache is unusable; each may
	 * be NULL. */
	void (*compiling)(void);
	void (*warn)(const struct err *why);
};

/* A descriptor of the compiled database for `set` (with vdb: a duplicate of that). `report` tells
 * what the compiler said; it is empty when the result came from the cache. */
st_t dbcache_open(const struct db_set *set, const struct dbcache_opts *opts, int *ret_fd,
                  struct compile_report *report, struct err *e);

/* Compiles without cache into out_fd (empty, at offset 0, open for writing). */
st_t dbset_compile(const struct db_set *set, const struct compile_opts *opts, int out_fd,
                   struct compile_report *report, struct err *e);

/* Writes the sources into out_fd (likewise) as a source bundle. */
st_t dbset_bundle(const struct db_set *set, int out_fd, struct compile_report *report,
                  struct err *e);

/* Compiles into memory; the caller closes *ret_fd, which is read-only. */
st_t dbset_compile_memory(const struct db_set *set, const struct compile_opts *opts, int *ret_fd,
                          struct compile_report *report, struct err *e);

#endif
