/* The activator's side of vitrine-verifier; the protocol is proc/verify_wire.h.
 *
 * Invariants
 * 1. What the verifier says is bounded in number and bytes; what is out of turn or contradicts
 *    itself ends it, and counts as a failure.
 * 2. All is well only where END says so and each link up to CHAIN_FILES was told, in order, once,
 *    and not as refused.
 * 3. Neither process is left behind, whatever happens. */
#include "proc/broker/verify.h"

#include "base/io.h"
#include "base/num.h"
#include "proc/broker/child.h"
#include "proc/verify_wire.h"
#include "tlog/tile.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A verifier that waits says so every ten seconds; one that computes (unpacks, hashes) is through
 * with a file of some gigabytes in this time. */
#define SILENCE_MS (5 * 60 * 1000)

/* Frames of one run: 256 KiB of progress each are 256 GiB. And what it may give to keep: files of
 * a repository but the large ones, with tiles of the log; where all tiles are wanted, these too. */
#define FRAMES_MAX ((uint64_t)1 << 20)
#define KEPT_FILES_MAX 4096u
#define KEPT_BYTES_MAX ((uint64_t)64 << 20)

struct session {
	const struct verify_request *rq;
	const struct verify_out *out;
	struct fetcher *fetcher;
	struct child child;
	struct verify_frame frame;
	struct ipc_packet packet;
	uint64_t frames, kept_bytes;
	uint32_t kept_files;
	bool refused;  /* some link */
	uint32_t link; /* that is to be told next */
	char path[UPDATE_PATH_MAX]; /* of the file that is being kept */
	uint64_t path_size;
	bool keeping;
	struct buf kept;
};

static st_t broken(struct err *e, const char *what)
{
	return fail(e, ST_MALFORMED, 0, "the verifier broke its protocol: %s", what);
}

static st_t died(struct session *s, struct err *e)
{
	char how[64];
	child_reap(&s->child, how, sizeof how);
	return fail(e, strstr(how, "memory") ? ST_NOMEM : ST_MALFORMED, 0, "the verifier %s", how);
}

/* ---- beginning ---- */

static st_t start_verifier(struct session *s, struct err *e)
{
	int fetch = s->fetcher ? fetcher_socket(s->fetcher) : -1;
	char *path;
	if (s->rq->verifier_path)
		return child_start(s->rq->verifier_path, NULL, fetch, STAY, &s->child, e);
	TRY(child_find("vitrine-verifier", &path, e));
	st_t st = child_start(path, NULL, fetch, STAY, &s->child, e);
	free(path);
	return st;
}

/* The policy is the customer's own file; its scope goes to the fetcher before the verifier runs. */
static st_t start_fetcher(struct session *s, struct err *e)
{
	struct fetcher_opts o = s->rq->fetcher;
	struct update_policy policy;
	struct fetch_scope scope;
	struct fetch unused;
	st_t st = update_policy_parse(s->rq->policy, &policy, e);
	if (st == ST_OK) {
		update_policy_scope(&policy, &scope);
		o.scope = &scope;
		st = fetcher_start(&o, &s->fetcher, &unused, e);
	}
	update_policy_done(&policy);
	return st;
}

static st_t start(struct session *s, struct err *e)
{
	const struct verify_request *rq = s->rq;
	if (rd_left(&rq->policy) > UPDATE_POLICY_MAX)
		return fail(e, ST_LIMIT, 0, "policy: longer than %zu bytes", UPDATE_POLICY_MAX);
	if (rq->folder_fd < 0 && rq->bundle_fd < 0)
		TRY(start_fetcher(s, e));
	return start_verifier(s, e);
}

static st_t send_fd(struct session *s, enum verify_fd kind, int fd, struct err *e)
{
	uint8_t byte = (uint8_t)kind;
	if (fd < 0 && kind != VERIFY_FD_END)
		return ST_OK;
	return ipc_send(s->child.peer.sock, &byte, 1, fd, true, e);
}

