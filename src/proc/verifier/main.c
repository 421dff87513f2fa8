/* vitrine-verifier: the chain of an update (update/chain.h), for one request of the activator. Role
 * VERIFY: it has no network but a socket to a fetcher, and no files but below the folders that it
 * was given.
 *
 * Invariants
 * 1. The jail is closed before anything is read but the descriptors, which come from the parent.
 * 2. The time is the request's; nothing depends on the clock.
 * 3. Whatever happens, END is the last thing said; without it the parent counts all as failed. */
#include "base/io.h"
#include "net/fetch_client.h"
#include "proc/preload.h"
#include "proc/verify_wire.h"
#include "sandbox/roles.h"
#include "update/state.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_DONE 0
#define STATUS_ERROR 1

/* While it waits for the fetcher it says so this often. */
#define ALIVE_MS 10000

/* Progress that is worth a packet, bytes. */
#define PROGRESS_STEP ((uint64_t)256 << 10)

struct verifier {
	int fd[VERIFY_FDS]; /* by enum verify_fd; -1: none */
	struct verify_frame frame;
	struct ipc_packet packet;
	struct verify_frame request;
	struct buf policy_text;
	struct update_policy policy;
	struct update_source source;
	struct update_store *store;
	struct fetch fetcher;
	struct update_mirrors mirrors;
	uint32_t line[UPDATE_MIRRORS_MAX]; /* of the policy, 1 the first: where each of them stands */
	char what[VERIFY_WHAT_MAX]; /* progress that was said last */
	uint64_t said;
	struct chain_release release;
};

/* ---- what is told ---- */

static st_t say(struct verifier *v, enum verify_type type, struct err *e)
{
	v->frame.type = type;
	return verify_frame_send(SANDBOX_FD_SOCK, &v->frame, e);
}

static void copy_text(char *ret, size_t cap, const char *s)
{
	size_t n = strnlen(s, cap - 1);
	memcpy(ret, s, n);
	ret[n] = '\0';
}

static void on_event(void *ctx, const struct chain_event *ev)
{
	struct verifier *v = ctx;
	v->frame.link = ev->link;
	v->frame.outcome = ev->outcome;
	v->frame.status = ev->why;
	copy_text(v->frame.event_text, sizeof v->frame.event_text, ev->text);
	(void)!say(v, VERIFY_EVENT, NULL);
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t size)
{
	struct verifier *v = ctx;
	bool same = !strncmp(v->what, what, sizeof v->what - 1);
	if (same && done < size && done >= v->said && done - v->said < PROGRESS_STEP)
		return;
	copy_text(v->what, sizeof v->what, what);
	v->said = done;
	copy_text(v->frame.what, sizeof v->frame.what, what);
	v->frame.done = done;
	v->frame.size = size;
	(void)!say(v, VERIFY_PROGRESS, NULL);
}

static st_t on_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct verifier *v = ctx;
	if (!update_path_good(path) || rd_left(&bytes) > VERIFY_KEEP_MAX)
		return fail(e, ST_LIMIT, 0, "%.100s: cannot be kept as evidence", path);
	copy_text(v->frame.path, sizeof v->frame.path, path);
	v->frame.keep_size = rd_left(&bytes);
	TRY(say(v, VERIFY_KEEP, e));
	while (rd_left(&bytes) > 0) {
		size_t n = rd_left(&bytes) < VERIFY_BYTES_MAX ? rd_left(&bytes) : VERIFY_BYTES_MAX;
		v->frame.bytes = rd_sub(&bytes, n);
		TRY(say(v, VERIFY_KEPT, e));
	}
	return ST_OK;
}

/* Whose data came, by the lines of the policy. */
static void count_mirrors(struct verifier *v)
{
	const struct update_source *s = &v->source;
	v->frame.mirrors = 0;
	v->frame.mirror = s->mirror ? v->line[s->mirror - 1] : 0;
	for (size_t i = 0; i < v->mirrors.nrepositories; i++)
		v->frame.mirrors |= s->mirrors & 1u << i ? 1u << (v->line[i] - 1) : 0;
}

static st_t say_end(struct verifier *v, st_t st, const struct err *why)
{
	v->frame.status = st;
	copy_text(v->frame.text, sizeof v->frame.text, st == ST_OK ? "" : why->text);
	v->frame.moved = v->source.bytes;
	v->frame.requests = v->source.requests;
	v->frame.release = v->release;
	count_mirrors(v);
	return say(v, VERIFY_END, NULL);
}

