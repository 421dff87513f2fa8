/* The bytes that signatures of a checkpoint are made over, for who verifies and who signs. Private
 * to src/tlog. */
#ifndef VITRINE_TLOG_MESSAGE_H
#define VITRINE_TLOG_MESSAGE_H

#include "tlog/checkpoint.h"
#include "tlog/note.h"

/* Appends the message of a cosignature of either type, over the text of a note, which must be a
 * checkpoint. ST_MALFORMED: it is none, a name or time that no cosignature has; ST_NOMEM. */
st_t message_of_cosignature(struct rd text, enum note_type type, struct rd cosigner, uint64_t time,
                            struct buf *out, struct err *e);

/* Appends RFC 6962's TreeHeadSignature of that time (in ms). */
st_t message_of_tree_head(const struct checkpoint *c, uint64_t time_ms, struct buf *out,
                          struct err *e);

#endif
