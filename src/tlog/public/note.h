/* Opaque public types that are inner structs by another name, and spans of checkpoints. */
#ifndef VITRINE_TLOG_PUBLIC_NOTE_H
#define VITRINE_TLOG_PUBLIC_NOTE_H

#include "tlog/checkpoint.h"
#include "tlog/note.h"
#include "tlog/public/common.h"

/* vitrine_tlog_key is struct note_key. */
static inline const vitrine_tlog_key *public_key_out(const struct note_key *k)
{
	return (const vitrine_tlog_key *)k;
}

static inline const struct note_key *public_key_in(const vitrine_tlog_key *k)
{
	return (const struct note_key *)k;
}

void public_checkpoint_out(const struct checkpoint *c, struct vitrine_tlog_checkpoint *ret);

#endif
