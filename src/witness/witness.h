/* A witness: logs it knows, keys it signs with, state it must not lose. Answers requests of C2SP
 * tlog-witness from any number of threads, without knowing of HTTP.
 *
 * Invariants
 * 1. A cosignature leaves witness_add_checkpoint() only after the record that it rests on was
 *    committed (state.h). "The witness MUST persist the new checkpoint before responding."
 * 2. A signature is made only inside the transaction that replaces the record, after the record was
 *    compared: of two views that race, one is signed.
 * 3. All writing is done by one thread, which commits for all who wait at that moment together: the
 *    price of a sync to disk is shared.
 * 4. A request that fails writes nothing, and spends nothing of its log's rate: only the log's own
 *    key can. A checkpoint that was cosigned already (anyone can send it again) has a rate of its
 *    own, so that repeating it does not keep the log from growing. */
#ifndef VITRINE_WITNESS_WITNESS_H
#define VITRINE_WITNESS_WITNESS_H

#include "crypto/signer.h"
#include "witness/answer.h"
#include "witness/config.h"
#include "witness/state.h"

/* A key in the old and in the new algorithm, and one of each that follows. */
#define WITNESS_KEYS_MAX 4

/* What is committed together at most: an answer waits for all of them. */
#define WITNESS_BATCH_MAX 256

/* A clock may be set back by so much; then the time signed last is signed again. Beyond it nothing
 * is signed: "as of the specified time, the consistent tree head with the largest size". */
#define WITNESS_CLOCK_BACK_S 60

struct witness_key {
	const char *name;
	enum note_type type; /* NOTE_COSIGNATURE_* */
	const struct signer *signer;
};

/* Time comes from outside. */
struct witness_clock {
	uint64_t (*unix_s)(void *ctx);      /* seconds since 1970 */
	uint64_t (*monotonic_us)(void *ctx);
	void *ctx;
};

struct witness_opts {
	struct witness_key keys[WITNESS_KEYS_MAX];
	size_t nkeys;
	struct state *state; /* not owned */
	struct witness_clock clock;
};

struct witness;

/* Takes the configuration. Starts the thread that commits. */
st_t witness_new(const struct witness_opts *o, struct witness_config *config, struct witness **ret,
                 struct err *e);

/* No request may be under way. */
void witness_free(struct witness *w);

/* From the next request on; takes it, also where this fails (ST_NOMEM: the old one stays). */
st_t witness_set_config(struct witness *w, struct witness_config *config, struct err *e);

/* POST add-checkpoint. Returns when the answer may be sent. */
void witness_add_checkpoint(struct witness *w, struct rd body, struct answer *ret);

/* "GET <monitoring prefix>/<origin hash>/checkpoint": `hash` is what stands between the slashes. */
void witness_get_checkpoint(struct witness *w, struct rd hash, struct answer *ret);

/* The whole API: path without the prefix ("/add-checkpoint"), method as in HTTP. */
void witness_answer(struct witness *w, const char *method, const char *path, struct rd body,
                    struct answer *ret);

struct witness_stats {
	uint64_t requests, cosigned, commits;
	bool failed; /* a commit failed: no more will be cosigned, start anew */
	char why[ERR_TEXT_MAX]; /* with `failed` */
};
struct witness_stats witness_stats(struct witness *w);

#endif
