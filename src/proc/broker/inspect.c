#include "proc/broker/inspect.h"

#include "base/io.h"
#include "proc/broker/child.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without a byte of the answer for this long, the inspector is stuck. It has a limit of its own
 * for the longest search. */
#define INSPECT_SILENCE_MS (10 * 60 * 1000)

/* A list of four million names has some 300 MB; an answer of more than this is no answer. */
#define INSPECT_ANSWER_MAX (UINT64_C(8) << 30)

#define STEP 65536

struct talk {
	struct child child;
	int answer; /* the pipe's end to read */
	uint64_t size;
};

static st_t wait_for(int fd, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, INSPECT_SILENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(e, "poll");
	return n ? ST_OK : fail(e, ST_TIMEOUT, 0, "inspector exceeded the time limit");
}

static st_t send_request(struct msg_peer *p, const struct inspect_request *rq, struct err *e)
{
	struct msg m = {.type = MSG_INSPECT};
	m.inspect = (struct msg_inspect){.op = rq->op, .json = rq->json};
	msg_text(m.inspect.text, sizeof m.inspect.text, rq->text ? rq->text : "");
	msg_text(m.inspect.name, sizeof m.inspect.name, rq->name ? rq->name : "");
	TRY(msg_send(p, &m, -1, true, e));
	for (uint32_t i = 0; i < INSPECT_INPUTS; i++) {
		m = (struct msg){.type = MSG_INPUT};
		m.input.what = i;
		if (rq->fd[i] >= 0)
			TRY(msg_send(p, &m, rq->fd[i], true, e));
	}
	m = (struct msg){.type = MSG_INSPECT_GO};
	return msg_send(p, &m, -1, true, e);
}

/* Up to the end of the answer: the inspector has closed the pipe, as it does by ending. */
static st_t copy_answer(struct talk *t, st_t (*sink)(void *, const void *, size_t, struct err *),
                        void *ctx, struct err *e)
{
	char step[STEP];
	for (;;) {
		TRY(wait_for(t->answer, e));
		ssize_t n = read(t->answer, step, sizeof step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "inspector");
		if (n == 0)
			return ST_OK;
		t->size += (uint64_t)n;
		if (t->size > INSPECT_ANSWER_MAX)
			return fail(e, ST_LIMIT, t->size, "inspector: the answer is too long");
		TRY(sink(ctx, step, (size_t)n, e));
	}
}

static st_t died(struct talk *t, struct err *e)
{
	char how[64];
	child_reap(&t->child, how, sizeof how);
	return fail(e, strstr(how, "memory") ? ST_LIMIT : ST_MALFORMED, 0, "inspector %s", how);
}

static st_t read_outcome(struct talk *t, enum inspect_outcome *ret, struct err *e)
{
	struct msg m;
	enum ipc_got got;
	int fd;
	TRY(wait_for(t->child.peer.sock, e));
	TRY(msg_recv(&t->child.peer, true, &m, &fd, &got, e));
	if (got == IPC_END)
		return died(t, e);
	if (m.type == MSG_INSPECT_FAIL)
		return fail(e, (st_t)m.fail.why, m.fail.off, "%s", m.fail.text);
	if (m.inspected.size != t->size)
		return fail(e, ST_MALFORMED, t->size, "inspector: the answer is not whole");
	*ret = (enum inspect_outcome)m.inspected.outcome;
	return ST_OK;
}

/* When sending fails the inspector is gone or has something to say. */
static st_t converse(struct talk *t, const struct inspect_request *rq,
                     st_t (*sink)(void *, const void *, size_t, struct err *), void *ctx,
                     enum inspect_outcome *ret, struct err *e)
{
	struct err unsent = {0};
	st_t st = send_request(&t->child.peer, rq, &unsent);
	if (st != ST_OK && st != (st_t)-EPIPE && st != (st_t)-ECONNRESET)
		return fail(e, st, 0, "%s", unsent.text);
	TRY(copy_answer(t, sink, ctx, e));
	return read_outcome(t, ret, e);
}

static st_t start(struct talk *t, struct err *e)
{
	char *path;
	int pair[2];
	TRY(child_find("vitrine-inspector", &path, e));
	if (pipe2(pair, O_CLOEXEC)) {
		free(path);
		return fail_errno(e, "pipe");
	}
	t->answer = pair[0];
	st_t st = child_start(path, NULL, pair[1], I_NEW, &t->child, e);
	close(pair[1]);
	free(path);
	return st;
}

st_t broker_inspect(const struct inspect_request *rq,
                    st_t (*sink)(void *ctx, const void *p, size_t n, struct err *e), void *ctx,
                    enum inspect_outcome *ret, struct err *e)
{
	struct talk t = {.answer = -1};
	st_t st = start(&t, e);
	if (st == ST_OK)
		st = converse(&t, rq, sink, ctx, ret, e);
	child_kill(&t.child);
	fd_closep(&t.answer);
	return st;
}
