/* The operator's program that is told of alerts. */
#ifndef VITRINE_PROC_BROKER_HOOK_H
#define VITRINE_PROC_BROKER_HOOK_H

#include "base/st.h"

#include <stdbool.h>

/* It may take this long before it is killed, with all that it started in its process group. */
#define HOOK_TIMEOUT_MS 30000

/* Runs argv (argv[0] is a full path) with the line and a LF as its standard input, no shell, an
 * environment of ours (PATH, LC_ALL), its output thrown away, stderr ours. ST_OK: it ended with 0.
 * ST_TIMEOUT: it was killed. ST_CONFLICT: another status, or a signal. Below 0: not started. */
st_t hook_run(char *const *argv, const char *line, struct err *e);

#endif
