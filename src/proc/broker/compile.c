#include "proc/broker/compile.h"

#include "base/io.h"
#include "proc/broker/child.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Containers of one set. */
#define ORIGINS_MAX 1000

enum job { JOB_COMPILE, JOB_HEADS, JOB_BUNDLE };

/* 4 million signatures take seconds; whoever has a hundred times as many can wait as long. A
 * compiler that has said nothing for this time is stuck. */
#define COMPILE_MAX_MS (15 * 60 * 1000)

void compile_report_done(struct compile_report *r)
{
	for (size_t i = 0; i < r->nskipped_kept; i++) {
		free(r->skipped[i].file);
		free(r->skipped[i].why);
	}
	for (size_t i = 0; i < r->ninactive; i++)
		free(r->inactive[i].what);
	for (size_t i = 0; i < r->norigins; i++) {
		free(r->origins[i].file);
		free(r->origins[i].signer);
	}
	free(r->skipped);
	free(r->inactive);
	free(r->origins);
	*r = (struct compile_report){0};
}

static st_t no_memory(struct err *e)
{
	return fail(e, ST_NOMEM, 0, "compile: out of memory");
}

static st_t add_skipped(struct compile_report *r, const struct msg_skipped *m, struct err *e)
{
	if (r->nskipped_kept >= MSG_SKIPPED_MAX)
		return fail(e, ST_MALFORMED, 0, "compiler: too many skipped lines");
	struct compile_skipped *p = realloc(r->skipped, (r->nskipped_kept + 1) * sizeof *p);
	if (!p)
		return no_memory(e);
	r->skipped = p;
	p += r->nskipped_kept++;
	*p = (struct compile_skipped){strdup(m->file), strdup(m->why), m->line};
	return p->file && p->why ? ST_OK : no_memory(e);
}

static st_t add_inactive(struct compile_report *r, const struct msg_inactive *m, struct err *e)
{
	if (r->ninactive >= MSG_INACTIVE_MAX)
		return fail(e, ST_MALFORMED, 0, "compiler: too many kinds of signatures");
	struct compile_inactive *p = realloc(r->inactive, (r->ninactive + 1) * sizeof *p);
	if (!p)
		return no_memory(e);
	r->inactive = p;
	p += r->ninactive++;
	*p = (struct compile_inactive){strdup(m->what), m->n};
	return p->what ? ST_OK : no_memory(e);
}

static void take_counts(struct compile_report *r, const struct msg_compiled *m)
{
	r->size = m->size;
	r->sigs = m->sigs;
	r->hashes_file = m->hashes_file;
	r->hashes_section = m->hashes_section;
	r->hashes_trust = m->hashes_trust;
	r->nskipped = m->nskipped;
	r->out_of_level = m->out_of_level;
	r->missing = m->missing;
}

static st_t send_request(struct msg_peer *p, const struct broker_source *srcs, size_t n,
                         const struct compile_opts *opts, enum job job, struct err *e)
{
	struct msg m = {.type = MSG_OPTIONS};
	m.options = (struct msg_options){.strict = opts->strict,
	                                 .clamav = opts->clamav,
	                                 .pua = opts->pua,
	                                 .heads = job == JOB_HEADS,
	                                 .bundle = job == JOB_BUNDLE,
	                                 .now = opts->now};
	TRY(msg_send(p, &m, -1, true, e));
	for (size_t i = 0; i < n; i++) {
		m = (struct msg){.type = MSG_SOURCE};
		msg_text(m.source.name, sizeof m.source.name, srcs[i].name);
		m.source.role = srcs[i].role;
		TRY(msg_send(p, &m, srcs[i].fd, true, e));
	}
	m = (struct msg){.type = MSG_COMPILE};
	m.compile.nsources = (uint32_t)n;
	return msg_send(p, &m, -1, true, e);
}

static st_t add_head(struct compile_report *r, const struct msg_container *m, struct err *e)
{
	if (m->index >= r->nheads)
		return fail(e, ST_MALFORMED, 0, "compiler: header of an unknown source");
	r->heads[m->index] = (struct compile_head){true, m->version, m->sigs, m->flevel, m->stime};
	return ST_OK;
}

static bool take_sha256(const char *hex, uint8_t ret[32])
{
	for (size_t i = 0; i < 64; i++) {
		const char *digits = "0123456789abcdef", *at = strchr(digits, hex[i]);
		if (!hex[i] || !at)
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (at - digits));
	}
	return !hex[64];
}

static st_t add_origin(struct compile_report *r, const struct msg_origin *m, struct err *e)
{
	if (r->norigins >= ORIGINS_MAX)
		return fail(e, ST_MALFORMED, 0, "compiler: too many containers");
	struct compile_origin *p = realloc(r->origins, (r->norigins + 1) * sizeof *p);
	if (!p)
		return no_memory(e);
	r->origins = p;
	p += r->norigins++;
	*p = (struct compile_origin){.file = strdup(m->file), .signer = strdup(m->signer),
	                             .scheme = m->scheme, .version = m->version};
	if (!p->file || !p->signer)
		return no_memory(e);
	return take_sha256(m->sha256, p->sha256)
	           ? ST_OK
	           : fail(e, ST_MALFORMED, 0, "compiler: not the digest of a container");
}

