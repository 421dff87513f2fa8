/* A log to bring to witnesses: small, in memory, and able to show two views of itself. Entry i is
 * the same in both views up to MAKE_FORK. */
#ifndef VITRINE_TEST_WITNESS_MAKE_H
#define VITRINE_TEST_WITNESS_MAKE_H

#include "tlog/merkle.h"
#include "tlog_make.h"

#define MAKE_FORK 5

struct make_view {
	struct tlog_hasher hasher;
	unsigned view; /* 0 or another */
};

struct tlog_nodes make_nodes(struct make_view *v);
struct tlog_hash make_root(struct make_view *v, uint64_t size);

/* Appends a checkpoint of that size with the key's signature. */
void make_note(struct buf *b, struct make_view *v, uint64_t size, const struct make_key *k);

/* Appends "old N", the proof from there (none for 0 and the same size) and an empty line. */
void make_head(struct buf *b, struct make_view *v, uint64_t old, uint64_t size);

/* Appends a whole request. */
void make_request(struct buf *b, struct make_view *v, uint64_t old, uint64_t size,
                  const struct make_key *k);

#endif
