/* The signatures that `vitrine update` installed, as scans use them when no database is named:
 * STATE/main/current/main.vdb, STATE being $VITRINE_STATE or /var/lib/vitrine.
 *
 * Invariants
 * 1. Only the health check (cli/update_health.h) with its own samples can find a release guilty:
 *    files that make workers crash never change what is scanned with.
 * 2. What replaces it was active before, did not fail, and passed the same check just now.
 * 3. Without such a one the scan fails; it does not go on with less. */
#ifndef VITRINE_CLI_INSTALLED_H
#define VITRINE_CLI_INSTALLED_H

#include "update/state.h"

struct installed {
	char id[UPDATE_ID_MAX]; /* of the release in use; "": none is installed */
	int fd;                 /* its database; -1 */
};

/* ST_OK also where nothing is installed. A release that cannot be opened is a failure. */
st_t installed_open(struct installed *i, struct err *e);
void installed_close(struct installed *i);

/* For struct pool_opts, with the struct installed as context (one that is not in use is never to
 * blame): the last good release instead, if the
 * one in use is to blame; says so on stderr and, where the state may be written, makes it the
 * active one and marks the other as failed. */
int installed_replace(void *ctx, const char *what_happened);

#endif
