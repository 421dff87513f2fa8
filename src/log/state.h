/* What the log knows in private: which tree it has made durable. Written before a checkpoint of
 * that tree is signed, so a size that was signed once has one tree for ever.
 *
 * The file has two slots of LOG_STATE_SLOT bytes; a record goes into slot (sequence mod 2), so a
 * write that is torn by a power cut leaves the record before it alone.
 *
 *   OFFSET SIZE MEANING
 *   0      16   "vitrine-logstat1"
 *   16     8    sequence: one more with each record, little-endian
 *   24     8    size of the tree, little-endian
 *   32     32   its root
 *   64     32   SHA-256(0x00 || origin): whose state it is
 *   96     32   SHA-256(0x00 || bytes 0 to 95)
 */
#ifndef VITRINE_LOG_STATE_H
#define VITRINE_LOG_STATE_H

#include "base/rd.h"
#include "tlog/hash.h"

#define LOG_STATE_RECORD 128
#define LOG_STATE_SLOT 4096 /* no disk tears a write of one slot into the other */
#define LOG_STATE_FILE (2 * LOG_STATE_SLOT)

struct log_state {
	uint64_t sequence;
	uint64_t size;
	struct tlog_hash root;
};

/* One record. */
void log_state_write(const struct log_state *s, const struct tlog_hash *origin,
                     struct tlog_hasher *h, uint8_t ret[LOG_STATE_RECORD]);

/* The newer of the valid records of a whole state file. ST_TRUNCATED: not as long as two slots.
 * ST_BAD_SUM: neither slot is valid. ST_CONFLICT: a valid record of another log. ST_MALFORMED: a
 * sequence in the wrong slot, a size that no tree has, the slots contradict each other. */
st_t log_state_read(struct rd in, const struct tlog_hash *origin, struct tlog_hasher *h,
                    struct log_state *ret, struct err *e);

#endif