/* ---- the way to the fetcher, saying while it waits that it does ---- */

static st_t waiting_submit(void *ctx, const struct fetch_request *r, struct err *e)
{
	struct verifier *v = ctx;
	return v->fetcher.ops->submit(v->fetcher.ctx, r, e);
}

static st_t waiting_next(void *ctx, int wait_ms, struct fetch_response *ret, struct err *e)
{
	struct verifier *v = ctx;
	if (wait_ms >= 0)
		return v->fetcher.ops->next(v->fetcher.ctx, wait_ms, ret, e);
	for (;;) {
		struct err why = {0};
		st_t st = v->fetcher.ops->next(v->fetcher.ctx, ALIVE_MS, ret, &why);
		if (st == ST_OK)
			return ST_OK;
		if (st != ST_TIMEOUT)
			return fail(e, st, 0, "%s", why.text);
		TRY(say(v, VERIFY_ALIVE, e));
	}
}

/* ---- the start ---- */

static st_t take_fds(struct verifier *v, struct err *e)
{
	for (int i = 0; i < VERIFY_FDS; i++)
		v->fd[i] = -1;
	for (;;) {
		enum ipc_got got;
		TRY(ipc_recv(SANDBOX_FD_SOCK, true, &v->packet, &got, e));
		uint8_t kind = got == IPC_PACKET ? v->packet.bytes[0] : VERIFY_FDS;
		if (kind >= VERIFY_FDS || (kind != VERIFY_FD_END) != (v->packet.fd >= 0))
			return fail(e, ST_MALFORMED, 0, "descriptors out of turn");
		if (kind == VERIFY_FD_END)
			return ST_OK;
		v->fd[kind] = v->packet.fd;
	}
}

struct fds {
	int v[VERIFY_FDS];
	size_t n;
};

static void add_fd(struct fds *l, int fd)
{
	if (fd >= 0)
		l->v[l->n++] = fd;
}

/* The files are open already; they are named so that they stay open. */
static st_t enter(struct verifier *v, struct sandbox_report *ret, struct err *e)
{
	struct fds ro = {.n = 0}, rw = {.n = 0};
	add_fd(&rw, v->fd[VERIFY_FD_TUF]);
	add_fd(&rw, v->fd[VERIFY_FD_SPOOL]);
	for (int i = VERIFY_FD_OLD_VDB; i < VERIFY_FDS; i++)
		add_fd(&ro, v->fd[i]);
	struct sandbox_paths paths = {.ro = ro.v, .nro = ro.n, .rw = rw.v, .nrw = rw.n};
	TRY(proc_preload(e));
	return sandbox_enter_with(ROLE_VERIFY, &paths, ret, e);
}

static st_t hear(struct verifier *v, enum verify_type type, struct err *e)
{
	TRY(verify_frame_recv(SANDBOX_FD_SOCK, VERIFY_PARENT, &v->packet, &v->frame, e));
	return v->frame.type == type ? ST_OK : fail(e, ST_MALFORMED, 0, "a frame out of turn");
}

static st_t take_request(struct verifier *v, struct err *e)
{
	TRY(hear(v, VERIFY_REQUEST, e));
	v->request = v->frame;
	while (v->policy_text.len < v->request.policy_size) {
		TRY(hear(v, VERIFY_POLICY, e));
		buf_add(&v->policy_text, v->frame.bytes.base, v->frame.bytes.len);
		TRY(buf_check(&v->policy_text, e, "policy"));
	}
	return ST_OK;
}

/* ---- the source ---- */

static st_t open_bundle(struct verifier *v, struct err *e)
{
	struct stat sb;
	int fd = v->fd[VERIFY_FD_BUNDLE];
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "bundle");
	return update_source_open_bundle(fd, (uint64_t)sb.st_size, &v->source, e);
}

/* Those lines of the policy that are URLs, or the one that is to be asked: a folder is opened by
 * the parent. */
