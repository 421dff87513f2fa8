/* A customer's policy and the folder of its set (doc/format/updates.md), as `vitrine update`,
 * `rollback` and `verify` use them. Opens files; reads only the customer's own. */
#ifndef VITRINE_CLI_UPDATE_HOME_H
#define VITRINE_CLI_UPDATE_HOME_H

#include "proc/broker/verify.h"
#include "update/state.h"

#include <limits.h>

#define UPDATE_POLICY_DEFAULT "/etc/vitrine/update.policy"
#define UPDATE_STATE_DEFAULT "/var/lib/vitrine"

/* The set that scans use by default. */
#define UPDATE_SET_DEFAULT "main"

struct home {
	const char *policy_path, *state_path;
	struct buf expanded; /* the policy with its keys and root inside */
	struct update_policy policy;
	char known_good[PATH_MAX], known_bad[PATH_MAX], ca_file[PATH_MAX]; /* "": none */
	int set_fd, tuf_fd, spool_fd; /* -1: not there, and nobody who writes */
	struct update_place *place;               /* NULL: nothing was ever installed */
	struct update_state state;
};

/* What NULL means: $VITRINE_STATE, else UPDATE_STATE_DEFAULT. */
const char *home_state_path(const char *given);

/* The rest is valid after this. */
void home_init(struct home *h, const char *policy, const char *state);
void home_done(struct home *h);

/* Reads, expands and parses the policy; names in it are relative to its folder. */
st_t home_read_policy(struct home *h, struct err *e);

/* Opens the folder of a set and reads its state. A writer makes what is missing and locks it; for
 * others nothing at all is changed. ST_CONFLICT: locked; it says so in words. */
st_t home_open(struct home *h, const char *set, bool writer, struct err *e);

/* The release of that id, or "": the current one; -1. */
int home_find(const struct home *h, const char *id);

/* What broker_verify() needs of the policy and of the folders; neither time nor source. */
void home_request(const struct home *h, const char *proxy, struct verify_request *ret);

/* Where the repository is: the bundle, or the folder of a policy whose only line is "file://"; of
 * others nothing has to be opened yet. The caller closes *ret_fd. */
st_t home_open_source(const struct home *h, const char *bundle, struct verify_request *rq,
                      int *ret_fd, struct err *e);

/* The folder of a repository line, 1 the first, that names one. The caller closes *ret_fd. */
st_t home_open_folder(const struct home *h, uint32_t line, int *ret_fd, struct err *e);

/* A file of a release. */
st_t home_open_file(const struct home *h, int release, const char *name, int *ret_fd,
                    struct err *e);

#endif
