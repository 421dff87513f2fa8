#include "cli/update_run.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "cli/update_compile.h"
#include "cli/update_health.h"
#include "cli/update_tries.h"
#include "crypto/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE 0644

/* ---- the chain, in the verifier ---- */

static void on_event(void *ctx, const struct chain_event *ev)
{
	struct update_run *r = ctx;
	show_event(&r->show, ev);
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t size)
{
	struct update_run *r = ctx;
	show_progress(&r->show, what, done, size);
}

static st_t on_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct update_run *r = ctx;
	return evidence_keep(&r->evidence, path, bytes, e);
}

static int newest(const struct update_state *s)
{
	return (int)s->n - 1;
}

static void keep_refusal(struct update_run *r, const char *mirror)
{
	char name[EVIDENCE_NAME_MAX], text[sizeof r->show.reason + UPDATE_FOLDER_MAX];
	struct err e = {0};
	snprintf(text, sizeof text, "%s%s%s", r->show.reason, mirror ? "\nmirror: " : "",
	         mirror ? mirror : "");
	st_t st = evidence_refuse(&r->evidence, r->home.place, r->show.refused, text, r->now, name, &e);
	if (st != ST_OK)
		say("the evidence could not be kept: %s", e.text);
	else if (!r->show.quiet)
		say("evidence is kept: %s/%s/refused/*-%s.tar", r->home.state_path, r->home.policy.set,
		    name);
}

/* What came from one mirror does not get among the evidence of another one's. */
static st_t end_try(void *ctx, const char *mirror, st_t why, struct err *e)
{
	struct update_run *r = ctx;
	if (why > ST_OK && r->show.refused != CHAIN_LINKS && !r->dry)
		keep_refusal(r, mirror);
	r->kept = true;
	evidence_done(&r->evidence);
	return evidence_init(&r->evidence, e);
}

static st_t verify(struct update_run *r, struct verify_request *rq, struct err *e)
{
	struct verify_out out = {on_event, on_progress, on_keep, r};
	struct update_tries tries = {.home = &r->home, .show = &r->show, .rq = rq, .out = &out,
	                             .failed = end_try, .ctx = r};
	rq->now = r->now;
	TRY(update_block_signals(&r->stop_fd, e));
	rq->stop_fd = r->stop_fd;
	st_t st = update_try_all(&tries, &r->release, &r->cost, e);
	/* Of those that failed; what is refused behind them is another matter. */
	r->kept = r->kept && st != ST_OK;
	return st;
}

/* Not looked at each time: hashing takes longer than all else together. */
static bool is_damaged(const struct home *h, int release)
{
	struct chain_file f;
	AUTO_FD fd = -1;
	if (home_open_file(h, release, "main.vdb", &fd, NULL) != ST_OK)
		return true;
	if (!(h->state.v[release].flags & UPDATE_FAILED))
		return false;
	return update_hash(fd, &f, NULL) == ST_OK &&
	       memcmp(f.sha256, h->state.v[release].vdb_sha256, 32) != 0;
}

static void open_old(struct update_run *r, struct verify_request *rq)
{
	const struct home *h = &r->home;
	int i = newest(&h->state);
	r->repair = i >= 0 && is_damaged(h, i);
	if (i < 0 || r->repair)
		return;
	rq->have = h->state.v[i].vdb_sha256;
	/* Without them it takes longer, that is all. */
	(void)!home_open_file(h, i, "main.vdb", &rq->old_vdb_fd, NULL);
	(void)!home_open_file(h, i, "source.tar", &rq->old_source_fd, NULL);
}

static st_t check_chain(struct update_run *r, struct err *e)
{
	struct verify_request rq;
	AUTO_FD source = -1;
	home_request(&r->home, r->proxy, &rq);
	TRY(home_open_source(&r->home, r->bundle, &rq, &source, e));
	open_old(r, &rq);
	st_t st = verify(r, &rq, e);
	fd_closep(&rq.old_vdb_fd);
	fd_closep(&rq.old_source_fd);
	update_unblock_signals(&r->stop_fd);
	return st;
}

/* ---- the links behind it ---- */