static st_t choose_mirrors(struct verifier *v, struct err *e)
{
	const struct update_policy *p = &v->policy;
	struct update_mirrors *m = &v->mirrors;
	char folder[UPDATE_FOLDER_MAX];
	uint32_t only = v->request.mirror;
	for (uint32_t i = 0; i < p->nrepositories; i++) {
		TRY(update_repository_folder(p->repository[i], folder, e));
		if (folder[0] || (only && only != i + 1))
			continue;
		v->line[m->nrepositories] = i + 1;
		m->repository[m->nrepositories++] = p->repository[i];
	}
	m->log_last = only != 0;
	return only && !m->nrepositories ? fail(e, ST_NOT_FOUND, 0, "no such repository") : ST_OK;
}

static st_t open_mirrors(struct verifier *v, struct err *e)
{
	static const struct fetch_ops ops = {.submit = waiting_submit, .next = waiting_next};
	const struct update_policy *p = &v->policy;
	struct fetch_client *client;
	struct fetch fetch = {.ops = &ops, .ctx = v};
	if (fcntl(SANDBOX_FD_OUT, F_GETFD) < 0)
		return fail(e, ST_NOT_FOUND, 0, "no repository: the policy names none that has a URL");
	TRY(fetch_client_adopt(SANDBOX_FD_OUT, &client, e));
	v->fetcher = fetch_client_as_fetch(client);
	TRY(choose_mirrors(v, e));
	v->mirrors.logs = p->logs;
	v->mirrors.timeout_ms = (uint32_t)(p->timeout * 1000); /* at most UPDATE_TIMEOUT_MAX */
	v->mirrors.bandwidth = p->bandwidth;
	return update_source_open_mirrors(&fetch, &v->mirrors, &v->source, e);
}

static st_t open_source(struct verifier *v, struct err *e)
{
	if (v->fd[VERIFY_FD_BUNDLE] >= 0)
		return open_bundle(v, e);
	if (v->fd[VERIFY_FD_FOLDER] >= 0)
		return update_source_open_folder(v->fd[VERIFY_FD_FOLDER], &v->source, e);
	return open_mirrors(v, e);
}

/* ---- the work ---- */

static st_t check(struct verifier *v, struct err *e)
{
	struct tuf_store store;
	const struct verify_frame *rq = &v->request;
	TRY(update_policy_parse(rd_make(v->policy_text.data, v->policy_text.len), &v->policy, e));
	TRY(open_source(v, e));
	TRY(update_store_open(&log_io_system, v->fd[VERIFY_FD_TUF], &v->store, &store, e));
	struct chain_request c = {
		.policy = &v->policy,
		.source = &v->source,
		.place = {.store = &store, .spool_fd = v->fd[VERIFY_FD_SPOOL],
		          .old_vdb_fd = v->fd[VERIFY_FD_OLD_VDB],
		          .old_source_fd = v->fd[VERIFY_FD_OLD_SOURCE]},
		.now = rq->now,
		.seen = rq->seen,
		.have = rq->flags & VERIFY_HAVE ? rq->have : NULL,
		.want_source = rq->flags & VERIFY_WANT_SOURCE,
		.evidence_only = rq->flags & VERIFY_EVIDENCE_ONLY,
		.want_tiles = rq->flags & VERIFY_WANT_TILES,
		.want_packed = rq->flags & VERIFY_WANT_PACKED,
		.event = on_event,
		.progress = on_progress,
		.keep = on_keep,
		.ctx = v,
	};
	return chain_check(&c, &v->release, e);
}

static st_t serve(struct verifier *v, struct err *e)
{
	struct sandbox_report jail;
	TRY(take_fds(v, e));
	st_t st = enter(v, &jail, e);
	if (st != ST_OK) {
		dprintf(STDERR_FILENO, "vitrine-verifier: no jail: %s\n", e->text);
		return st;
	}
	v->frame.missing = jail.missing;
	v->frame.landlock_abi = jail.landlock_abi;
	TRY(say(v, VERIFY_HELLO, e));
	TRY(take_request(v, e));
	st = check(v, e);
	return say_end(v, st, e);
}

/* Ends without exit() and without freeing, when the parent has looked at what it used. */
int main(void)
{
	static struct verifier v;
	struct err e = {0};
	enum ipc_got got = IPC_END;
	signal(SIGPIPE, SIG_IGN);
	if (serve(&v, &e) != ST_OK)
		_exit(STATUS_ERROR);
	(void)!ipc_recv(SANDBOX_FD_SOCK, true, &v.packet, &got, NULL);
	_exit(STATUS_DONE);
}
