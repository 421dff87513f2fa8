/* What the child says, numbers little-endian:
 *   OFFSET SIZE MEANING
 *   0      4    status; if it is not ST_OK the message follows, to the end
 *   4      8    size of the tree
 *   12     ...  for each entry: index (8), length of its proof (4), the proof */
#include "cli/publish_log.h"

#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/statement.h"
#include "base/io.h"
#include "cli/log_session.h"
#include "cli/ticker.h"
#include "crypto/random.h"
#include "tlog/proof.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)PUBLISH_LOG_ENTRIES_MAX * (PROOF_SIZE_MAX + 12) + 12)

void publish_log_answer_done(struct publish_log_answer *a)
{
	for (size_t i = 0; i < PUBLISH_LOG_ENTRIES_MAX; i++)
		buf_done(&a->v[i].proof);
}

/* -- in the child ----------------------------------------------------------------------------- */

static bool is_about(const struct statement *s, const uint8_t sha256[32])
{
	for (size_t i = 0; i < s->nsubjects; i++)
		if (!memcmp(s->subject[i].sha256, sha256, 32))
			return true;
	return false;
}

/* Whose signature it has is for readers to judge, by their policies. */
static st_t check_verdict(struct rd envelope, const uint8_t sha256[32], struct err *e)
{
	struct dsse d;
	struct statement s = {0};
	st_t st = dsse_parse(envelope, &d, e);
	if (st == ST_OK && strcmp((const char *)d.type.data, STATEMENT_PAYLOAD_TYPE))
		st = fail(e, ST_CONFLICT, 0, "a verdict: not an in-toto statement");
	if (st == ST_OK)
		st = statement_parse(rd_make(d.payload.data, d.payload.len), &s, e);
	if (st == ST_OK && s.kind != STATEMENT_REBUILD)
		st = fail(e, ST_CONFLICT, 0, "a verdict: not a rebuilder's statement");
	if (st == ST_OK && !is_about(&s, sha256))
		st = fail(e, ST_CONFLICT, 0, "a verdict: about another main.vdb than the published one");
	statement_done(&s);
	dsse_done(&d);
	return st;
}

static st_t put_proof(struct log_writer *w, uint64_t index, struct buf *out, struct err *e)
{
	struct tlog_proof p;
	struct buf b = {0};
	TRY(log_writer_prove(w, index, &p, e));
	offline_proof_format(NULL, 0, index, &p, log_writer_checkpoint(w), &b);
	buf_u64le(out, index);
	buf_u32le(out, (uint32_t)b.len);
	buf_add(out, b.data, b.len);
	st_t st = buf_check(&b, e, "proof");
	buf_done(&b);
	return st;
}

/* What was in the log before gets a checkpoint of today as well. */
static st_t add(struct log_writer *w, const struct publish_log_request *rq, struct buf *out,
                struct err *e)
{
	struct log_entry entry[PUBLISH_LOG_ENTRIES_MAX];
	uint64_t index[PUBLISH_LOG_ENTRIES_MAX], before = log_writer_published(w);
	for (size_t i = 0; i < rq->n; i++)
		entry[i] = (struct log_entry){rq->entry[i].base, rq->entry[i].len};
	TRY(log_writer_add(w, entry, rq->n, index, e));
	if (log_writer_published(w) == before)
		TRY(log_writer_refresh(w, e));
	buf_u64le(out, log_writer_published(w));
	for (size_t i = 0; i < rq->n; i++)
		TRY(put_proof(w, index[i], out, e));
	return buf_check(out, e, "proofs");
}

static st_t write_log(struct log_session *s, const struct publish_log_request *rq, struct buf *out,
                      struct err *e)
{
	struct log_writer *w;
	for (size_t i = 1; i < rq->n; i++)
		TRY(check_verdict(rq->entry[i], rq->sha256, e));
	TRY(log_writer_open(&s->o, &w, e));
	st_t st = add(w, rq, out, e);
	if (st == ST_OK)
		log_session_warn(s);
	struct err second = {0};
	st_t closed = log_writer_close(w, &second);
	if (st == ST_OK && closed != ST_OK)
		st = fail(e, closed, second.off, "%s", second.text);
	log_writer_free(w);
	return st;
}

static st_t run_session(const struct publish_log_opts *o, struct log_place *place,
                        const struct log_config *c, const struct publish_log_request *rq,
                        struct buf *out, struct err *e)
{
	struct log_session s;
	uint32_t seed;
	const struct log_session_opts so = {
		.key = o->key ? o->key : c->key_path,
		.pass = o->pass,
		.expect = &c->key,
		.policy = c->policy,
		.ca_file = o->ca_file,
		.out_dir = -1,
	};
	TRY(random_fill(&random_system, &seed, sizeof seed, e));
	attest_preload(seed);
	st_t st = log_session_open(place, &so, &s, e);
	if (st == ST_OK)
		st = write_log(&s, rq, out, e);
	log_session_done(&s);
	return st;
}