static st_t on_message(const struct msg *m, struct compile_report *r, struct err *e)
{
	switch (m->type) {
	case MSG_SKIPPED:
		return add_skipped(r, &m->skipped, e);
	case MSG_INACTIVE:
		return add_inactive(r, &m->inactive, e);
	case MSG_CONTAINER:
		return add_head(r, &m->container, e);
	case MSG_ORIGIN:
		return add_origin(r, &m->origin, e);
	case MSG_COMPILED:
		take_counts(r, &m->compiled);
		return ST_OK;
	default: /* REFUSED */
		return fail(e, (st_t)m->fail.why, m->fail.off, "%s", m->fail.text);
	}
}

static st_t wait_message(const struct child *c, struct err *e)
{
	struct pollfd p = {.fd = c->peer.sock, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, COMPILE_MAX_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(e, "poll");
	return n ? ST_OK : fail(e, ST_TIMEOUT, 0, "compiler exceeded the time limit");
}

static st_t died(struct child *c, struct err *e)
{
	char how[64];
	child_reap(c, how, sizeof how);
	return fail(e, strstr(how, "memory") ? ST_LIMIT : ST_MALFORMED, 0, "compiler %s", how);
}

static st_t listen_to(struct child *c, struct compile_report *r, struct err *e)
{
	while (c->peer.state != C_ENDED) {
		struct msg m;
		enum ipc_got got;
		int fd;
		TRY(wait_message(c, e));
		TRY(msg_recv(&c->peer, true, &m, &fd, &got, e));
		if (got == IPC_END)
			return died(c, e);
		TRY(on_message(&m, r, e));
	}
	return ST_OK;
}

/* The compiler says how much it wrote: a file of any other size is not what it made. */
static st_t check_size(int out_fd, uint64_t size, struct err *e)
{
	struct stat sb;
	if (fstat(out_fd, &sb) != 0)
		return fail_errno(e, "database");
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size == size)
		return ST_OK;
	return fail(e, ST_MALFORMED, 0, "compiler wrote a database of the wrong size");
}

/* When sending fails the compiler is gone or has something to say about a source. */
static st_t converse(struct child *c, const struct broker_source *srcs, size_t n,
                     const struct compile_opts *opts, enum job job, struct compile_report *r,
                     struct err *e)
{
	struct err unsent = {0};
	st_t st = send_request(&c->peer, srcs, n, opts, job, &unsent);
	if (st != ST_OK && st != (st_t)-EPIPE && st != (st_t)-ECONNRESET)
		return fail(e, st, 0, "%s", unsent.text);
	return listen_to(c, r, e);
}

bool broker_compiler_path(char *ret, size_t cap)
{
	char *path;
	if (child_find("vitrine-compiler", &path, NULL) != ST_OK)
		return false;
	bool fits = strlen(path) < cap;
	msg_text(ret, cap, path);
	free(path);
	return fits;
}

static st_t start_and_converse(const struct broker_source *srcs, size_t n,
                               const struct compile_opts *opts, enum job job, int out_fd,
                               struct compile_report *ret, struct err *e)
{
	char *found = NULL;
	if (!opts->compiler_path)
		TRY(child_find("vitrine-compiler", &found, e));
	struct child c = {0};
	st_t st = child_start(found ? found : opts->compiler_path, NULL, out_fd, C_NEW, &c, e);
	free(found);
	if (st == ST_OK)
		st = converse(&c, srcs, n, opts, job, ret, e);
	child_kill(&c);
	return st == ST_OK ? check_size(out_fd, ret->size, e) : st;
}

st_t broker_compile(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                    int out_fd, struct compile_report *ret, struct err *e)
{
	*ret = (struct compile_report){0};
	return start_and_converse(srcs, n, opts, JOB_COMPILE, out_fd, ret, e);
}

st_t broker_bundle(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                   int out_fd, struct compile_report *ret, struct err *e)
{
	*ret = (struct compile_report){0};
	return start_and_converse(srcs, n, opts, JOB_BUNDLE, out_fd, ret, e);
}

st_t broker_heads(const struct broker_source *srcs, size_t n, const struct compile_opts *opts,
                  struct compile_head *ret_heads, struct err *e)
{
	struct compile_report report = {.heads = ret_heads, .nheads = n};
	AUTO_FD out = memfd_create("nothing", MFD_CLOEXEC);
	memset(ret_heads, 0, n * sizeof *ret_heads);
	if (out < 0)
		return fail_errno(e, "memory file");
	st_t st = n ? start_and_converse(srcs, n, opts, JOB_HEADS, out, &report, e) : ST_OK;
	compile_report_done(&report);
	return st;
}
