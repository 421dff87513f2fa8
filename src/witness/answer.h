/* What a witness answers over HTTP, made without knowing of HTTP. */
#ifndef VITRINE_WITNESS_ANSWER_H
#define VITRINE_WITNESS_ANSWER_H

#include "base/buf.h"
#include "base/st.h"

#include <stdint.h>

/* tlog-witness: "The response MUST have a `Content-Type` of `text/x.tlog.size`." */
#define ANSWER_TYPE_SIZE "text/x.tlog.size"
#define ANSWER_TYPE_TEXT "text/plain; charset=utf-8"

struct answer {
	unsigned status;        /* of HTTP; 0: not decided yet */
	const char *type;       /* a literal */
	struct buf body;        /* answer_done() */
	uint32_t retry_after_s; /* 0: none */
};

void answer_done(struct answer *a);

/* Decides: this status, the sentence and a newline. */
void answer_say(struct answer *a, unsigned status, const char *sentence);

/* The same with the message of a failure; without one, the word for its status. */
void answer_fail(struct answer *a, unsigned status, const struct err *e);

#endif