static st_t run_child(const struct publish_log_opts *o, const struct publish_log_request *rq,
                      struct buf *out, struct err *e)
{
	struct log_place place;
	struct log_config config = {0};
	TRY(log_place_open(o->dir, o->private_dir, false, &place, e));
	st_t st = log_config_read(&place, &config, e);
	if (st == ST_OK)
		st = run_session(o, &place, &config, rq, out, e);
	log_config_done(&config);
	log_place_done(&place);
	return st;
}

/* The jail leaves a process its standard output: that is the pipe. */
__attribute__((noreturn)) static void child(int pipe_fd, const struct publish_log_opts *o,
                               const struct publish_log_request *rq)
{
	struct err e = {0};
	struct buf out = {0}, head = {0};
	st_t st = dup2(pipe_fd, STDOUT_FILENO) < 0 ? fail_errno(&e, "pipe")
	                                           : run_child(o, rq, &out, &e);
	const void *p = st == ST_OK ? (const void *)out.data : e.text;
	size_t n = st == ST_OK ? out.len : strlen(e.text);
	buf_u32le(&head, (uint32_t)st);
	if (head.oom || io_write_all(STDOUT_FILENO, head.data, head.len, NULL) != ST_OK ||
	    io_write_all(STDOUT_FILENO, p, n, NULL) != ST_OK)
		_exit(1);
	_exit(0);
}

/* -- in the parent ---------------------------------------------------------------------------- */

static st_t read_failure(st_t st, struct rd *r, struct err *e)
{
	char text[ERR_TEXT_MAX] = "";
	size_t n = rd_left(r);
	if (n < sizeof text)
		rd_copy(r, text, n);
	return fail(e, st, 0, "%s", text[0] ? text : st_name(st));
}

static st_t read_answer(struct rd r, size_t n, struct publish_log_answer *ret, struct err *e)
{
	st_t st = (st_t)(int32_t)rd_u32le(&r);
	TRY(rd_check(&r, e, "log"));
	if (st != ST_OK)
		return read_failure(st < ST_MIN_ || st > ST_CONFLICT ? ST_IO : st, &r, e);
	ret->size = rd_u64le(&r);
	for (size_t i = 0; i < n; i++) {
		ret->v[i].index = rd_u64le(&r);
		struct rd proof = rd_sub(&r, rd_u32le(&r));
		TRY(rd_check(&r, e, "log"));
		buf_add(&ret->v[i].proof, proof.base, proof.len);
		TRY(buf_check(&ret->v[i].proof, e, "proof"));
	}
	return ST_OK;
}

/* `st`: how it went so far. */
static st_t reap(pid_t pid, st_t st, struct err *e)
{
	int status;
	if (st != ST_OK)
		kill(pid, SIGKILL); /* a log survives that */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(e, "log");
	if (st == ST_OK && WIFSIGNALED(status))
		return fail(e, ST_IO, 0, "log: the process that writes it was killed (signal %d)",
		            WTERMSIG(status));
	return st;
}

static st_t read_pipe(int fd, struct buf *ret, struct err *e)
{
	for (;;) {
		void *room = buf_room(ret, 1 << 16);
		ssize_t n = room ? read(fd, room, 1 << 16) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "log");
		if (n == 0)
			return buf_check(ret, e, "log");
		ret->len += (size_t)n;
		if (ret->len > ANSWER_MAX)
			return fail(e, ST_LIMIT, 0, "log: its process says too much");
	}
}

st_t publish_log_add(const struct publish_log_opts *o, const struct publish_log_request *rq,
                     struct publish_log_answer *ret, struct err *e)
{
	int ends[2];
	struct ticker ticker;
	struct buf said = {0};
	if (pipe2(ends, O_CLOEXEC))
		return fail_errno(e, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		child(ends[1], o, rq);
	close(ends[1]);
	ticker_start(&ticker, !o->quiet && pid > 0, "log and witnesses");
	st_t st = pid < 0 ? fail_errno(e, "fork") : read_pipe(ends[0], &said, e);
	close(ends[0]);
	ticker_stop(&ticker);
	if (pid > 0)
		st = reap(pid, st, e);
	if (st == ST_OK)
		st = read_answer(rd_make(said.data, said.len), rq->n, ret, e);
	buf_done(&said);
	return st;
}
