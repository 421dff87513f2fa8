/* The pool of scan workers. Runs in the broker, single-threaded.
 *
 * A worker's slot:   empty -> loading [start]  -> ready [HELLO]  -> empty [lose]
 *                    loading -> empty [lose: a failed start, nobody's fault]
 *
 * Invariants
 * 1. A file is in exactly one queue: the backlog, one slot's queue, the suspects, or the results.
 * 2. A worker answers in order, so only the head of its queue can be the file at hand: only its id
 *    is accepted, and it alone is blamed when the worker is lost.
 * 3. Every file submitted becomes one result, unless the pool fails as a whole.
 * 4. Suspects are files whose workers were lost since the last answer, as long as it is not settled
 *    whether the database is to blame: that is asked at most once, between two turns of pump(). */
#include "proc/broker/pool.h"

#include "base/io.h"
#include "base/num.h"
#include "proc/broker/child.h"
#include "proc/broker/pool_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_DEFAULT 8

/* A worker with this much waiting gets only one file ahead, so that work is left for the others. */
#define QUEUE_COST_MAX ((uint64_t)8 << 20)

/* Starting another worker costs about as much as scanning this: less waiting is not worth it. */
#define START_COST ((uint64_t)2 << 20)

/* Sanity of --jobs; every worker costs some megabytes. */
#define JOBS_MAX 256

/* Workers lost in a row before they were ready: then it is not chance and not a file. */
#define FAILED_STARTS_MAX 5

/* Workers lost at files in a row, without an answer between them: then it may be the database. */
#define LOST_IN_A_ROW 3

/* Time to enter the jail and check a database of gigabytes from a slow disk. */
#define START_MAX_MS 60000

/* The worker keeps its time limit by itself, looking at the clock between steps; this much later it
 * is held to be stuck in one. */
#define GRACE_DEFAULT_MS 10000

/* Messages taken from one worker before the others get their turn. */
#define BURST 64

struct slot {
	struct child child;
	struct file_queue queue;
	bool ready;
	bool closing;      /* sending failed: read what it still said, then it is lost */
	bool talking;      /* has said more than was read yet */
	uint64_t since_ms; /* start of the worker, or when the file at hand became so */
};

