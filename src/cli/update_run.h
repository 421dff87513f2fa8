/* One update: the chain in the verifier's jail, then what only the activator can do, and what is
 * said and kept of it. Used by `vitrine update` (all its forms). The activator opens folders and
 * passes descriptors; it has no network and reads no hostile byte.
 *
 * Invariants
 * 1. "current" goes to a newer release only after every link of the chain held by today's policy,
 *    in this run or with the time when the release was accepted; to any only if what is on the disk
 *    is what was accepted, and healthy in this run.
 * 2. A refusal changes nothing but the folder of refusals, downloads that are gone on with, and
 *    what the verifier remembers.
 * 3. A dry run changes nothing: the verifier works on a copy of what is trusted, in a private
 *    temporary folder that is removed. */
#ifndef VITRINE_CLI_UPDATE_RUN_H
#define VITRINE_CLI_UPDATE_RUN_H

#include "cli/update_evidence.h"
#include "cli/update_home.h"
#include "cli/update_show.h"

enum update_result {
	UPDATE_ACTIVATED,
	UPDATE_BACK,      /* an older one is active again: vitrine rollback */
	UPDATE_CURRENT,   /* nothing is newer */
	UPDATE_WAITING,   /* accepted, not yet active */
	UPDATE_STOPPED,   /* from now on nothing is activated: --hold */
	UPDATE_DRY,       /* all that was looked at holds; nothing was changed */
	UPDATE_REFUSED,
	UPDATE_UNCHECKED, /* no answer: no network, no memory, a state that cannot be read */
};

struct update_run {
	struct home home;
	struct update_show show;
	struct update_evidence evidence;
	struct chain_release release;
	struct verify_cost cost;
	const char *bundle, *proxy; /* NULL: none */
	int64_t now, until;         /* until: when what waits is due; 0: not by itself */
	int stop_fd;                /* signals, while the verifier runs */
	bool repair;                /* the newest release is damaged on the disk: fetched once more */
	bool dry, kept;             /* kept: the evidence of each mirror's refusal, each told */
	int checked;                /* release that was accepted, or checked again, in this run; -1 */
	char again[UPDATE_ID_MAX];  /* that is checked again */
	struct err e;
};

/* The whole of it; the home is open for writing. */
enum update_result update_go(struct update_run *r);

/* The chain alone, on a copy of what is trusted; the home need not be open for writing. */
enum update_result update_go_dry(struct update_run *r);

/* What is due by policy and wishes is checked for health and activated; nothing is fetched. */
enum update_result update_go_due(struct update_run *r);

/* Whether what is on the disk is what was accepted, and its health; said as links. On failure it
 * is marked as failed (and that is written). */
st_t update_check_health(struct update_run *r, int release, struct err *e);

/* The evidence of a release from its first byte, by today's policy, with the time when it was
 * accepted. */
st_t update_check_evidence(const struct home *h, int release, const struct verify_out *out,
                           struct chain_release *ret, struct err *e);

/* So, and what else today's policy asks for: a release that waited may be used. */
st_t update_check_again(struct update_run *r, int release, struct err *e);

/* The last line, or object, for people or programs. */
void update_put_result(struct update_run *r, enum update_result result);

/* Also of whether it could be said. */
int update_exit_code(enum update_result result);

/* Signals that end a program are read from a descriptor while they are blocked. */
st_t update_block_signals(int *ret_fd, struct err *e);
void update_unblock_signals(int *fd);

/* A private folder, and its removal with all that is in it. */
struct update_temp {
	char path[PATH_MAX];
	int fd;
};
st_t update_temp_make(struct update_temp *t, struct err *e);
/* What is trusted so far: the files of "tuf/" and of the folders in it. */
st_t update_temp_copy(const struct update_temp *t, int tuf_fd, struct err *e);
void update_temp_remove(struct update_temp *t);

#endif
