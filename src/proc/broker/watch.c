#include "proc/broker/watch.h"

#include "base/io.h"
#include "proc/preload.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A step asks at most some hundred questions in a row that are answered within minutes at worst;
 * one that says nothing for so long is stuck. */
#define WATCH_SILENCE_MS (30 * 60 * 1000)

/* Frames: type (1 byte), length (4, little-endian), bytes. */
enum frame {
	FRAME_ALERT = 'a',    /* kind, state (u32 each), length of the JSON (u32), JSON, text */
	FRAME_EVIDENCE = 'e', /* name (MONITOR_EVIDENCE_MAX bytes with NULs behind), bytes */
	FRAME_UNCHECKED = 'u', /* text */
	FRAME_DONE = 'd',     /* the summary, then the state */
	FRAME_FAILED = 'f',   /* st_t (u32), text */
};
#define HEAD_BYTES 5
#define ALERT_BYTES_MAX 65536u
#define ALERT_JSON_MAX 32768u
#define DONE_BYTES_MAX (64u + MONITOR_STATE_MAX)

/* Frames of one step: every alert may be cleared and raised, every view may come with two notes. A
 * watcher that was taken over shall not go on for ever. */
#define FRAMES_MAX (6u * MONITOR_OPEN_MAX)
#define EVIDENCE_FRAMES_MAX (4u * MONITOR_VIEWS_MAX)

/* ---- the watcher ---- */

static st_t put_frame(int fd, enum frame type, const struct buf *b, struct err *e)
{
	struct buf head = {0};
	buf_u8(&head, (uint8_t)type);
	buf_u32le(&head, (uint32_t)b->len);
	st_t st = b->oom ? fail(e, ST_NOMEM, 0, "watcher: out of memory")
	                 : buf_check(&head, e, "watcher");
	if (st == ST_OK)
		st = io_write_all(fd, head.data, head.len, e);
	if (st == ST_OK)
		st = io_write_all(fd, b->data, b->len, e);
	buf_done(&head);
	return st;
}

static st_t send_alert(void *ctx, const struct monitor_message *msg, struct err *e)
{
	struct buf b = {0};
	size_t n = strlen(msg->json);
	buf_u32le(&b, (uint32_t)msg->kind);
	buf_u32le(&b, (uint32_t)msg->state);
	buf_u32le(&b, (uint32_t)n);
	buf_add(&b, msg->json, n);
	buf_add(&b, msg->text, strlen(msg->text));
	st_t st = put_frame(*(int *)ctx, FRAME_ALERT, &b, e);
	buf_done(&b);
	return st;
}

static st_t send_evidence(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct buf b = {0};
	char padded[MONITOR_EVIDENCE_MAX] = {0};
	size_t n = rd_left(&bytes);
	memcpy(padded, name, strnlen(name, sizeof padded - 1));
	buf_add(&b, padded, sizeof padded);
	buf_add(&b, rd_take(&bytes, n), n);
	st_t st = put_frame(*(int *)ctx, FRAME_EVIDENCE, &b, e);
	buf_done(&b);
	return st;
}

static st_t send_unchecked(void *ctx, const char *text, struct err *e)
{
	struct buf b = {0};
	buf_add(&b, text, strlen(text) + 1);
	st_t st = put_frame(*(int *)ctx, FRAME_UNCHECKED, &b, e);
	buf_done(&b);
	return st;
}

static st_t send_done(int fd, const struct monitor *m, const struct monitor_summary *s,
                      struct err *e)
{
	struct buf b = {0};
	buf_u64le(&b, s->entries);
	buf_u32le(&b, s->raised);
	buf_u32le(&b, s->open);
	buf_u32le(&b, s->critical);
	buf_u32le(&b, s->unchecked);
	buf_u8(&b, s->more);
	st_t st = monitor_state_write(&m->state, &b, e);
	if (st == ST_OK)
		st = put_frame(fd, FRAME_DONE, &b, e);
	buf_done(&b);
	return st;
}

static void send_failed(int fd, st_t st, const struct err *why)
{
	struct buf b = {0};
	const char *text = why->text[0] ? why->text : st_name(st);
	buf_u32le(&b, (uint32_t)st);
	buf_add(&b, text, strlen(text));
	(void)!put_frame(fd, FRAME_FAILED, &b, NULL);
	buf_done(&b);
}

static st_t enter(const struct watch_request *rq, int out, struct fetch *ret_fetch, struct err *e)
{
	struct fetcher *f;
	struct sandbox_report jail;
	struct fetch_scope scope;
	struct fetcher_opts o = rq->fetcher;
	monitor_config_scope(rq->cfg, &scope);
	o.scope = &scope;
	TRY(proc_preload(e));
	TRY(fetcher_start(&o, &f, ret_fetch, e));
	int keep[] = {fetcher_socket(f), out};
	return sandbox_enter_self(ROLE_CHECK, NULL, keep, 2, &jail, e);
}

static uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static st_t watch_step(const struct watch_request *rq, int out, struct err *e)
{
	static struct monitor m;
	struct fetch fetch;
	struct monitor_summary sum;
	TRY(enter(rq, out, &fetch, e));
	m.cfg = rq->cfg;
	m.fetch = &fetch;
	m.acknowledge = rq->acknowledge;
	m.clock_ms = clock_ms;
	m.out = (struct monitor_out){send_alert, send_evidence, send_unchecked, &out};
	TRY(monitor_state_read(rq->state, &m.state, e));
	TRY(monitor_step(&m, rq->now, &sum, e));
	return send_done(out, &m, &sum, e);
}

/* Standard descriptors lead nowhere: it talks through its pipe alone. */
static st_t close_stdio(struct err *e)
{
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return fail_errno(e, "/dev/null");
	return ST_OK;
}

_Noreturn static void watcher_main(const struct watch_request *rq, int out)
{
	struct err e = {0};
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	st_t st = close_stdio(&e);
	if (st == ST_OK)
		st = watch_step(rq, out, &e);
	if (st != ST_OK)
		send_failed(out, st, &e);
	_exit(st == ST_OK ? 0 : 1);
}

/* ---- the parent ---- */

struct listener {
	int in, stop_fd;
	const struct monitor_out *out;
	struct buf *ret_state;
	struct monitor_summary *ret;
	bool done;
	uint32_t frames, evidence;
};

