/* --move, --copy, --remove: acting on the very file that was scanned.
 *
 * Threat: whoever owns the scanned directory swaps the file for a link, or moves directories
 * around, between scan and action, to have another file removed, read or overwritten with our
 * rights.
 *
 * Invariants
 * 1. Content is copied from the descriptor that was scanned, never from a path opened again.
 * 2. The directory entry is found by the kernel's own name of that descriptor; its folder is opened
 *    with RESOLVE_NO_SYMLINKS, and the entry is removed only while it is the same inode.
 * 3. The target is created with O_EXCL in a folder held by descriptor, mode 0600: it never
 *    overwrites, follows or executes. A name that is taken gets .001, .002, …
 * 4. A move removes the original only when the copy is complete and on disk. */
#ifndef VITRINE_CLI_QUARANTINE_H
#define VITRINE_CLI_QUARANTINE_H

#include "base/st.h"

#include <limits.h>
#include <stdbool.h>

enum quarantine_action { ACTION_NONE, ACTION_MOVE, ACTION_COPY, ACTION_REMOVE };

struct quarantine {
	enum quarantine_action action;
	int dir;            /* folder of MOVE and COPY; -1 */
	char path[PATH_MAX]; /* its real path */
};

/* What was done, for the report. */
struct quarantine_result {
	char real[PATH_MAX];                 /* real path of the file */
	char target[PATH_MAX + NAME_MAX + 2]; /* where the copy is; "" for REMOVE */
};

/* `folder` is NULL for NONE and REMOVE. */
st_t quarantine_init(struct quarantine *q, enum quarantine_action action, const char *folder,
                     struct err *e);
void quarantine_done(struct quarantine *q);

/* Acts on the file behind fd. On failure nothing was removed. */
st_t quarantine_file(const struct quarantine *q, int fd, struct quarantine_result *ret,
                     struct err *e);

#endif
