/* Writing a log (C2SP tlog-tiles): entries come in batches, a batch is one checkpoint.
 *
 *   entries -> bundles and tiles -> durable -> private state, durable -> checkpoint signed ->
 *   cosigned as the policy demands -> published by atomic replacement, durable -> acknowledged
 *
 * Invariants
 * 1. A checkpoint of size N is signed only when every bundle and tile of size N is durable, and the
 *    private state says so, durably.
 * 2. A size that may have been signed has one tree for ever: the log goes on from the state, never
 *    from what else lies in the folder.
 * 3. The published checkpoint never goes backwards, and where a policy demands witnesses only a
 *    checkpoint that has them is published.
 * 4. An index is returned only when a published checkpoint covers it, durably.
 * 5. One writer at a time, by a lock; a second one is refused at once.
 * 6. After a failed write nothing more is written: the next writer starts from what is durable.
 * 7. That an entry is in the log already, and that a proof is one, is proven to the root of the
 *    state or of the published checkpoint: who can write to the served folder can stop the log,
 *    and not have it acknowledge what it does not have.
 * doc/log.md says the same for operators. Runs in `vitrine log init` and `log add`. */
#ifndef VITRINE_LOG_WRITER_H
#define VITRINE_LOG_WRITER_H

#include "log/store.h"
#include "tlog/note.h"
#include "tlog/tile.h"

/* Entries of one batch: what is found and cleaned behind the edge of the tree after a crash is
 * bounded by it. */
#define LOG_BATCH_MAX 16384u

/* Names in the private folder. */
#define LOG_LOCK_FILE "lock"
#define LOG_STATE_FILE_NAME "state"
#define LOG_CHECKPOINT "checkpoint" /* in the store */

struct log_entry {
	const void *p;
	size_t n;
};

/* Who else has to sign. collect() appends lines of cosignatures; ST_OK: they are enough to publish.
 * Anything else: it must not be published, and `e` says why. `nodes` is the tree of `size`. */
struct log_cosigners {
	st_t (*collect)(void *ctx, struct rd note, const struct tlog_nodes *nodes, uint64_t size,
	                struct buf *ret_lines, struct err *e);
	void *ctx;
};

struct log_writer_opts {
	const struct log_io *io; /* of the private folder */
	int private_dir;
	struct log_store *store;
	const struct signer *signer;
	const struct note_key *key;             /* of the signer; its name is the origin */
	const struct log_cosigners *cosigners; /* NULL: nobody else has to sign */
	uint64_t seed[2];                       /* random, secret */
};

struct log_writer;

/* A new log: its state, the empty tree; and the empty checkpoint, where no cosigners are demanded.
 * ST_CONFLICT: there is one. Harmless to repeat after a failure. */
st_t log_writer_create(const struct log_writer_opts *o, struct err *e);

/* Takes the lock, checks state, right edge and published checkpoint against each other, and cleans
 * up after an unfinished batch. What the options point to stays in use. ST_CONFLICT: another writer
 * has it; or the parts do not fit each other: `e` says which and what to do. ST_NOT_FOUND: no log.
 */
st_t log_writer_open(const struct log_writer_opts *o, struct log_writer **ret, struct err *e);

/* One batch of at most LOG_BATCH_MAX entries, each at most ENTRY_MAX bytes; an entry that is in the
 * log already, or twice in the batch, gets its first index. ST_LIMIT: too many, or an entry that is
 * too long: nothing was written. Statuses of the cosigners: everything is in the log but nothing is
 * acknowledged or published; add the same again, or log_writer_publish(). After any other failure
 * the writer is of no more use. */
st_t log_writer_add(struct log_writer *w, const struct log_entry *entry, size_t n,
                    uint64_t *ret_index, struct err *e);

/* Publishes what is durable and is not published yet, if anything. */
st_t log_writer_publish(struct log_writer *w, struct err *e);

/* Publishes the checkpoint of everything durable, also where it is published already: the witnesses
 * are asked again, so that it has cosignatures of today. Statuses of the cosigners: what was
 * published stays. */
st_t log_writer_refresh(struct log_writer *w, struct err *e);

uint64_t log_writer_size(const struct log_writer *w);
uint64_t log_writer_published(const struct log_writer *w);

/* The published checkpoint, of a log that has one; valid until the next add or publish. */
struct rd log_writer_checkpoint(const struct log_writer *w);

/* Inclusion in the published checkpoint, proven before it is returned. ST_NOT_FOUND: it does not
 * cover that index. ST_BAD_PROOF: tiles were changed or damaged. */
st_t log_writer_prove(struct log_writer *w, uint64_t index, struct tlog_proof *ret, struct err *e);

/* Leaves the index of entries in order, so that the next writer need not build it anew. */
st_t log_writer_close(struct log_writer *w, struct err *e);

/* Also without close, at any time. NULL-safe. */
void log_writer_free(struct log_writer *w);

#endif
