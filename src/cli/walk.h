/* Walks directories by descriptors, never by path, in sorted order.
 *
 * Invariants
 * 1. Below an argument every name is opened relative to the descriptor of its directory with
 *    O_NOFOLLOW (unless the user asked to follow links), so that a link put there while we walk
 *    leads nowhere else.
 * 2. Depth is bounded; what lies deeper is reported (WALK_TOO_DEEP), not dropped.
 * 3. A directory that is its own ancestor (through links or mounts) is not entered again.
 * 4. Nothing but regular files is opened for reading; O_NONBLOCK keeps a fifo that was put in the
 *    place of a file from stopping us.
 * 5. One openat() and one fstat() for a file. */
#ifndef VITRINE_CLI_WALK_H
#define VITRINE_CLI_WALK_H

#include "base/st.h"
#include "cli/match_path.h"

#include <stdbool.h>
#include <stdint.h>

enum walk_kind {
	WALK_FILE,         /* fd is open, ownership passes */
	WALK_EMPTY,        /* a regular file of no bytes */
	WALK_SYMLINK,      /* not followed */
	WALK_EXCLUDED,
	WALK_DIR,          /* a directory that is now walked */
	WALK_SPECIAL,      /* an argument that is a fifo, device or socket */
	WALK_SKIPPED,      /* the same inside a directory */
	WALK_MISSING,      /* an argument that cannot be looked at */
	WALK_NO_FILE,      /* a file that cannot be opened */
	WALK_NO_DIR,       /* a directory that cannot be read */
	WALK_TOO_DEEP,     /* a directory below the depth limit */
};

struct walk_entry {
	enum walk_kind kind;
	const char *path; /* as printed; valid during the call */
	int fd;           /* -1 unless WALK_FILE */
	int error;        /* errno, for MISSING, NO_FILE, NO_DIR */
	uint64_t size;
	bool unnamed;     /* stdin: there is no file to act on */
};

/* ClamAV's numbers. */
enum walk_follow { FOLLOW_NEVER, FOLLOW_ARGUMENTS, FOLLOW_ALWAYS };

/* Descriptors: one for each level. */
#define WALK_DEPTH_MAX 512

struct walk_opts {
	uint32_t max_depth; /* levels of directories; the argument is level 1 */
	bool recursive;
	bool same_fs;       /* do not enter other file systems */
	bool count_only;    /* open nothing: WALK_FILE comes with fd -1 */
	uint32_t follow_dirs, follow_files; /* enum walk_follow */
	struct match_path match;
	st_t (*visit)(void *ctx, const struct walk_entry *en); /* anything but ST_OK ends the walk */
	void *ctx;
};

/* Walks one argument: a file or a directory. */
st_t walk_path(const struct walk_opts *opts, const char *path, struct err *e);

#endif
