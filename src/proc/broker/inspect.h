/* Questions about databases and files, answered in the jail, seen from the broker: it opens what
 * the user names, passes descriptors on and hands the answer to whoever shows it. */
#ifndef VITRINE_PROC_BROKER_INSPECT_H
#define VITRINE_PROC_BROKER_INSPECT_H

#include "base/st.h"
#include "proc/msg.h"

#include <stdbool.h>
#include <stddef.h>

struct inspect_request {
	enum inspect_op op;
	bool json;
	const char *text; /* what the operation asks for (enum inspect_op); NULL is "" */
	const char *name; /* likewise */
	/* What each operation needs; -1: none. They stay the caller's. */
	int fd[INSPECT_INPUTS];
};

/* Starts an inspector, asks, and gives every portion of the answer to sink() as it comes: bytes of
 * hostile origin, which the caller shows escaped. A status of sink() ends the conversation and is
 * returned. A status > 0 is the reason for which the inspector refused; ST_MALFORMED is also one
 * that crashed, ST_LIMIT one that exceeded its memory or said too much, ST_TIMEOUT its time. */
st_t broker_inspect(const struct inspect_request *rq,
                    st_t (*sink)(void *ctx, const void *p, size_t n, struct err *e), void *ctx,
                    enum inspect_outcome *ret, struct err *e);

#endif
