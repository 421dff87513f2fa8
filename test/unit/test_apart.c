/* Work in a process of its own: what it says comes whole or not at all, and how it failed. */
#include "proc/broker/apart.h"
#include "test/t.h"

#include <signal.h>
#include <unistd.h>

static struct err e;

static st_t run(st_t (*work)(void *, struct buf *, struct err *), void *ctx, size_t max,
                struct buf *ret)
{
	const struct apart a = {.work = work, .ctx = ctx, .max = max};
	err_clear(&e);
	return broker_apart(&a, ret, &e);
}

static st_t say_pid(void *ctx, struct buf *out, struct err *why)
{
	(void)why;
	buf_text(out, ctx);
	buf_u32le(out, (uint32_t)getpid());
	return ST_OK;
}

static void bytes_come_from_another_process(void)
{
	struct buf b = {0};
	char hello[] = "hello";
	uint32_t pid;
	T_EQ(run(say_pid, hello, 100, &b), ST_OK);
	T_EQ(b.len, 9);
	T_MEM(b.data, "hello", 5);
	memcpy(&pid, b.data + 5, 4);
	T_TRUE(pid != (uint32_t)getpid());
	buf_done(&b);
}

static st_t refuse(void *ctx, struct buf *out, struct err *why)
{
	(void)ctx;
	buf_text(out, "half of it");
	return fail(why, ST_CONFLICT, 0, "another %s", "one");
}

static void failure_comes_with_its_message_and_nothing_else(void)
{
	struct buf b = {0};
	T_EQ(run(refuse, NULL, 100, &b), ST_CONFLICT);
	T_STR(e.text, "another one");
	T_EQ(b.len, 0);
}

static st_t die(void *ctx, struct buf *out, struct err *why)
{
	(void)ctx;
	(void)why;
	buf_text(out, "bytes");
	kill(getpid(), SIGKILL);
	return ST_OK;
}

static st_t leave(void *ctx, struct buf *out, struct err *why)
{
	(void)ctx;
	(void)out;
	(void)why;
	_exit(0);
}

static void process_that_dies_or_leaves_has_not_succeeded(void)
{
	struct buf b = {0};
	T_EQ(run(die, NULL, 100, &b), ST_IO);
	T_EQ(run(leave, NULL, 100, &b), ST_TRUNCATED);
	T_EQ(b.len, 0);
}

static st_t say_much(void *ctx, struct buf *out, struct err *why)
{
	(void)ctx;
	(void)why;
	buf_fill(out, 'x', 1 << 20);
	return ST_OK;
}

static void more_than_allowed_is_an_error(void)
{
	struct buf b = {0};
	T_EQ(run(say_much, NULL, 1 << 19, &b), ST_LIMIT);
	T_EQ(b.len, 0);
	T_EQ(run(say_much, NULL, 1 << 21, &b), ST_OK);
	T_EQ(b.len, 1 << 20);
	buf_done(&b);
}

int main(void)
{
	T_RUN(bytes_come_from_another_process);
	T_RUN(failure_comes_with_its_message_and_nothing_else);
	T_RUN(process_that_dies_or_leaves_has_not_succeeded);
	T_RUN(more_than_allowed_is_an_error);
	return t_end();
}