static st_t wait_for(struct listener *l, struct err *e)
{
	struct pollfd p[] = {{.fd = l->in, .events = POLLIN}, {.fd = l->stop_fd, .events = POLLIN}};
	int n;
	do
		n = poll(p, 2, WATCH_SILENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(e, "poll");
	if (n == 0)
		return fail(e, (st_t)-ETIMEDOUT, 0, "the watcher is stuck");
	return p[1].revents ? fail(e, ST_TIMEOUT, 0, "stopped") : ST_OK;
}

/* *ret_n less than n: the watcher ended. */
static st_t read_full(struct listener *l, void *p, size_t n, size_t *ret_n, struct err *e)
{
	*ret_n = 0;
	while (*ret_n < n) {
		TRY(wait_for(l, e));
		ssize_t k = read(l->in, (char *)p + *ret_n, n - *ret_n);
		if (k < 0 && errno != EINTR)
			return fail_errno(e, "watcher");
		if (k == 0)
			return ST_OK;
		*ret_n += k > 0 ? (size_t)k : 0;
	}
	return ST_OK;
}

static st_t broken(struct err *e)
{
	return fail(e, ST_MALFORMED, 0, "the watcher says what it may not say");
}

static bool is_line(const struct buf *b)
{
	for (size_t i = 0; i + 1 < b->len; i++)
		if (b->data[i] < 0x20 || b->data[i] > 0x7e)
			return false;
	return b->len > 2 && b->data[0] == '{';
}

static st_t hand_on(struct listener *l, uint32_t kind, uint32_t state, const struct buf *json,
                    const struct buf *text, struct err *e)
{
	TRY(buf_check(json, e, "alert"));
	TRY(buf_check(text, e, "alert"));
	if (kind >= ALERT_KINDS || state > ALERT_ACKNOWLEDGED || !is_line(json) ||
	    memchr(text->data, '\0', text->len - 1))
		return broken(e);
	struct monitor_message msg = {(enum alert_kind)kind, (enum alert_state)state,
	                              (const char *)json->data, (const char *)text->data};
	return l->out->alert(l->out->ctx, &msg, e);
}

static void add_string(struct buf *b, struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	if (p)
		buf_add(b, p, n);
	buf_u8(b, '\0');
}

static st_t take_alert(struct listener *l, struct rd r, struct err *e)
{
	struct buf json = {0}, text = {0};
	uint32_t kind = rd_u32le(&r);
	uint32_t state = rd_u32le(&r);
	uint32_t n = rd_u32le(&r);
	add_string(&json, &r, n <= ALERT_JSON_MAX ? n : 0);
	add_string(&text, &r, r.bad ? 0 : rd_left(&r));
	st_t st = r.bad ? broken(e) : hand_on(l, kind, state, &json, &text, e);
	buf_done(&json);
	buf_done(&text);
	return st;
}

static st_t take_evidence(struct listener *l, struct rd r, struct err *e)
{
	char name[MONITOR_EVIDENCE_MAX];
	rd_copy(&r, name, sizeof name);
	if (r.bad || name[sizeof name - 1] != '\0')
		return broken(e);
	return l->out->evidence(l->out->ctx, name, rd_sub(&r, rd_left(&r)), e);
}

static st_t take_unchecked(struct listener *l, struct rd r, struct err *e)
{
	size_t n = rd_left(&r);
	const char *text = (const char *)rd_take(&r, n);
	if (strnlen(text, n) + 1 != n)
		return broken(e);
	return l->out->unchecked(l->out->ctx, text, e);
}

static st_t take_done(struct listener *l, struct rd r, struct err *e)
{
	struct monitor_summary s;
	s.entries = rd_u64le(&r);
	s.raised = rd_u32le(&r);
	s.open = rd_u32le(&r);
	s.critical = rd_u32le(&r);
	s.unchecked = rd_u32le(&r);
	s.more = rd_u8(&r) != 0;
	size_t n = rd_left(&r);
	if (r.bad || n == 0)
		return broken(e);
	buf_add(l->ret_state, rd_take(&r, n), n);
	TRY(buf_check(l->ret_state, e, "state"));
	*l->ret = s;
	l->done = true;
	return ST_OK;
}

/* Its own words for why; a reason that would read as "fine" is none. */
static st_t take_failed(struct rd r, struct err *e)
{
	char text[ERR_TEXT_MAX] = {0};
	int32_t st = (int32_t)rd_u32le(&r);
	size_t n = rd_left(&r) < sizeof text - 1 ? rd_left(&r) : sizeof text - 1;
	rd_copy(&r, text, n);
	if (r.bad || st == ST_OK || st < ST_MIN_ || st > ST_CONFLICT)
		return broken(e);
	/* ST_TIMEOUT is the parent's word for being stopped. */
	return fail(e, st == ST_TIMEOUT ? (st_t)-ETIMEDOUT : (st_t)st, 0, "%s", text);
}

static size_t longest(uint8_t type)
{
	switch (type) {
	case FRAME_ALERT: return ALERT_BYTES_MAX;
	case FRAME_EVIDENCE: return MONITOR_EVIDENCE_MAX + NOTE_SIZE_MAX;
	case FRAME_DONE: return DONE_BYTES_MAX;
	case FRAME_UNCHECKED: return 4096;
	case FRAME_FAILED: return 4096;
	default: return 0;
	}
}

static st_t take_frame(struct listener *l, uint8_t type, struct rd r, struct err *e)
{
	switch (type) {
	case FRAME_ALERT: return take_alert(l, r, e);
	case FRAME_EVIDENCE: return take_evidence(l, r, e);
	case FRAME_UNCHECKED: return take_unchecked(l, r, e);
	case FRAME_DONE: return take_done(l, r, e);
	default: return take_failed(r, e);
	}
}

static st_t read_frame(struct listener *l, struct err *e)
{
	uint8_t head[HEAD_BYTES];
	size_t n;
	TRY(read_full(l, head, sizeof head, &n, e));
	if (n < sizeof head)
		return fail(e, ST_MALFORMED, 0, "the watcher ended before its step did");
	struct rd r = rd_make(head, sizeof head);
	uint8_t type = rd_u8(&r);
	uint32_t len = rd_u32le(&r);
	l->evidence += type == FRAME_EVIDENCE;
	if (len > longest(type) || len == 0 || ++l->frames > FRAMES_MAX ||
	    l->evidence > EVIDENCE_FRAMES_MAX)
		return broken(e);
	struct buf b = {0};
	void *room = buf_room(&b, len);
	st_t st = buf_check(&b, e, "watcher");
	if (st == ST_OK)
		st = read_full(l, room, len, &n, e);
	if (st == ST_OK)
		st = n == len ? take_frame(l, type, rd_make(room, len), e) : broken(e);
	buf_done(&b);
	return st;
}

static void end_watcher(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	/* Its fetcher dies with it and is an orphan. Where we are the first process (a container) those
	 * are ours, and one would be left of every step. There is no other child at this moment. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

st_t broker_watch(const struct watch_request *rq, const struct monitor_out *out,
                  struct buf *ret_state, struct monitor_summary *ret, struct err *e)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return fail_errno(e, "pipe");
	AUTO_FD in = fds[0];
	AUTO_FD theirs = fds[1];
	pid_t pid = fork();
	if (pid < 0)
		return fail_errno(e, "fork");
	if (pid == 0)
		watcher_main(rq, theirs);
	fd_closep(&theirs);
	struct listener l = {in, rq->stop_fd, out, ret_state, ret, false, 0, 0};
	st_t st = ST_OK;
	while (st == ST_OK && !l.done)
		st = read_frame(&l, e);
	end_watcher(pid);
	return st;
}
