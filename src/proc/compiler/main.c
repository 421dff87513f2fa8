/* vitrine-compiler: signature text in, database out, or a source bundle. Role COMPILE.
 *
 * The jail closes before the first message is read. The sources come as descriptors and are mapped;
 * the database or bundle goes to SANDBOX_FD_OUT. Ends after one set. */
#include "base/io.h"
#include "crypto/digest.h"
#include "db/layout.h"
#include "proc/compiler/bundle.h"
#include "proc/compiler/container.h"
#include "proc/msg.h"
#include "sandbox/roles.h"
#include "sig/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A source that is no regular file (a pipe) is read into memory up to this. */
#define STREAM_MAX ((size_t)1 << 30)

/* Sources of one set: every file of the folders that were named. */
#define SOURCES_MAX 100000

struct compiler {
	struct msg_peer peer;
	struct sandbox_report jail;
	struct sig_opts opts;
	struct sources srcs;
	size_t received;
	bool heads, bundle;
	struct msg out;
};

static st_t send_now(struct compiler *c, struct err *e)
{
	return msg_send(&c->peer, &c->out, -1, true, e);
}

static st_t read_stream(int fd, const char **ret, size_t *ret_len, struct err *e)
{
	struct buf b = {0};
	for (;;) {
		void *room = buf_room(&b, 1 << 16);
		ssize_t n = room ? read(fd, room, 1 << 16) : 0;
		if (n < 0)
			return fail_errno(e, "read");
		if (n == 0)
			break;
		b.len += (size_t)n;
		if (b.len > STREAM_MAX)
			return fail(e, ST_LIMIT, b.len, "more than a gibibyte from a pipe");
	}
	TRY(buf_check(&b, e, "source"));
	*ret = (const char *)b.data;
	*ret_len = b.len;
	return ST_OK;
}

/* The text stays mapped: the process ends after one set. */
static st_t map_text(int fd, const char **ret, size_t *ret_len, struct err *e)
{
	struct stat sb;
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "fstat");
	if (!S_ISREG(sb.st_mode))
		return read_stream(fd, ret, ret_len, e);
	*ret = "";
	*ret_len = (size_t)sb.st_size;
	if (sb.st_size == 0)
		return ST_OK;
	void *p = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return fail_errno(e, "mmap");
	*ret = p;
	return ST_OK;
}