struct pool {
	struct pool_opts opts;
	char *worker_path;
	struct slot *slots; /* opts.jobs of them */
	struct pollfd *polls;
	struct file_queue backlog, suspects, results;
	struct err start_failed; /* workers do not become ready; not settled yet */
	bool asked;              /* whether the database is to blame */
	size_t outstanding;
	uint32_t failed_starts;
	uint64_t known_signatures;
	uint32_t missing;
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- starting ---- */

static st_t send_setup(struct pool *p, struct slot *s, struct err *e)
{
	const struct scan_opts *o = &p->opts.scan;
	struct msg m = {.type = MSG_SETUP};
	m.setup = (struct msg_setup){
		.max_scansize = o->limits.max_scansize,
		.max_filesize = o->limits.max_filesize,
		.max_recursion = o->limits.max_recursion,
		.max_files = o->limits.max_files,
		.max_scantime_ms = o->limits.max_scantime_ms,
		.all_matches = o->all_matches,
		.archives = o->archives,
		.detect_pua = o->detect_pua,
		.max_scriptnormalize = o->limits.max_scriptnormalize,
		.max_htmlnormalize = o->limits.max_htmlnormalize,
		.max_htmlnotags = o->limits.max_htmlnotags,
		.pcre_max_filesize = o->limits.pcre_max_filesize,
		.pcre_match_limit = o->limits.pcre_match_limit,
		.pcre_recmatch_limit = o->limits.pcre_recmatch_limit,
		.pua_exclude = o->pua_exclude,
		.heuristics_first = o->heuristics_first,
		.no_pe = o->no_pe,
		.no_normalize = o->no_normalize,
		.no_html = o->no_html,
		.no_image_hash = o->no_image_hash,
		.cpumask = o->cpumask,
	};
	msg_text(m.setup.pua_categories, sizeof m.setup.pua_categories, o->pua_categories);
	return msg_send(&s->child.peer, &m, p->opts.db_fd, false, e);
}

static st_t start_worker(struct pool *p, struct slot *s, struct err *e)
{
	*s = (struct slot){.since_ms = now_ms()};
	TRY(child_start(p->worker_path, p->opts.regex_jit ? "jit" : NULL, -1, S_NEW, &s->child, e));
	st_t st = send_setup(p, s, e);
	if (st != ST_OK)
		child_kill(&s->child);
	return st;
}

/* ---- handing files out ---- */

static bool slot_has_room(const struct pool *p, const struct slot *s)
{
	if (!s->child.pid || s->closing || s->queue.n >= p->opts.queue)
		return false;
	return s->queue.n < 2 || s->queue.cost < QUEUE_COST_MAX;
}

/* Work ahead of a file given to this slot now. */
static uint64_t slot_load(const struct slot *s)
{
	return s->queue.cost + (s->ready ? 0 : START_COST);
}

static struct slot *least_loaded(struct pool *p)
{
	struct slot *best = NULL;
	for (struct slot *s = p->slots; s < p->slots + p->opts.jobs; s++)
		if (slot_has_room(p, s) && (!best || slot_load(s) < slot_load(best)))
			best = s;
	return best;
}

static struct slot *empty_slot(struct pool *p)
{
	for (struct slot *s = p->slots; s < p->slots + p->opts.jobs; s++)
		if (!s->child.pid)
			return s;
	return NULL;
}

/* The slot for the next file, NULL if every queue is full. Starts a worker when the others have
 * enough to do. That another cannot be started is an error only if there is none at all. */
static st_t choose_slot(struct pool *p, struct slot **ret, struct err *e)
{
	struct slot *best = least_loaded(p), *empty = empty_slot(p);
	*ret = best;
	if (!empty || (best && best->queue.cost < START_COST))
		return ST_OK;
	st_t st = start_worker(p, empty, best ? NULL : e);
	if (st == ST_OK)
		*ret = empty;
	return best ? ST_OK : st;
}

static st_t send_file(struct pool *p, struct slot *s, struct file *f)
{
	struct msg m = {.type = MSG_SCAN};
	m.scan = (struct msg_scan){
		.id = f->result.id,
		.stripe_index = p->opts.scan.stripe_index,
		.stripe_count = p->opts.scan.stripe_count ? p->opts.scan.stripe_count : 1,
	};
	return msg_send(&s->child.peer, &m, f->fd, false, NULL);
}

static void hand_out(struct pool *p, struct slot *s)
{
	struct file *f = queue_pop(&p->backlog);
	if (send_file(p, s, f) != ST_OK) {
		queue_push_front(&p->backlog, f);
		s->closing = true;
		kill(s->child.pid, SIGKILL);
		return;
	}
	if (s->queue.n == 0 && s->ready)
		s->since_ms = now_ms();
	queue_push(&s->queue, f);
}

static st_t flush_backlog(struct pool *p, struct err *e)
{
	while (p->backlog.n > 0) {
		struct slot *s;
		TRY(choose_slot(p, &s, e));
		if (!s)
			return ST_OK;
		hand_out(p, s);
	}
	return ST_OK;
}

/* ---- losing workers ---- */

static bool may_ask(const struct pool *p)
{
	return p->opts.replace && !p->asked;
}

static st_t failed_start(struct pool *p, const char *text, struct err *e)
{
	if (++p->failed_starts < FAILED_STARTS_MAX)
		return ST_OK;
	bool later = may_ask(p);
	st_t st = fail(later ? &p->start_failed : e, ST_IO, 0,
	               "%s: %u scan workers in a row ended before they were ready: %s",
	               p->worker_path, p->failed_starts, text);
	return later ? ST_OK : st;
}

/* The worker is gone. The file at hand, if any, gets the blame; those behind go back. */
static st_t lose(struct pool *p, struct slot *s, st_t why, const char *text, struct err *e)
{
	child_kill(&s->child);
	struct file *f = s->ready ? queue_pop(&s->queue) : NULL;
	bool ready = s->ready;
	queue_move_front(&p->backlog, &s->queue);
	*s = (struct slot){0};
	if (!ready)
		return failed_start(p, text, e);
	if (!f)
		return ST_OK;
	st_t st = file_give_up(f, why, text, e);
	if (may_ask(p)) {
		queue_push(&p->suspects, f);
		return st;
	}
	fd_closep(&f->fd);
	queue_push(&p->results, f);
	return st;
}

static st_t lose_dead(struct pool *p, struct slot *s, struct err *e)
{
	char how[64], text[128];
	child_reap(&s->child, how, sizeof how);
	snprintf(text, sizeof text, "scan worker %s", how);
	return lose(p, s, strstr(how, "memory") ? ST_LIMIT : ST_MALFORMED, text, e);
}

static st_t lose_failed(struct pool *p, struct slot *s, const struct msg_fail *m, struct err *e)
{
	if (m->why == ST_NOMEM)
		return lose(p, s, ST_LIMIT, "scan worker exceeded its memory", e);
	return lose(p, s, (st_t)m->why, m->text, e);
}

static st_t lose_wrong(struct pool *p, struct slot *s, const struct err *why, struct err *e)
{
	char text[ERR_TEXT_MAX + 64];
	snprintf(text, sizeof text, "scan worker broke the protocol: %s", why->text);
	return lose(p, s, ST_MALFORMED, text, e);
}

/* ---- is it the database? ---- */

/* No: they keep what was said of them. */
static void clear_suspects(struct pool *p)
{
	for (struct file *f; (f = queue_pop(&p->suspects));) {
		fd_closep(&f->fd);
		queue_push(&p->results, f);
	}
}

/* Yes: everything that is under way begins anew. */
static void take_database(struct pool *p, int fd)
{
	fd_closep(&p->opts.db_fd);
	p->opts.db_fd = fd;
	p->failed_starts = 0;
	for (struct slot *s = p->slots; s < p->slots + p->opts.jobs; s++) {
		child_kill(&s->child);
		for (struct file *f = s->queue.head; f; f = f->next)
			file_again(f);
		queue_move_front(&p->backlog, &s->queue);
		*s = (struct slot){0};
	}
	for (struct file *f = p->suspects.head; f; f = f->next)
		file_again(f);
	queue_move_front(&p->backlog, &p->suspects);
}

static bool something_is_under_way(const struct pool *p)
{
	return p->outstanding > p->suspects.n + p->results.n;
}

static st_t settle(struct pool *p, struct err *e)
{
	bool starts = p->start_failed.st != ST_OK;
	bool lost = p->suspects.n >= LOST_IN_A_ROW ||
	            (p->suspects.n > 0 && !something_is_under_way(p));
	if (!starts && !lost)
		return ST_OK;
	p->asked = true;
	int fd = p->opts.replace(p->opts.replace_ctx, starts ? p->start_failed.text
	                                                     : "scan workers were lost in a row");
	if (fd >= 0) {
		take_database(p, fd);
		return ST_OK;
	}
	clear_suspects(p);
	return starts ? fail(e, p->start_failed.st, p->start_failed.off, "%s", p->start_failed.text)
	              : ST_OK;
}

/* ---- what workers say ---- */

static void on_hello(struct pool *p, struct slot *s, const struct msg_hello *m)
{
	s->ready = true;
	s->since_ms = now_ms();
	p->failed_starts = 0;
	p->known_signatures = m->signatures;
	p->missing |= m->missing;
}

static st_t on_done(struct pool *p, struct slot *s, const struct msg_done *m, struct err *wrong)
{
	struct file *f = s->queue.head;
	TRY(file_done(f, m, wrong));
	queue_pop(&s->queue);
	fd_closep(&f->fd);
	queue_push(&p->results, f);
	clear_suspects(p);
	s->since_ms = now_ms();
	return ST_OK;
}

/* The worker refuses the database. */
static st_t on_hello_fail(struct pool *p, struct slot *s, const struct msg_fail *m, struct err *e)
{
	if (!may_ask(p))
		return fail(e, (st_t)m->why, m->off, "%s", m->text);
	(void)!fail(&p->start_failed, (st_t)m->why, m->off, "%s", m->text);
	child_kill(&s->child);
	queue_move_front(&p->backlog, &s->queue);
	*s = (struct slot){0};
	return ST_OK;
}

static uint64_t id_of(const struct msg *m)
{
	switch (m->type) {
	case MSG_FOUND:
		return m->found.id;
	case MSG_INCOMPLETE:
		return m->incomplete.id;
	case MSG_DONE:
		return m->done.id;
	default:
		return m->fail.id;
	}
}

/* A message about the file at hand. */
static st_t on_answer(struct pool *p, struct slot *s, const struct msg *m, struct err *wrong)
{
	struct file *f = s->queue.head;
	if (!f || f->result.id != id_of(m))
		return fail(wrong, ST_MALFORMED, 0, "answer to a question not asked");
	const struct msg_incomplete *inc = &m->incomplete;
	switch (m->type) {
	case MSG_FOUND:
		return file_add_found(f, &m->found, wrong);
	case MSG_INCOMPLETE:
		return file_add_incomplete(f, (st_t)inc->why, inc->text, inc->inner, wrong);
	case MSG_DONE:
		return on_done(p, s, &m->done, wrong);
	default:
		return ST_OK;
	}
}

/* ST_MALFORMED in *wrong: the worker must go. Any other failure is the pool's. */
static st_t on_message(struct pool *p, struct slot *s, const struct msg *m, struct err *wrong,
                       struct err *e)
{
	if (m->type == MSG_HELLO) {
		on_hello(p, s, &m->hello);
		return ST_OK;
	}
	if (m->type == MSG_HELLO_FAIL)
		return on_hello_fail(p, s, &m->fail, e);
	st_t st = on_answer(p, s, m, wrong);
	if (st != ST_OK)
		return st == ST_NOMEM ? fail(e, st, 0, "%s", wrong->text) : ST_OK;
	return m->type == MSG_SCAN_FAIL ? lose_failed(p, s, &m->fail, e) : ST_OK;
}

/* Takes one message of a worker. *ret_more: there may be more. */
static st_t take_one(struct pool *p, struct slot *s, bool *ret_more, struct err *e)
{
	struct msg m;
	struct err wrong = {0};
	enum ipc_got got = IPC_NOTHING;
	int fd = -1;
	*ret_more = false;
	if (msg_recv(&s->child.peer, false, &m, &fd, &got, &wrong) != ST_OK)
		return lose_wrong(p, s, &wrong, e);
	if (got == IPC_END)
		return lose_dead(p, s, e);
	if (got == IPC_NOTHING)
		return ST_OK;
	TRY(on_message(p, s, &m, &wrong, e));
	if (wrong.st != ST_OK)
		return lose_wrong(p, s, &wrong, e);
	*ret_more = s->child.pid != 0;
	return ST_OK;
}

/* *ret_more as above: a worker that is still being listened to is not stuck. */
static st_t take_messages(struct pool *p, struct slot *s, bool *ret_more, struct err *e)
{
	*ret_more = true;
	for (int i = 0; i < BURST && *ret_more; i++)
		TRY(take_one(p, s, ret_more, e));
	return ST_OK;
}

/* ---- time ---- */

/* Milliseconds until the worker is held to be stuck; -1: never. */
static int64_t time_left(const struct pool *p, const struct slot *s, uint64_t now)
{
	uint64_t limit = p->opts.scan.limits.max_scantime_ms;
	if (!s->child.pid || (s->ready && (s->queue.n == 0 || limit == 0)))
		return -1;
	uint64_t end = s->since_ms + (s->ready ? limit + p->opts.grace_ms : START_MAX_MS);
	return end > now ? (int64_t)(end - now) : 0;
}

static st_t end_stuck(struct pool *p, struct err *e)
{
	uint64_t now = now_ms();
	for (struct slot *s = p->slots; s < p->slots + p->opts.jobs; s++)
		if (!s->talking && time_left(p, s, now) == 0)
			TRY(lose(p, s, ST_TIMEOUT, "scan worker exceeded the time limit", e));
	return ST_OK;
}

static int shorter(int a_ms, int64_t b_ms)
{
	if (b_ms < 0)
		return a_ms;
	int b = (int)(b_ms < 1000000 ? b_ms : 1000000);
	return a_ms < 0 || b < a_ms ? b : a_ms;
}

/* Waits until some worker says something, ends or gets stuck, and acts on it. */
static st_t pump(struct pool *p, int timeout_ms, struct err *e)
{
	uint64_t now = now_ms();
	for (uint32_t i = 0; i < p->opts.jobs; i++) {
		const struct slot *s = &p->slots[i];
		int sock = s->child.pid ? s->child.peer.sock : -1; /* poll() passes over negative ones */
		p->polls[i] = (struct pollfd){.fd = sock, .events = POLLIN};
		timeout_ms = shorter(timeout_ms, time_left(p, s, now));
	}
	if (poll(p->polls, p->opts.jobs, timeout_ms) < 0 && errno != EINTR)
		return fail_errno(e, "poll");
	for (uint32_t i = 0; i < p->opts.jobs; i++) {
		bool more = false;
		if (p->polls[i].revents)
			TRY(take_messages(p, &p->slots[i], &more, e));
		p->slots[i].talking = more;
	}
	TRY(end_stuck(p, e));
	if (may_ask(p))
		TRY(settle(p, e));
	return flush_backlog(p, e);
}

/* ---- interface ---- */

static uint32_t cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return (uint32_t)n;
}

