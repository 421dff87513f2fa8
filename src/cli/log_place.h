/* Where a log is: the folder that is served, DIR, and the private one beside it, DIR.private,
 * unless --private names another. A plain web server on DIR, or rsync of DIR, finds nothing
 * private.
 *
 * The private folder has
 *   config   "vitrine-log v1", then lines "vkey VKEY", "key PATH" and "policy yes|no"
 *   policy   the log's own witness policy, if it has one
 *   state, index, lock   the writer's (log/writer.h) */
#ifndef VITRINE_CLI_LOG_PLACE_H
#define VITRINE_CLI_LOG_PLACE_H

#include "base/buf.h"
#include "tlog/note.h"
#include "tlog/policy.h"

#include <limits.h>

struct log_place {
	char dir[PATH_MAX], private_dir[PATH_MAX]; /* absolute */
	int dir_fd, private_fd;
};

/* Opens both; `make`: makes those that are missing. `private_dir` NULL: beside DIR. */
st_t log_place_open(const char *dir, const char *private_dir, bool make, struct log_place *ret,
                    struct err *e);
void log_place_done(struct log_place *p);

/* What `log init` decided. */
struct log_config {
	struct note_key key;
	char key_path[PATH_MAX];
	struct policy *policy; /* NULL: none */
};

/* Writes config and policy, durably; `policy` empty: none. ST_CONFLICT: there are others; nothing
 * was written. */
st_t log_config_write(const struct log_place *p, const struct note_key *key, const char *key_path,
                      struct rd policy, struct err *e);

/* ST_NOT_FOUND: no log. ST_CONFLICT: its policy is missing. */
st_t log_config_read(const struct log_place *p, struct log_config *ret, struct err *e);
void log_config_done(struct log_config *c);

/* A whole file of at most max bytes. */
st_t log_read_file(int dir, const char *path, size_t max, struct buf *ret, struct err *e);

#endif
