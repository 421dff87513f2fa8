/* The folder of a monitor: its state and its evidence. Runs in the parent, which has the folder and
 * reads none of what is in it.
 *
 *   lock               held while a monitor runs
 *   state              monitor/state.h, replaced whole
 *   evidence/HEX.note  a note by its SHA-256, written once, never changed or deleted
 *
 * Invariants
 * 1. After a power cut `state` is the one before or the one after, never a mixture: written to a
 *    new file, fsync, rename, fsync of the folder.
 * 2. Evidence is on disk before the alert that names it is said. */
#ifndef VITRINE_MONITOR_STORE_H
#define VITRINE_MONITOR_STORE_H

#include "base/buf.h"
#include "base/rd.h"

struct monitor_store {
	int dir, evidence, lock; /* -1: closed */
};

/* Opens the folder, or makes it (its parent exists). ST_CONFLICT: another monitor uses it. */
st_t monitor_store_open(const char *path, struct monitor_store *ret, struct err *e);
void monitor_store_close(struct monitor_store *s);

/* All bytes of the state; nothing if there is none yet. */
st_t monitor_store_read(const struct monitor_store *s, struct buf *ret, struct err *e);
st_t monitor_store_write(const struct monitor_store *s, struct rd state, struct err *e);

/* ST_MALFORMED: the name is not the one that the bytes give. */
st_t monitor_store_evidence(const struct monitor_store *s, const char *name, struct rd bytes,
                            struct err *e);

#endif
