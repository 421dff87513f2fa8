/* Inside of src/log: what a source of files is beneath log/source.h. */
#ifndef VITRINE_LOG_SOURCE_INSIDE_H
#define VITRINE_LOG_SOURCE_INSIDE_H

#include "log/source.h"
#include "tlog/note.h"

#include <stdbool.h>

/* One answer: `slot` is what was handed to ask(). */
struct source_answer {
	size_t slot;
	st_t st;
	struct buf body; /* the receiver's */
	struct err e;    /* without the path */
};

struct source_ops {
	/* Queues a file of at most `max` bytes. */
	st_t (*ask)(void *ctx, const char *path, size_t max, size_t slot, struct err *e);
	/* The next answer, in any order; something was asked for. A failure is the end of the source,
	 * what is wrong with a file stands in the answer. */
	st_t (*take)(void *ctx, struct source_answer *ret, struct err *e);
	void (*free)(void *ctx);
};

/* Takes ctx over, also where it fails. */
st_t log_source_new(const struct source_ops *ops, void *ctx, struct log_source **ret,
                    struct err *e);

#endif
