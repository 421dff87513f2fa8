/* vitrine-inspector: answers questions about databases, and why a signature is found in a file.
 * Role INSPECT.
 *
 * The jail closes before the first message is read. Databases and the file come as descriptors; the
 * answer goes to SANDBOX_FD_OUT, a pipe. Ends after one question. */
#include "base/io.h"
#include "crypto/digest.h"
#include "explain/sigtool.h"
#include "proc/msg.h"
#include "sandbox/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes of a file that are looked at: as much as a scan can be told to take is not needed to show
 * why a signature matches. */
#define FILE_MAX ((size_t)1 << 31)
#define READ_STEP ((size_t)1 << 20)

/* For one signature over one file. */
#define TEST_MAX_NS (UINT64_C(300) * 1000000000)

struct inspector {
	struct msg_peer peer;
	struct sandbox_report jail;
	struct msg_inspect ask;
	int fd[INSPECT_INPUTS];
	struct db *db[2];
	uint64_t size; /* of database A */
	struct out out;
	uint64_t written;
};

static st_t send_now(struct inspector *x, const struct msg *m, struct err *e)
{
	return msg_send(&x->peer, m, -1, true, e);
}

static st_t write_out(void *ctx, const void *p, size_t n, struct err *e)
{
	struct inspector *x = ctx;
	x->written += n;
	return io_write_all(SANDBOX_FD_OUT, p, n, e);
}

static st_t take_input(struct inspector *x, uint32_t what, int fd, struct err *e)
{
	if (x->fd[what] >= 0) {
		close(fd);
		return fail(e, ST_MALFORMED, what, "an input came twice");
	}
	x->fd[what] = fd;
	return ST_OK;
}

/* Everything up to INSPECT_GO. */
static st_t receive(struct inspector *x, struct err *e)
{
	struct msg in;
	enum ipc_got got;
	int fd;
	while (x->peer.state != I_RUNNING) {
		TRY(msg_recv(&x->peer, true, &in, &fd, &got, e));
		if (got == IPC_END)
			return fail(e, ST_TRUNCATED, 0, "no broker");
		if (in.type == MSG_INSPECT)
			x->ask = in.inspect;
		if (in.type == MSG_INPUT)
			TRY(take_input(x, in.input.what, fd, e));
	}
	return ST_OK;
}

static st_t open_database(struct inspector *x, enum inspect_input which, struct err *e)
{
	struct stat sb;
	if (x->fd[which] < 0)
		return fail(e, ST_MALFORMED, 0, "no database came");
	if (fstat(x->fd[which], &sb) != 0)
		return fail_errno(e, "fstat");
	if (which == INSPECT_A)
		x->size = (uint64_t)sb.st_size;
	struct err why = {0};
	st_t st = db_open(x->fd[which], &x->db[which], &why);
	return st == ST_OK ? ST_OK
	                   : fail(e, st, why.off, "%s%s",
	                          which == INSPECT_B ? "the second database: " : "", why.text);
}

/* The whole file in memory, with the room behind it that the matcher may look at. */
static st_t read_file(int fd, struct buf *ret, struct err *e)
{
	if (fd < 0)
		return fail(e, ST_MALFORMED, 0, "no file came");
	struct stat sb;
	bool regular = fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode);
	for (;;) {
		void *room = buf_room(ret, READ_STEP);
		if (!room)
			return buf_check(ret, e, "file");
		ssize_t n = regular ? pread(fd, room, READ_STEP, (off_t)ret->len)
		                    : read(fd, room, READ_STEP);
		if (n < 0)
			return fail_errno(e, "read");
		if (n == 0)
			break;
		ret->len += (size_t)n;
		if (ret->len > FILE_MAX)
			return fail(e, ST_LIMIT, ret->len, "the file has more than %zu bytes", FILE_MAX);
	}
	buf_fill(ret, 0, DB_TAIL_PAD);
	TRY(buf_check(ret, e, "file"));
	ret->len -= DB_TAIL_PAD;
	return ST_OK;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static st_t diff(struct inspector *x, enum inspect_outcome *ret, struct err *e)
{
	struct explain_diff d;
	TRY(open_database(x, INSPECT_B, e));
	TRY(explain_diff(&x->out, x->db[0], x->db[1], &d, e));
	*ret = d.added || d.removed || d.changed ? INSPECT_OTHER : INSPECT_DONE;
	return ST_OK;
}

static st_t test(struct inspector *x, uint32_t name, enum inspect_outcome *ret, struct err *e)
{
	struct buf file = {0};
	bool hit;
	TRY(read_file(x->fd[INSPECT_FILE], &file, e));
	struct explain_object object = {file.data, file.len, now_ns() + TEST_MAX_NS};
	TRY(explain_test(&x->out, x->db[0], name, &object, &hit, e));
	*ret = hit ? INSPECT_DONE : INSPECT_OTHER;
	return ST_OK;
}

static st_t about_name(struct inspector *x, enum inspect_outcome *ret, struct err *e)
{
	uint32_t name;
	enum explain_found found;
	bool is_test = x->ask.op == INSPECT_TEST;
	TRY(explain_find(&x->out, x->db[0], x->ask.text, &name, &found, e));
	*ret = found == EXPLAIN_NONE ? INSPECT_NO_NAME : is_test ? INSPECT_OTHER : INSPECT_DONE;
	if (found != EXPLAIN_ACTIVE)
		return ST_OK;
	if (is_test)
		return test(x, name, ret, e);
	return explain_name(&x->out, x->db[0], name, e);
}

