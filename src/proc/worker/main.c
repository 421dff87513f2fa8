/* vitrine-worker: scans the files behind the descriptors that the broker sends. Role SCAN.
 *
 * The jail closes before the first message is read, so also before the database and the first file.
 * One request after the other: events as they happen, then DONE. Ends when the broker goes. */
#include "crypto/digest.h"
#include "db/db.h"
#include "proc/msg.h"
#include "sandbox/roles.h"
#include "scan/scan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct worker {
	bool jit;
	struct msg_peer peer;
	struct db *db;
	struct scan_opts opts;
	struct scanner *scanner; /* made for the stripe in opts */
	/* the file at hand */
	uint64_t id;
	uint32_t nevents;
	bool found, incomplete;
	struct msg out;
};

static st_t send_now(struct worker *w, struct err *e)
{
	return msg_send(&w->peer, &w->out, -1, true, e);
}

static st_t send_incomplete(struct worker *w, st_t why, const char *text, const char *inner)
{
	struct msg_incomplete *m = &w->out.incomplete;
	w->out.type = MSG_INCOMPLETE;
	m->id = w->id;
	m->why = why == ST_OK ? ST_MALFORMED : (int32_t)why;
	msg_text(m->text, sizeof m->text, text);
	msg_text(m->inner, sizeof m->inner, inner);
	w->incomplete = true;
	return send_now(w, NULL);
}

/* True if another event may go out. The last one allowed says that there were more. */
static bool has_room(struct worker *w, st_t *ret_st)
{
	*ret_st = ST_OK;
	w->nevents++;
	if (w->nevents == MSG_EVENTS_MAX)
		*ret_st = send_incomplete(w, ST_LIMIT, "more results than are kept of one file", "");
	return w->nevents < MSG_EVENTS_MAX;
}

static st_t on_found(void *ctx, const char *name, bool official, const char *inner)
{
	struct worker *w = ctx;
	st_t st;
	if (!has_room(w, &st))
		return st;
	struct msg_found *m = &w->out.found;
	w->out.type = MSG_FOUND;
	m->id = w->id;
	m->official = official;
	msg_text(m->name, sizeof m->name, name);
	msg_text(m->inner, sizeof m->inner, inner);
	w->found = true;
	return send_now(w, NULL);
}

static st_t on_incomplete(void *ctx, st_t why, const char *text, const char *inner)
{
	struct worker *w = ctx;
	st_t st;
	return has_room(w, &st) ? send_incomplete(w, why, text, inner) : st;
}

/* A verdict that the events do not carry is not "clean": the reason is missing, not the fact. */
static st_t settle_verdict(struct worker *w, enum verdict said, enum verdict *ret)
{
	if (said != VERDICT_CLEAN && !w->found && !w->incomplete)
		TRY(send_incomplete(w, ST_MALFORMED, "not scanned for an unknown reason", ""));
	*ret = w->found ? VERDICT_FOUND : w->incomplete ? VERDICT_INCOMPLETE : VERDICT_CLEAN;
	return ST_OK;
}

static st_t send_done(struct worker *w, const struct scan_stats *s, struct err *e)
{
	enum verdict v;
	TRY(settle_verdict(w, s->verdict, &v));
	struct msg_done *m = &w->out.done;
	w->out.type = MSG_DONE;
	m->id = w->id;
	m->verdict = (uint32_t)v;
	msg_text(m->type_name, sizeof m->type_name, s->type_name ? s->type_name : "");
	m->bytes_read = s->bytes_read;
	m->bytes_scanned = s->bytes_scanned;
	m->objects = s->objects;
	return send_now(w, e);
}

static st_t send_fail(struct worker *w, enum msg_type type, const struct err *why)
{
	struct msg_fail *m = &w->out.fail;
	w->out.type = type;
	m->id = w->id;
	m->why = why->st == ST_OK ? ST_MALFORMED : (int32_t)why->st;
	m->off = why->off;
	msg_text(m->text, sizeof m->text, why->text);
	return send_now(w, NULL);
}

static st_t use_stripe(struct worker *w, const struct msg_scan *m, struct err *e)
{
	bool same = m->stripe_index == w->opts.stripe_index && m->stripe_count == w->opts.stripe_count;
	if (same && w->scanner)
		return ST_OK;
	scanner_free(w->scanner);
	w->scanner = NULL;
	w->opts.stripe_index = m->stripe_index;
	w->opts.stripe_count = m->stripe_count;
	return scanner_new(w->db, &w->opts, &w->scanner, e);
}

