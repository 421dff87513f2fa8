/* Keys, policies and checkpoints for the tests of the transparency log. Everything is made of small
 * numbers, so the same test always makes the same bytes. */
#ifndef VITRINE_TEST_TLOG_MAKE_H
#define VITRINE_TEST_TLOG_MAKE_H

#include "tlog/policy.h"

/* A private key and its verifier key. The seed is the number, repeated. */
struct make_key {
	struct signer *signer;
	struct note_key key;
};

/* Ends the test program if it cannot. */
void make_key(uint8_t number, const char *name, enum note_type type, struct make_key *ret);
void make_key_done(struct make_key *k);

/* Appends a string. */
void make_add(struct buf *b, const char *s);

/* Appends "log VKEY\n" or "witness NAME VKEY\n". */
void make_log_line(struct buf *b, const struct make_key *k);
void make_witness_line(struct buf *b, const char *name, const struct make_key *k);

/* Appends the text of a checkpoint and the empty line; then the line of a signature over that text,
 * which starts at byte 0 of the buffer. */
void make_checkpoint(struct buf *b, const char *origin, uint64_t size,
                     const struct tlog_hash *root);
void make_signature(struct buf *b, const struct make_key *k, uint64_t time);

struct rd make_rd(const struct buf *b);

/* A whole file of the vectors; ends the program if it is not there. */
void make_read_file(const char *dir, const char *name, struct buf *ret);

#endif