/* A link of ours that does not hold, unless it is no fault of the release. */
static st_t say_refused(struct update_run *r, enum chain_link link, st_t st, const struct err *e)
{
	if (st > ST_OK)
		show_link(&r->show, link, SHOW_REFUSED, st, e->text);
	return st;
}

/* The newest one, if the repository still has its database. An older one with the same bytes is
 * another release: a publisher takes back what was wrong by a new version of what was before. */
static int find_release(const struct update_state *s, const struct chain_release *r)
{
	int i = newest(s);
	bool same = i >= 0 && r->version >= s->v[i].version &&
	            !memcmp(s->v[i].vdb_sha256, r->vdb.sha256, sizeof r->vdb.sha256);
	return same ? i : -1;
}

/* The statement's version only grows: the same one, or a lower one, of another database was never
 * meant to follow. */
static st_t check_version(struct update_run *r, struct err *e)
{
	const struct update_state *s = &r->home.state;
	int i = newest(s);
	if (i < 0 || r->release.version > s->v[i].version)
		return ST_OK;
	st_t st = fail(e, ST_CONFLICT, 0,
	               "version %" PRIu64 " does not follow %s, which was accepted before",
	               r->release.version, s->v[i].id);
	return say_refused(r, CHAIN_STATEMENT, st, e);
}