static st_t send_fds(struct session *s, struct err *e)
{
	const struct verify_request *rq = s->rq;
	TRY(send_fd(s, VERIFY_FD_TUF, rq->tuf_fd, e));
	TRY(send_fd(s, VERIFY_FD_SPOOL, rq->spool_fd, e));
	TRY(send_fd(s, VERIFY_FD_OLD_VDB, rq->old_vdb_fd, e));
	TRY(send_fd(s, VERIFY_FD_OLD_SOURCE, rq->old_source_fd, e));
	TRY(send_fd(s, VERIFY_FD_FOLDER, rq->folder_fd, e));
	TRY(send_fd(s, VERIFY_FD_BUNDLE, rq->bundle_fd, e));
	return send_fd(s, VERIFY_FD_END, -1, e);
}

static st_t say(struct session *s, enum verify_type type, struct err *e)
{
	s->frame.type = type;
	return verify_frame_send(s->child.peer.sock, &s->frame, e);
}

static st_t send_request(struct session *s, struct err *e)
{
	const struct verify_request *rq = s->rq;
	struct rd policy = rq->policy;
	s->frame.now = rq->now;
	s->frame.seen = rq->seen;
	s->frame.mirror = rq->mirror;
	s->frame.flags = (rq->have ? VERIFY_HAVE : 0) | (rq->want_source ? VERIFY_WANT_SOURCE : 0) |
	                 (rq->evidence_only ? VERIFY_EVIDENCE_ONLY : 0) |
	                 (rq->want_tiles ? VERIFY_WANT_TILES : 0) |
	                 (rq->want_packed ? VERIFY_WANT_PACKED : 0);
	if (rq->have)
		memcpy(s->frame.have, rq->have, sizeof s->frame.have);
	s->frame.policy_size = rd_left(&policy);
	TRY(say(s, VERIFY_REQUEST, e));
	while (rd_left(&policy) > 0) {
		s->frame.bytes = rd_sub(&policy, num_min_size(rd_left(&policy), VERIFY_BYTES_MAX));
		TRY(say(s, VERIFY_POLICY, e));
	}
	return ST_OK;
}

/* ---- listening ---- */