static st_t scan_one(struct worker *w, const struct msg_scan *m, int fd, struct err *e)
{
	struct scan_sink sink = {.ctx = w, .found = on_found, .incomplete = on_incomplete};
	struct scan_stats stats = {0};
	w->id = m->id;
	w->nevents = 0;
	w->found = w->incomplete = false;
	TRY(use_stripe(w, m, e));
	st_t st = scanner_scan_fd(w->scanner, fd, &sink, &stats, e);
	if (st > 0 && !w->found && !w->incomplete)
		TRY(send_incomplete(w, st, e->text, ""));
	if (st < 0)
		return st;
	return send_done(w, &stats, e);
}

/* Scans until the broker goes (ST_OK) or something of ours fails. */
static st_t serve(struct worker *w, struct err *e)
{
	for (;;) {
		struct msg in;
		enum ipc_got got;
		int fd;
		TRY(msg_recv(&w->peer, true, &in, &fd, &got, e));
		if (got == IPC_END)
			return ST_OK;
		st_t st = scan_one(w, &in.scan, fd, e);
		close(fd);
		if (st != ST_OK) {
			e->st = st;
			TRY(send_fail(w, MSG_SCAN_FAIL, e));
			return st;
		}
		err_clear(e);
	}
}

static void take_options(struct worker *w, const struct msg_setup *m)
{
	w->opts = (struct scan_opts){
		.limits = {
			.max_scansize = m->max_scansize,
			.max_filesize = m->max_filesize,
			.max_recursion = m->max_recursion,
			.max_files = m->max_files,
			.max_scantime_ms = m->max_scantime_ms,
			.max_scriptnormalize = m->max_scriptnormalize,
			.max_htmlnormalize = m->max_htmlnormalize,
			.max_htmlnotags = m->max_htmlnotags,
			.pcre_max_filesize = m->pcre_max_filesize,
			.pcre_match_limit = m->pcre_match_limit,
			.pcre_recmatch_limit = m->pcre_recmatch_limit,
		},
		.all_matches = m->all_matches,
		.archives = m->archives,
		.detect_pua = m->detect_pua,
		.pua_exclude = m->pua_exclude,
		.heuristics_first = m->heuristics_first,
		.no_pe = m->no_pe,
		.no_normalize = m->no_normalize,
		.no_html = m->no_html,
		.no_image_hash = m->no_image_hash,
		.cpumask = m->cpumask,
		.stripe_count = 1,
		.regex_jit = w->jit,
	};
	msg_text(w->opts.pua_categories, sizeof w->opts.pua_categories, m->pua_categories);
}

static st_t open_database(struct worker *w, int fd, struct err *e)
{
	st_t st = db_open(fd, &w->db, e);
	close(fd);
	TRY(st);
	return scanner_new(w->db, &w->opts, &w->scanner, e);
}

static st_t send_hello(struct worker *w, const struct sandbox_report *r, struct err *e)
{
	const struct db_meta *m = db_meta(w->db);
	w->out.type = MSG_HELLO;
	w->out.hello = (struct msg_hello){
		.signatures = m->sigs_body + m->sigs_logical + m->hashes_file + m->hashes_section +
		              m->hashes_import + m->sigs_member,
		.missing = r->missing,
		.landlock_abi = r->landlock_abi,
	};
	return send_now(w, e);
}

static st_t work(struct worker *w, const struct sandbox_report *r, struct err *e)
{
	struct msg in;
	enum ipc_got got;
	int fd;
	TRY(msg_recv(&w->peer, true, &in, &fd, &got, e));
	if (got != IPC_PACKET)
		return ST_OK;
	take_options(w, &in.setup);
	st_t st = open_database(w, fd, e);
	if (st != ST_OK) {
		e->st = st;
		return send_fail(w, MSG_HELLO_FAIL, e);
	}
	TRY(send_hello(w, r, e));
	return serve(w, e);
}

static st_t enter(bool jit, struct sandbox_report *ret, struct err *e)
{
	TRY(digest_preload(e));
	TRY(sandbox_preload(e));
	return sandbox_enter(jit ? ROLE_SCAN_JIT : ROLE_SCAN, ret, e);
}

/* Ends without exit(): handlers of libraries have no business in the jail. */
int main(int argc, char **argv)
{
	bool jit = argc > 1 && !strcmp(argv[1], "jit");
	struct worker w = {.peer = {.sock = SANDBOX_FD_SOCK, .self = WORKER, .state = S_NEW}};
	struct sandbox_report r = {0};
	struct err e = {0};
	st_t st = enter(jit, &r, &e);
	w.jit = jit;
	if (st != ST_OK) {
		dprintf(STDERR_FILENO, "vitrine-worker: no jail: %s\n", e.text);
		_exit(1);
	}
	st = work(&w, &r, &e);
	scanner_free(w.scanner);
	db_close(w.db);
	_exit(st == ST_OK ? 0 : st == ST_NOMEM ? MSG_EXIT_NOMEM : 1);
}
