/* What the child says: its status (4 bytes, little-endian), then the bytes or the message. */
#include "proc/broker/apart.h"

#include "base/io.h"
#include "base/rd.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_STEP ((size_t)1 << 16)

/* A jail leaves a process its standard output: that is the pipe. */
__attribute__((noreturn)) static void child(const struct apart *a, int pipe_fd)
{
	struct err e = {0};
	struct buf out = {0}, head = {0};
	st_t st = dup2(pipe_fd, STDOUT_FILENO) < 0 ? fail_errno(&e, "pipe") : a->work(a->ctx, &out, &e);
	const void *p = st == ST_OK ? (const void *)out.data : e.text;
	size_t n = st == ST_OK ? out.len : strlen(e.text);
	buf_u32le(&head, (uint32_t)st);
	if (head.oom || io_write_all(STDOUT_FILENO, head.data, head.len, NULL) != ST_OK ||
	    io_write_all(STDOUT_FILENO, p, n, NULL) != ST_OK)
		_exit(1);
	_exit(0);
}

static st_t read_pipe(int fd, size_t max, struct buf *ret, struct err *e)
{
	for (;;) {
		void *room = buf_room(ret, READ_STEP);
		ssize_t n = room ? read(fd, room, READ_STEP) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "pipe");
		if (n == 0)
			return buf_check(ret, e, "answer");
		ret->len += (size_t)n;
		if (ret->len > max)
			return fail(e, ST_LIMIT, 0, "a process of ours says too much");
	}
}

/* `st`: how it went so far; a child that is not done then is stopped. */
static st_t reap(pid_t pid, st_t st, struct err *e)
{
	int status;
	if (st != ST_OK)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(e, "waitpid");
	if (st == ST_OK && WIFSIGNALED(status))
		return fail(e, ST_IO, 0, "a process of ours was killed (signal %d)", WTERMSIG(status));
	return st;
}

static st_t take(const struct buf *said, struct buf *ret, struct err *e)
{
	struct rd r = rd_make(said->data, said->len);
	int32_t st = (int32_t)rd_u32le(&r);
	char text[ERR_TEXT_MAX] = "";
	TRY(rd_check(&r, e, "answer"));
	size_t n = rd_left(&r);
	if (st == ST_OK) {
		buf_add(ret, r.base + r.pos, n);
		return buf_check(ret, e, "answer");
	}
	if (st < ST_MIN_ || st > ST_CONFLICT || n >= sizeof text)
		return fail(e, ST_MALFORMED, 0, "a process of ours says something else than it should");
	rd_copy(&r, text, n);
	return fail(e, (st_t)st, 0, "%s", text[0] ? text : st_name((st_t)st));
}

st_t broker_apart(const struct apart *a, struct buf *ret, struct err *e)
{
	int ends[2];
	struct buf said = {0};
	if (pipe2(ends, O_CLOEXEC))
		return fail_errno(e, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		child(a, ends[1]);
	close(ends[1]);
	if (pid > 0 && a->started)
		a->started(a->ctx);
	st_t st = pid < 0 ? fail_errno(e, "fork") : read_pipe(ends[0], a->max, &said, e);
	close(ends[0]);
	if (pid > 0)
		st = reap(pid, st, e);
	if (st == ST_OK)
		st = take(&said, ret, e);
	buf_done(&said);
	return st;
}