static st_t prepare(struct pool *p, const struct pool_opts *o, struct err *e)
{
	p->opts = *o;
	p->opts.db_fd = fcntl(o->db_fd, F_DUPFD_CLOEXEC, 0);
	if (p->opts.db_fd < 0)
		return fail_errno(e, "database");
	p->opts.jobs = o->jobs ? o->jobs : cores();
	if (p->opts.jobs > JOBS_MAX)
		p->opts.jobs = JOBS_MAX;
	p->opts.queue = o->queue ? o->queue : QUEUE_DEFAULT;
	p->opts.grace_ms = o->grace_ms ? o->grace_ms : GRACE_DEFAULT_MS;
	p->slots = calloc(p->opts.jobs, sizeof *p->slots);
	p->polls = calloc(p->opts.jobs, sizeof *p->polls);
	if (!p->slots || !p->polls)
		return fail(e, ST_NOMEM, 0, "pool: out of memory");
	if (!o->worker_path)
		return child_find("vitrine-worker", &p->worker_path, e);
	p->worker_path = strdup(o->worker_path);
	return p->worker_path ? ST_OK : fail(e, ST_NOMEM, 0, "pool: out of memory");
}

/* The first worker: it says whether the database is good. */
static st_t start_first(struct pool *p, struct err *e)
{
	struct slot *s = &p->slots[0];
	while (!s->ready) {
		if (!s->child.pid)
			TRY(start_worker(p, s, e));
		TRY(pump(p, -1, e));
	}
	return ST_OK;
}