static st_t add_source(struct compiler *c, const char *name, uint32_t role, int fd, struct err *e)
{
	if (c->received++ >= SOURCES_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d sources", SOURCES_MAX);
	struct sig_source s = {.name = strdup(name),
	                       .role = role == MSG_SOURCE_SIGN ? SIG_ROLE_PROOF : SIG_ROLE_TEXT};
	if (!s.name)
		return fail(e, ST_NOMEM, 0, "out of memory");
	struct err why = {0};
	st_t st = map_text(fd, &s.text, &s.len, &why);
	if (st != ST_OK)
		return fail(e, st, 0, "%s: %s", name, why.text);
	if (role == MSG_SOURCE_ROOTS)
		return sources_add_roots(&c->srcs, name, s.text, s.len, e);
	if (role == MSG_SOURCE_SIGNATURES && !c->heads && bundle_is(name))
		return bundle_open(&c->srcs, &s, fd, e);
	return sources_add(&c->srcs, &s, NULL, e);
}

static void take_options(struct compiler *c, const struct msg_options *o)
{
	c->opts = (struct sig_opts){o->strict, o->clamav, o->pua};
	c->heads = o->heads;
	c->bundle = o->bundle;
	c->srcs.now = (int64_t)(o->now & INT64_MAX);
}

/* Everything up to COMPILE. */
static st_t receive(struct compiler *c, struct err *e)
{
	struct msg in;
	enum ipc_got got;
	int fd;
	while (c->peer.state != C_RUNNING) {
		TRY(msg_recv(&c->peer, true, &in, &fd, &got, e));
		if (got == IPC_END)
			return fail(e, ST_TRUNCATED, 0, "no broker");
		if (in.type == MSG_OPTIONS)
			take_options(c, &in.options);
		if (in.type != MSG_SOURCE)
			continue;
		st_t st = add_source(c, in.source.name, in.source.role, fd, e);
		close(fd);
		TRY(st);
	}
	if (in.compile.nsources != c->received)
		return fail(e, ST_TRUNCATED, 0, "%zu of %u sources came", c->received,
		            in.compile.nsources);
	return ST_OK;
}

static st_t send_skipped(struct compiler *c, const struct ir_set *set, struct err *e)
{
	size_t n = 0;
	for (const struct ir_skipped *s = set->skipped; s && n < MSG_SKIPPED_MAX; s = s->next, n++) {
		struct msg_skipped *m = &c->out.skipped;
		c->out.type = MSG_SKIPPED;
		msg_text(m->file, sizeof m->file, s->file);
		m->line = s->line;
		msg_text(m->why, sizeof m->why, s->why);
		TRY(send_now(c, e));
	}
	return ST_OK;
}

_Static_assert(IR_INACTIVE_MAX <= MSG_INACTIVE_MAX, "all kinds can be reported");

static st_t send_inactive(struct compiler *c, const struct ir_set *set, struct err *e)
{
	for (size_t i = 0; i < set->ninactive; i++) {
		struct msg_inactive *m = &c->out.inactive;
		c->out.type = MSG_INACTIVE;
		msg_text(m->what, sizeof m->what, set->inactive[i].what);
		m->n = set->inactive[i].n;
		TRY(send_now(c, e));
	}
	return ST_OK;
}

static uint64_t count_hashes(const struct ir_set *set, enum ir_hash_use use)
{
	uint64_t n = 0;
	for (int k = 0; k < DIGEST_KINDS; k++)
		n += set->hashes[use][k].n;
	return n;
}

static st_t send_compiled(struct compiler *c, const struct ir_set *set, uint64_t size,
                          struct err *e)
{
	c->out.type = MSG_COMPILED;
	c->out.compiled = (struct msg_compiled){
		.size = size,
		.sigs = set->nsigs + set->nmembers + count_hashes(set, IR_HASH_IMPORT),
		.hashes_file = count_hashes(set, IR_HASH_FILE),
		.hashes_section = count_hashes(set, IR_HASH_SECTION),
		.hashes_trust = count_hashes(set, IR_HASH_TRUST),
		.nskipped = set->nskipped,
		.out_of_level = set->nflevel,
		.missing = c->jail.missing,
		.landlock_abi = c->jail.landlock_abi,
	};
	return send_now(c, e);
}

static st_t refuse(struct compiler *c, st_t st, const struct err *why)
{
	struct msg_fail *m = &c->out.fail;
	c->out.type = MSG_REFUSED;
	*m = (struct msg_fail){.why = (int32_t)st, .off = why->off};
	msg_text(m->text, sizeof m->text, why->text[0] ? why->text : st_name(st));
	return send_now(c, NULL);
}

/* Lines that were skipped are told also when the set is refused. */
static st_t compile(struct compiler *c, struct err *e)
{
	struct ir_set set;
	struct buf db = {0};
	ir_init(&set);
	st_t st = containers_open(&c->srcs, &set, e);
	if (st == ST_OK)
		st = sig_compile(c->srcs.v, c->srcs.n, &c->opts, &db, &set, e);
	TRY(send_skipped(c, &set, NULL));
	TRY(st);
	TRY(io_write_all(SANDBOX_FD_OUT, db.data, db.len, e));
	TRY(send_inactive(c, &set, e));
	return send_compiled(c, &set, db.len, e);
}

static st_t send_origins(struct compiler *c, const struct ir_set *set, struct err *e)
{
	for (size_t i = 0; i < set->norigins; i++) {
		const struct db_origin *o = &set->origins[i];
		struct msg_origin *m = &c->out.origin;
		c->out.type = MSG_ORIGIN;
		msg_text(m->file, sizeof m->file, o->file);
		msg_text(m->signer, sizeof m->signer, o->signer);
		hex_encode(o->sha256, sizeof o->sha256, m->sha256);
		m->scheme = o->scheme;
		m->version = o->version;
		TRY(send_now(c, e));
	}
	return ST_OK;
}

static st_t make_bundle(struct compiler *c, struct err *e)
{
	struct ir_set set;
	uint64_t size;
	ir_init(&set);
	TRY(containers_open(&c->srcs, &set, e));
	TRY(bundle_write(&c->srcs, SANDBOX_FD_OUT, &size, e));
	TRY(send_origins(c, &set, e));
	return send_compiled(c, &set, size, e);
}

/* What the headers say, unproven: for choosing between two versions of one container. */
static st_t send_heads(struct compiler *c, struct err *e)
{
	const struct ir_set none = {0};
	for (size_t i = 0; i < c->srcs.n; i++) {
		struct cvd_header h;
		if (cvd_header_read(c->srcs.v[i].text, c->srcs.v[i].len, &h, NULL) != ST_OK)
			continue;
		c->out.type = MSG_CONTAINER;
		c->out.container =
		    (struct msg_container){(uint32_t)i, h.version, h.sigs, h.flevel, h.stime};
		TRY(send_now(c, e));
	}
	return send_compiled(c, &none, 0, e);
}

static st_t run(struct compiler *c, struct err *e)
{
	TRY(receive(c, e));
	if (c->heads)
		return send_heads(c, e);
	return c->bundle ? make_bundle(c, e) : compile(c, e);
}

static st_t enter(struct sandbox_report *ret, struct err *e)
{
	TRY(digest_preload(e));
	TRY(sandbox_preload(e));
	return sandbox_enter(ROLE_COMPILE, ret, e);
}

/* Ends without exit() and without freeing: one set, one process. */
int main(void)
{
	struct compiler c = {.peer = {.sock = SANDBOX_FD_SOCK, .self = COMPILER, .state = C_NEW}};
	struct err e = {0};
	if (enter(&c.jail, &e) != ST_OK) {
		dprintf(STDERR_FILENO, "vitrine-compiler: no jail: %s\n", e.text);
		_exit(1);
	}
	st_t st = run(&c, &e);
	if (st != ST_OK && refuse(&c, st, &e) != ST_OK)
		_exit(st == ST_NOMEM ? MSG_EXIT_NOMEM : 1);
	_exit(0);
}
