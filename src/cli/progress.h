/* The progress bar on stderr: files, bytes, rate, found, and the time left once the total is known.
 *
 * A thread walks ahead and counts, so that the scan never waits for the total; it opens folders
 * only, and stops when the scan ends. */
#ifndef VITRINE_CLI_PROGRESS_H
#define VITRINE_CLI_PROGRESS_H

#include "cli/opts.h"
#include "cli/run.h"
#include "cli/walk.h"

#include <stdbool.h>
#include <stdint.h>

struct progress_count; /* shared with the counting thread */

struct progress {
	bool on;
	bool drawn; /* a bar is on the terminal's last line */
	struct progress_count *count; /* NULL: nobody counts */
	uint64_t start_ns, last_ns;
	uint64_t found;
};

/* `on` is false where stderr is no terminal: then nothing here does anything. Starts to count what
 * the walk options and arguments name. */
void progress_init(struct progress *p, bool on, const struct walk_opts *walk,
                   const struct str_list *paths);
void progress_done(struct progress *p);

void progress_tick(struct progress *p, const struct run_totals *now);

/* Takes the bar away before something else is written. */
void progress_clear(struct progress *p);

/* Monotonic time. */
uint64_t clock_now_ns(void);

#endif