st_t pool_new(const struct pool_opts *opts, struct pool **ret, struct err *e)
{
	struct pool *p = calloc(1, sizeof *p);
	if (!p)
		return fail(e, ST_NOMEM, 0, "pool: out of memory");
	p->opts.db_fd = -1;
	st_t st = prepare(p, opts, e);
	if (st == ST_OK)
		st = start_first(p, e);
	if (st != ST_OK) {
		pool_free(p);
		return st;
	}
	*ret = p;
	return ST_OK;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; p->slots && i < p->opts.jobs; i++) {
		child_kill(&p->slots[i].child);
		queue_free(&p->slots[i].queue);
	}
	queue_free(&p->backlog);
	queue_free(&p->suspects);
	queue_free(&p->results);
	fd_closep(&p->opts.db_fd);
	free(p->slots);
	free(p->polls);
	free(p->worker_path);
	free(p);
}

st_t pool_submit(struct pool *p, uint64_t id, int fd, struct err *e)
{
	struct file *f;
	TRY(file_new(id, fd, &f, e));
	queue_push(&p->backlog, f);
	p->outstanding++;
	TRY(flush_backlog(p, e));
	while (p->backlog.n > 0)
		TRY(pump(p, -1, e));
	return ST_OK;
}

bool pool_has_room(struct pool *p)
{
	return p->backlog.n == 0 && (least_loaded(p) || empty_slot(p));
}

st_t pool_next(struct pool *p, int timeout_ms, struct pool_result *ret, bool *ret_got,
               struct err *e)
{
	uint64_t end = now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	*ret_got = false;
	while (p->results.n == 0) {
		uint64_t now = now_ms();
		int left = timeout_ms < 0 ? -1 : (int)(end > now ? end - now : 0);
		if (p->outstanding == 0)
			return ST_OK;
		TRY(pump(p, left, e));
		if (left == 0 && p->results.n == 0)
			return ST_OK;
	}
	struct file *f = queue_pop(&p->results);
	*ret = f->result;
	f->result = (struct pool_result){0};
	file_free(f);
	p->outstanding--;
	*ret_got = true;
	return ST_OK;
}

size_t pool_outstanding(const struct pool *p)
{
	return p->outstanding;
}

uint64_t pool_known_signatures(const struct pool *p)
{
	return p->known_signatures;
}

uint32_t pool_missing_layers(const struct pool *p)
{
	return p->missing;
}
