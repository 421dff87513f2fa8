#include "witness/answer.h"

#include <string.h>

void answer_done(struct answer *a)
{
	buf_done(&a->body);
	*a = (struct answer){0};
}

void answer_say(struct answer *a, unsigned status, const char *sentence)
{
	a->body.len = 0;
	a->status = status;
	a->type = ANSWER_TYPE_TEXT;
	a->retry_after_s = 0;
	buf_add(&a->body, sentence, strlen(sentence));
	buf_u8(&a->body, '\n');
}

void answer_fail(struct answer *a, unsigned status, const struct err *e)
{
	answer_say(a, status, e->text[0] ? e->text : st_name(e->st));
}