static st_t wait_for(struct session *s, struct err *e)
{
	struct pollfd p[] = {{.fd = s->child.peer.sock, .events = POLLIN},
	                     {.fd = s->rq->stop_fd, .events = POLLIN}};
	int n;
	do
		n = poll(p, 2, SILENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(e, "poll");
	if (n == 0)
		return fail(e, (st_t)-ETIMEDOUT, 0, "the verifier says nothing any more");
	return p[1].revents ? fail(e, ST_TIMEOUT, 0, "stopped") : ST_OK;
}

static st_t hear(struct session *s, struct err *e)
{
	TRY(wait_for(s, e));
	st_t st = verify_frame_recv(s->child.peer.sock, VERIFY_CHILD, &s->packet, &s->frame, e);
	if (++s->frames > FRAMES_MAX)
		return broken(e, "it says too much");
	return st;
}

/* Links behind CHAIN_FILES are ours: the verifier has no word in them. */
static st_t tell_event(struct session *s, struct err *e)
{
	const struct verify_frame *f = &s->frame;
	if (s->refused || f->link != s->link || f->link > CHAIN_FILES)
		return broken(e, "a link out of turn");
	s->link++;
	struct chain_event ev = {.link = (enum chain_link)f->link,
	                         .outcome = (enum chain_outcome)f->outcome, .why = (st_t)f->status};
	memcpy(ev.text, f->event_text, sizeof ev.text);
	s->refused = s->refused || ev.outcome == CHAIN_REFUSED;
	if (s->out->event)
		s->out->event(s->out->ctx, &ev);
	return ST_OK;
}

static void tell_progress(struct session *s)
{
	const struct verify_frame *f = &s->frame;
	if (s->out->progress)
		s->out->progress(s->out->ctx, f->what, f->done, f->size);
}

/* A file that is whole is handed on. */
static st_t finish_keep(struct session *s, struct err *e)
{
	st_t st = buf_check(&s->kept, e, "evidence");
	if (s->kept.len < s->path_size)
		return st;
	s->keeping = false;
	if (st == ST_OK && s->out->keep)
		st = s->out->keep(s->out->ctx, s->path, rd_make(s->kept.data, s->kept.len), e);
	s->kept.len = 0;
	return st;
}

static st_t begin_keep(struct session *s, struct err *e)
{
	const struct verify_frame *f = &s->frame;
	uint64_t tiles = s->rq->want_tiles ? CHAIN_TILES_MAX : 0;
	s->kept_bytes += f->keep_size;
	if (++s->kept_files > KEPT_FILES_MAX + tiles ||
	    s->kept_bytes > KEPT_BYTES_MAX + tiles * TILE_BYTES_MAX)
		return broken(e, "more evidence than there can be");
	memcpy(s->path, f->path, sizeof s->path);
	s->path_size = f->keep_size;
	s->keeping = true;
	return finish_keep(s, e);
}

static st_t add_kept(struct session *s, struct err *e)
{
	const struct rd *b = &s->frame.bytes;
	if (b->len > s->path_size - s->kept.len)
		return broken(e, "a file longer than announced");
	buf_add(&s->kept, b->base, b->len);
	return finish_keep(s, e);
}

static st_t take_frame(struct session *s, bool *ret_end, struct err *e)
{
	enum verify_type t = s->frame.type;
	if (s->keeping != (t == VERIFY_KEPT))
		return broken(e, "bytes of a file out of turn");
	switch (t) {
	case VERIFY_EVENT:
		return tell_event(s, e);
	case VERIFY_PROGRESS:
		tell_progress(s);
		return ST_OK;
	case VERIFY_KEEP:
		return begin_keep(s, e);
	case VERIFY_KEPT:
		return add_kept(s, e);
	case VERIFY_HELLO:
		return broken(e, "HELLO twice");
	default:
		*ret_end = t == VERIFY_END;
		return ST_OK;
	}
}

static st_t take_end(struct session *s, struct chain_release *ret, struct verify_cost *cost,
                     struct err *e)
{
	const struct verify_frame *f = &s->frame;
	cost->bytes = f->moved;
	cost->requests = f->requests;
	cost->mirrors = f->mirrors;
	cost->mirror = f->mirror;
	cost->peak_kb = child_peak_kb(&s->child);
	if (f->status == ST_OK && s->refused)
		return broken(e, "all is well, after a refusal");
	if (f->status == ST_OK && s->link <= CHAIN_FILES)
		return broken(e, "all is well, but a link was left out");
	*ret = f->release;
	if (f->status == ST_OK)
		return ST_OK;
	return fail(e, (st_t)f->status, 0, "%s", f->text[0] ? f->text : st_name((st_t)f->status));
}

static st_t converse(struct session *s, struct err *e)
{
	bool end = false;
	TRY(send_fds(s, e));
	TRY(hear(s, e));
	if (s->frame.type != VERIFY_HELLO)
		return broken(e, "no HELLO");
	TRY(send_request(s, e));
	while (!end) {
		TRY(hear(s, e));
		TRY(take_frame(s, &end, e));
	}
	return ST_OK;
}

static st_t run(struct session *s, struct chain_release *ret, struct verify_cost *cost,
                struct err *e)
{
	struct err why = {0};
	TRY(start(s, e));
	st_t st = converse(s, &why);
	if (st == (st_t)-EPIPE || st == (st_t)-ECONNRESET)
		return died(s, e);
	return st == ST_OK ? take_end(s, ret, cost, e) : fail(e, st, 0, "%s", why.text);
}

st_t broker_verify(const struct verify_request *rq, const struct verify_out *out,
                   struct chain_release *ret, struct verify_cost *ret_cost, struct err *e)
{
	struct verify_cost cost = {0};
	struct session *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "verifier: out of memory");
	s->rq = rq;
	s->out = out;
	s->child.peer.sock = -1;
	st_t st = run(s, ret, &cost, e);
	child_kill_count(&s->child, &cost.cpu_us);
	fetcher_stop_count(s->fetcher, &cost.fetch_cpu_us, &cost.sent);
	buf_done(&s->kept);
	free(s);
	if (ret_cost)
		*ret_cost = cost;
	return st;
}