static st_t about_html(struct inspector *x, const struct explain_object *in,
                       enum inspect_outcome *ret, struct err *e)
{
	bool there;
	enum sigtool_html which = x->ask.op == INSPECT_HTML_NOCOMMENT ? SIGTOOL_NOCOMMENT
	                          : x->ask.op == INSPECT_HTML_NOTAGS  ? SIGTOOL_NOTAGS
	                                                              : SIGTOOL_SCRIPT;
	TRY(sigtool_html(&x->out, which, in, &there, e));
	*ret = there ? INSPECT_DONE : INSPECT_OTHER;
	return ST_OK;
}

static st_t try_signatures(struct inspector *x, struct explain_object *in, struct err *e)
{
	struct buf text = {0};
	TRY(open_database(x, INSPECT_A, e));
	TRY(read_file(x->fd[INSPECT_B], &text, e));
	in->deadline_ns = now_ns() + TEST_MAX_NS;
	struct explain_object sigs = {text.data, text.len, 0};
	return sigtool_try(&x->out, x->db[0], &sigs, in, e);
}

/* What sigtool does with a file. */
static st_t about_file(struct inspector *x, enum inspect_outcome *ret, struct err *e)
{
	struct buf file = {0};
	const char *name = x->ask.name;
	TRY(read_file(x->fd[INSPECT_FILE], &file, e));
	struct explain_object in = {file.data, file.len, 0};
	switch ((enum inspect_op)x->ask.op) {
	case INSPECT_MD5:
		return sigtool_digest(&x->out, DIGEST_MD5, &in, name, e);
	case INSPECT_SHA1:
		return sigtool_digest(&x->out, DIGEST_SHA1, &in, name, e);
	case INSPECT_SHA256:
		return sigtool_digest(&x->out, DIGEST_SHA256, &in, name, e);
	case INSPECT_SECTIONS:
		return sigtool_sections(&x->out, &in, e);
	case INSPECT_IMPORTS:
		return sigtool_imports(&x->out, &in, e);
	case INSPECT_IMAGE_HASH:
		return sigtool_image(&x->out, &in, name, e);
	case INSPECT_NORMAL_TEXT:
		return sigtool_text(&x->out, &in, e);
	case INSPECT_UTF16:
		return sigtool_utf16(&x->out, &in, e);
	case INSPECT_NAMES:
		return sigtool_list(&x->out, &in, name, e);
	case INSPECT_FIND:
		return sigtool_find(&x->out, &in, name, x->ask.text, e);
	case INSPECT_DECODE:
		return sigtool_decode(&x->out, &in, e);
	case INSPECT_CVD:
		return sigtool_info(&x->out, &in, x->ask.text, e);
	case INSPECT_BODIES:
		return sigtool_bodies(&x->out, &in, e);
	case INSPECT_TRY:
		return try_signatures(x, &in, e);
	case INSPECT_UNPACK:
		return sigtool_unpack(&x->out, &in, x->ask.text, e);
	case INSPECT_HTML_NOCOMMENT:
	case INSPECT_HTML_NOTAGS:
	case INSPECT_HTML_SCRIPT:
		return about_html(x, &in, ret, e);
	default:
		sigtool_hex(&x->out, &in);
		return ST_OK;
	}
}

static st_t answer(struct inspector *x, enum inspect_outcome *ret, struct err *e)
{
	*ret = INSPECT_DONE;
	if (x->ask.op >= INSPECT_MD5)
		return about_file(x, ret, e);
	TRY(open_database(x, INSPECT_A, e));
	switch ((enum inspect_op)x->ask.op) {
	case INSPECT_INFO:
		explain_info(&x->out, x->db[0], x->ask.text, x->size);
		return ST_OK;
	case INSPECT_LIST:
		return explain_list(&x->out, x->db[0], x->ask.text, e);
	case INSPECT_DIFF:
		return diff(x, ret, e);
	default:
		return about_name(x, ret, e);
	}
}

static st_t run(struct inspector *x, struct err *e)
{
	enum inspect_outcome outcome;
	TRY(receive(x, e));
	x->out = (struct out){.json = x->ask.json, .write = write_out, .ctx = x};
	st_t st = answer(x, &outcome, e);
	/* What was said in front of a refusal counts. */
	if (st > ST_OK)
		(void)!out_finish(&x->out, NULL);
	TRY(st);
	TRY(out_finish(&x->out, e));
	struct msg m = {.type = MSG_INSPECTED};
	m.inspected = (struct msg_inspected){.outcome = outcome, .size = x->written};
	return send_now(x, &m, e);
}

static st_t refuse(struct inspector *x, st_t st, const struct err *why)
{
	struct msg m = {.type = MSG_INSPECT_FAIL};
	m.fail = (struct msg_fail){.why = (int32_t)st, .off = why->off};
	msg_text(m.fail.text, sizeof m.fail.text, why->text[0] ? why->text : st_name(st));
	return send_now(x, &m, NULL);
}

static st_t enter(struct sandbox_report *ret, struct err *e)
{
	TRY(digest_preload(e));
	TRY(sandbox_preload(e));
	return sandbox_enter(ROLE_INSPECT, ret, e);
}

/* Ends without exit() and without freeing: one question, one process. */
int main(void)
{
	static struct inspector x = {
	    .peer = {.sock = SANDBOX_FD_SOCK, .self = INSPECTOR, .state = I_NEW},
	    .fd = {-1, -1, -1},
	};
	struct err e = {0};
	if (enter(&x.jail, &e) != ST_OK) {
		dprintf(STDERR_FILENO, "vitrine-inspector: no jail: %s\n", e.text);
		_exit(1);
	}
	st_t st = run(&x, &e);
	if (st != ST_OK && refuse(&x, st, &e) != ST_OK)
		_exit(st == ST_NOMEM ? MSG_EXIT_NOMEM : 1);
	_exit(0);
}
