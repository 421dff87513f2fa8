/* A piece of work in a process of its own, which may enter a jail for good while its parent goes
 * on: a command that writes a log and more. The child is a copy of its parent, with all that it
 * knows: give back keys that it does not need before. */
#ifndef VITRINE_PROC_BROKER_APART_H
#define VITRINE_PROC_BROKER_APART_H

#include "base/buf.h"
#include "base/st.h"

struct apart {
	/* In the child: appends what the parent is to get. Its standard output is taken. */
	st_t (*work)(void *ctx, struct buf *out, struct err *e);
	/* In the parent, once the child runs; NULL: nothing. Threads may be started here, not
	 * before. */
	void (*started)(void *ctx);
	void *ctx;
	size_t max; /* bytes that the child may say */
};

/* Runs it and waits. What comes out was read by a process that read hostile bytes: it is hostile.
 * The status and message of the work are returned; ST_IO: it was killed. */
st_t broker_apart(const struct apart *a, struct buf *ret, struct err *e);

#endif
