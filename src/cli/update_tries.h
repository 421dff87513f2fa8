/* The chain in the verifier's jail, with one mirror after the other: mirrors are interchangeable,
 * so that one of them lies must not keep the others' data away. Runs in the activator, as `vitrine
 * update` and `vitrine bundle make`, which have no network themselves.
 *
 * All URLs of the policy are asked together, at the place of the first one: a mirror that is down,
 * or lacks a file, is passed over file by file. Where what came is refused, each URL is asked
 * alone. A folder has its turn at its place (doc/format/updates.md, Mirrors).
 *
 * Invariants
 * 1. All tries have one store of trusted metadata. So what TUF persisted of what a mirror showed
 *    holds for the next one, too: one that is behind it (or hides a verdict that another one
 *    showed) is refused as a rollback, and never taken for "nothing is new".
 * 2. Nothing passes but by a try in which every link held.
 * 3. A refusal is never forgotten over an answer that did not come: ST_OK, else the status and
 *    reason of the first try that was refused, else those of the first one. */
#ifndef VITRINE_CLI_UPDATE_TRIES_H
#define VITRINE_CLI_UPDATE_TRIES_H

#include "cli/update_home.h"
#include "cli/update_show.h"

struct update_tries {
	const struct home *home;
	struct update_show *show;
	struct verify_request *rq; /* with a bundle or folder in it, that is the only try */
	const struct verify_out *out;
	/* What was kept in a try that was not the only one belongs to nobody else: it is saved, if at
	 * all, and out->keep begins anew. show has its link and reason. NULL: nothing is kept. */
	st_t (*failed)(void *ctx, const char *mirror, st_t why, struct err *e);
	void *ctx; /* of failed */
};

/* Statuses as broker_verify(); which link was refused is in `show`. *ret_cost: of all tries. */
st_t update_try_all(const struct update_tries *t, struct chain_release *ret,
                    struct verify_cost *ret_cost, struct err *e);

#endif