static st_t open_spooled(const struct update_run *r, const struct chain_file *f, char name[65],
                         int *ret_fd, struct err *e)
{
	hex_encode(f->sha256, 32, name);
	*ret_fd = openat(r->home.spool_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd < 0 ? fail_errno(e, "spool/%s", name) : ST_OK;
}

static st_t compile_local(struct update_run *r, struct err *e)
{
	char name[65];
	AUTO_FD fd = -1;
	if (r->home.policy.compile != UPDATE_COMPILE_LOCAL) {
		show_link(&r->show, CHAIN_COMPILED, SHOW_NOT_ASKED, ST_OK,
		          "the policy takes what was attested");
		return ST_OK;
	}
	TRY(open_spooled(r, &r->release.source, name, &fd, e));
	st_t st = update_compile(&r->release, fd, e);
	if (st != ST_OK)
		return say_refused(r, CHAIN_COMPILED, st, e);
	show_link(&r->show, CHAIN_COMPILED, SHOW_PASSED, ST_OK,
	          "the rule text makes the same database");
	return ST_OK;
}

static const char changed_in_spool[] =
    "in the spool is not what the verifier says that it checked; nothing was changed; try again";

/* Hashed here as well: what the verifier said of a file it said some time ago. */
static st_t check_digest(struct update_run *r, int vdb_fd, const uint8_t sha256[32],
                         const char *why, struct err *e)
{
	struct chain_file f;
	TRY(update_hash(vdb_fd, &f, e));
	if (!memcmp(f.sha256, sha256, sizeof f.sha256))
		return ST_OK;
	return say_refused(r, CHAIN_FILES, fail(e, ST_BAD_SUM, 0, "main.vdb %s", why), e);
}

static st_t check_database(struct update_run *r, int vdb_fd, struct err *e)
{
	const struct home *h = &r->home;
	struct health_report report;
	struct health_request rq = {
	    .vdb_fd = vdb_fd,
	    .eicar = h->policy.eicar,
	    .good = h->known_good[0] ? h->known_good : NULL,
	    .bad = h->known_bad[0] ? h->known_bad : NULL,
	};
	char text[128];
	st_t st = update_health(&rq, &report, e);
	if (st != ST_OK)
		return say_refused(r, CHAIN_HEALTH, st, e);
	snprintf(text, sizeof text,
	         "%" PRIu64 " samples have the verdicts that they must have, %" PRIu64 " signatures",
	         report.samples, report.signatures);
	show_link(&r->show, CHAIN_HEALTH, SHOW_PASSED, ST_OK, text);
	return ST_OK;
}

st_t update_check_health(struct update_run *r, int release, struct err *e)
{
	struct home *h = &r->home;
	AUTO_FD fd = -1;
	TRY(home_open_file(h, release, "main.vdb", &fd, e));
	st_t st = check_digest(r, fd, h->state.v[release].vdb_sha256,
	                       "on the disk is not what was accepted; an update without --approve "
	                       "fetches that of the newest release again", e);
	if (st == ST_OK)
		st = check_database(r, fd, e);
	if (st == ST_OK) {
		r->checked = release;
		h->state.v[release].flags &= ~(uint32_t)UPDATE_FAILED;
		return ST_OK;
	}
	if (st > ST_OK) {
		struct err why = {0};
		h->state.v[release].flags |= UPDATE_FAILED;
		if (update_state_write(h->place, &h->state, &why) != ST_OK)
			say("it could not be marked as failed: %s", why.text);
	}
	return st;
}

/* ---- accepting ---- */

static st_t add_release(struct update_run *r, struct err *e)
{
	struct home *h = &r->home;
	struct buf tar = {0}, summary = {0};
	char vdb[65], source[65];
	struct stat sb;
	size_t index = 0;
	hex_encode(r->release.vdb.sha256, 32, vdb);
	hex_encode(r->release.source.sha256, 32, source);
	bool kept = fstatat(h->spool_fd, source, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	            (uint64_t)sb.st_size == r->release.source.size;
	st_t st = evidence_write(&r->evidence, &tar, e);
	if (st == ST_OK)
		st = evidence_summary(&r->release, &h->policy, r->now, &summary, e);
	struct update_files files = {
	    .vdb = vdb,
	    .source = kept ? source : "",
	    .evidence = rd_make(tar.data, tar.len),
	    .summary = rd_make(summary.data, summary.len),
	};
	if (st == ST_OK)
		st = update_release_add(h->place, &h->state, &r->release, &files, r->now, &index, e);
	buf_done(&tar);
	buf_done(&summary);
	if (st == ST_OK)
		r->checked = (int)index;
	return st;
}

static st_t accept_new(struct update_run *r, struct err *e)
{
	char name[65];
	AUTO_FD vdb = -1;
	TRY(check_version(r, e));
	TRY(compile_local(r, e));
	TRY(open_spooled(r, &r->release.vdb, name, &vdb, e));
	TRY(check_digest(r, vdb, r->release.vdb.sha256, changed_in_spool, e));
	TRY(check_database(r, vdb, e));
	/* A download is nobody else's business; what is installed everybody scans with. */
	if (fchmod(vdb, FILE_MODE) != 0)
		return fail_errno(e, "spool/%s", name);
	return add_release(r, e);
}

/* The release is known, its file was not what it should be. Scans that have it open keep the old
 * one. */
static st_t repair(struct update_run *r, int release, struct err *e)
{
	struct home *h = &r->home;
	struct update_release *v = &h->state.v[release];
	char name[65], path[UPDATE_ID_MAX + 32];
	AUTO_FD vdb = -1;
	TRY(compile_local(r, e));
	TRY(open_spooled(r, &r->release.vdb, name, &vdb, e));
	TRY(check_digest(r, vdb, v->vdb_sha256, changed_in_spool, e));
	TRY(check_database(r, vdb, e));
	snprintf(path, sizeof path, "releases/%s/main.vdb", v->id);
	if (fchmod(vdb, FILE_MODE) != 0 || fsync(vdb) != 0 ||
	    renameat(h->spool_fd, name, h->set_fd, path) != 0)
		return fail_errno(e, "%s", path);
	say("%s was damaged on the disk and has been replaced", path);
	v->flags &= ~(uint32_t)UPDATE_FAILED;
	r->checked = release;
	return update_state_write(h->place, &h->state, e);
}

/* ---- activating ---- */

static st_t activate(struct update_run *r, int due, struct err *e)
{
	struct home *h = &r->home;
	char text[128];
	if (r->checked != due) {
		TRY(update_check_again(r, due, e));
		TRY(update_check_health(r, due, e));
	}
	show_link(&r->show, CHAIN_HOLD, SHOW_PASSED, ST_OK,
	          h->state.v[due].flags & UPDATE_APPROVED ? "approved"
	          : h->policy.hold == UPDATE_HOLD_NONE    ? "the policy does not wait"
	                                                  : "it has waited long enough");
	TRY(update_activate(h->place, &h->state, (size_t)due, r->now, h->policy.keep, e));
	snprintf(text, sizeof text, "scans use %s from now on", h->state.v[h->state.current].id);
	show_link(&r->show, CHAIN_ACTIVE, SHOW_PASSED, ST_OK, text);
	return ST_OK;
}

static enum update_result say_waiting(struct update_run *r, const struct update_release *v)
{
	char text[256], when[SHOW_TIME_MAX];
	if (r->until) {
		show_time(r->until, when);
		snprintf(text, sizeof text, "%s until %s; 'vitrine update --approve' cuts it short", v->id,
		         when);
	} else {
		snprintf(text, sizeof text, "%s until 'vitrine update --approve%s'", v->id,
		         r->home.state.hold_all && !(v->flags & UPDATE_HELD) ? "' or '--resume" : "");
	}
	show_link(&r->show, CHAIN_HOLD, SHOW_WAITING, ST_OK, text);
	return UPDATE_WAITING;
}

/* Nothing is due. A newest one that is not current waits, or has failed. */
static enum update_result say_rest(struct update_run *r)
{
	const struct update_state *s = &r->home.state;
	char text[256];
	int i = newest(s);
	bool failed = i >= 0 && s->v[i].flags & UPDATE_FAILED;
	if (i < 0 || (i == s->current && !failed)) {
		snprintf(text, sizeof text, "scans use %s", i < 0 ? "no release yet" : s->v[i].id);
		show_link(&r->show, CHAIN_ACTIVE, i < 0 ? SHOW_NOT_ASKED : SHOW_PASSED, ST_OK, text);
		return UPDATE_CURRENT;
	}
	if (!failed)
		return say_waiting(r, &s->v[i]);
	snprintf(text, sizeof text,
	         "%s failed when it was checked or used before and is not activated by itself; "
	         "'vitrine update --approve %s' tries once more", s->v[i].id, s->v[i].id);
	show_link(&r->show, CHAIN_HEALTH, SHOW_REFUSED, ST_CONFLICT, text);
	return UPDATE_REFUSED;
}

/* What is wrong with the release refuses it, also where no link was reached: a bundle that is none,
 * a verifier that died of what it read. A signal that ended it is nobody's fault. */
static enum update_result end_badly(struct update_run *r, st_t st)
{
	bool link = r->show.refused != CHAIN_LINKS;
	if (st < ST_OK || (st == ST_TIMEOUT && !link))
		return UPDATE_UNCHECKED;
	if (!link && !r->kept)
		show_reason(&r->show, r->e.text[0] ? r->e.text : st_name(st));
	return UPDATE_REFUSED;
}

enum update_result update_go_due(struct update_run *r)
{
	struct home *h = &r->home;
	int due = update_state_due(&h->state, &h->policy, r->now, &r->until);
	if (due < 0)
		return say_rest(r);
	st_t st = activate(r, due, &r->e);
	return st == ST_OK ? UPDATE_ACTIVATED : end_badly(r, st);
}

/* ---- the whole ---- */

/* Downloads that nobody goes on with: what is not of the release at hand. */
static void clean_spool(struct update_run *r)
{
	char vdb[65], source[65];
	int fd = openat(r->home.spool_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	hex_encode(r->release.vdb.sha256, 32, vdb);
	hex_encode(r->release.source.sha256, 32, source);
	for (struct dirent *de; d && (de = readdir(d));)
		if (strncmp(de->d_name, vdb, 64) && strncmp(de->d_name, source, 64))
			(void)!unlinkat(fd, de->d_name, 0);
	if (d)
		closedir(d);
	else
		fd_closep(&fd);
}

static enum update_result go(struct update_run *r)
{
	struct home *h = &r->home;
	st_t st = check_chain(r, &r->e);
	if (st != ST_OK)
		return end_badly(r, st);
	clean_spool(r);
	if (r->now > h->state.seen)
		h->state.seen = r->now;
	int known = find_release(&h->state, &r->release);
	if (known < 0)
		st = accept_new(r, &r->e);
	else if (r->repair)
		st = repair(r, known, &r->e);
	else
		st = update_state_write(h->place, &h->state, &r->e);
	return st == ST_OK ? update_go_due(r) : end_badly(r, st);
}

enum update_result update_go(struct update_run *r)
{
	r->checked = -1;
	enum update_result result = go(r);
	if (result == UPDATE_REFUSED && r->show.refused != CHAIN_LINKS && !r->kept)
		keep_refusal(r, NULL);
	return result;
}

/* ---- dry ---- */

static st_t dry(struct update_run *r, const struct update_temp *t, struct err *e)
{
	struct verify_request rq;
	AUTO_FD source = -1;
	if (r->home.tuf_fd >= 0)
		TRY(update_temp_copy(t, r->home.tuf_fd, e));
	home_request(&r->home, r->proxy, &rq);
	TRY(home_open_source(&r->home, r->bundle, &rq, &source, e));
	rq.tuf_fd = t->fd;
	rq.spool_fd = -1;
	rq.evidence_only = true;
	return verify(r, &rq, e);
}

enum update_result update_go_dry(struct update_run *r)
{
	struct update_temp t;
	st_t st = update_temp_make(&t, &r->e);
	r->dry = true;
	if (st == ST_OK)
		st = dry(r, &t, &r->e);
	update_temp_remove(&t);
	update_unblock_signals(&r->stop_fd);
	return st == ST_OK ? UPDATE_DRY : end_badly(r, st);
}

/* ---- the end ---- */

int update_exit_code(enum update_result result)
{
	if (result == UPDATE_REFUSED)
		return EXIT_FOUND;
	return result == UPDATE_UNCHECKED || fflush(stdout) || ferror(stdout) ? EXIT_ERROR : EXIT_CLEAN;
}

static void put_json(const struct update_run *r, enum update_result result)
{
	static const char *const names[] = {"activated", "activated", "current", "waiting",
	                                    "held",      "dry-run",   "refused", "unchecked"};
	const struct update_state *s = &r->home.state;
	printf("{\"result\":\"%s\"", names[result]);
	if (s->current >= 0)
		show_json_text(stdout, "current", s->v[s->current].id);
	if (r->release.version)
		printf(",\"version\":%" PRIu64, r->release.version);
	if (result == UPDATE_WAITING && newest(s) >= 0)
		show_json_text(stdout, "waiting", s->v[newest(s)].id);
	if (r->until)
		printf(",\"until\":%" PRId64, r->until);
	if (result == UPDATE_REFUSED)
		show_json_text(stdout, "reason", r->show.reason);
	if (result == UPDATE_UNCHECKED)
		show_json_text(stdout, "error", r->e.text[0] ? r->e.text : st_name(r->e.st));
	printf(",\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64, r->cost.requests, r->cost.bytes);
	if (r->cost.sent != FETCHER_SENT_UNKNOWN)
		printf(",\"request_bytes\":%" PRIu64, r->cost.sent);
	printf(",\"verifier_cpu_us\":%" PRIu64 ",\"verifier_peak_kb\":%" PRIu64 "}\n", r->cost.cpu_us,
	       r->cost.peak_kb);
}

static void put_text(const struct update_run *r, enum update_result result)
{
	const struct update_state *s = &r->home.state;
	const char *id = s->current >= 0 ? s->v[s->current].id : NULL;
	if (result == UPDATE_ACTIVATED)
		printf("Updated: %s is active.\n", id);
	else if (result == UPDATE_BACK)
		printf("Rolled back: %s is active.\n", id);
	else if (result == UPDATE_CURRENT)
		printf("Up to date%s%s.\n", id ? ": " : "", id ? id : "");
	else if (result == UPDATE_WAITING)
		printf("Waiting: %s stays active.\n", id ? id : "no release");
	else if (result == UPDATE_STOPPED)
		puts("Held: nothing is activated until 'vitrine update --resume' or '--approve'.");
	else if (result == UPDATE_DRY)
		printf("Version %" PRIu64 " passes what can be checked without its files; nothing was "
		       "changed.\n", r->release.version);
	else if (result == UPDATE_REFUSED)
		printf("Refused: %s stays active. What stands behind the refused link was not looked at.\n",
		       id ? id : "no release");
}

void update_put_result(struct update_run *r, enum update_result result)
{
	if (r->show.json)
		put_json(r, result);
	else if (!r->show.quiet)
		put_text(r, result);
	if (result == UPDATE_UNCHECKED)
		say_error(&r->e, r->e.st);
	fflush(stdout);
}
