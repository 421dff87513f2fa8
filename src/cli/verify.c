/* vitrine verify: the whole evidence of what is installed, checked again from its bytes by today's
 * policy, in the verifier's jail; shown with the commands by which others check it. Changes
 * nothing.
 *
 * The time is that of the acceptance: metadata expires and cosignatures grow old, what was proven
 * then stays proven. */
#include "base/io.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/update_compile.h"
#include "cli/update_run.h"
#include "cli/verify_show.h"
#include "crypto/digest.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "Usage: vitrine verify [--rebuild] [OPTIONS] [FILE|ID]\n"
    "\n"
    "Shows for what is installed why it may be: hashes the database again, checks the kept\n"
    "evidence from the first byte by today's policy, and says of each item how to check it with\n"
    "other tools. ID names one of the kept releases, FILE a database that should be one of them;\n"
    "default: the active one. Nothing is changed, and without --rebuild no network is needed.\n"
    "Exit code: 0 verified, 1 not, 2 it could not be checked.\n"
    "\n"
    "      --rebuild        compile the rule text and compare; if it is not kept, it is fetched\n"
    "                       through the chain\n"
    "      --policy FILE    Default: " UPDATE_POLICY_DEFAULT "\n"
    "      --state DIR      Default: $VITRINE_STATE, else " UPDATE_STATE_DEFAULT "\n"
    "      --json           one JSON object for each link, and one at the end\n"
    "  -q, --quiet          only what does not hold\n"
    "\n"
    "Examples:\n"
    "  vitrine verify\n"
    "  vitrine verify --rebuild 41-9f86d081884c7d65\n"
    "  vitrine verify --json | tail -n 1 | jq .evidence.witnesses\n";

struct options {
	bool help, json, quiet, rebuild;
	const char *policy, *state;
};

#define AT(m) offsetof(struct options, m)
static const struct opt table[] = {
    {"help", 'h', OPT_BOOL, 0, AT(help), NULL},
    {"rebuild", 0, OPT_BOOL, 0, AT(rebuild), NULL},
    {"policy", 0, OPT_TEXT, 0, AT(policy), NULL},
    {"state", 0, OPT_TEXT, 0, AT(state), NULL},
    {"json", 0, OPT_BOOL, 0, AT(json), NULL},
    {"quiet", 'q', OPT_BOOL, 0, AT(quiet), NULL},
};
#undef AT

struct verify {
	struct home home;
	struct update_show show;
	struct verify_files files;
	struct chain_release chain; /* what the evidence says */
	int release;
	bool rebuilt;
};

/* ---- which release ---- */

/* > 0: not proven. */
static st_t find_file(struct verify *v, const char *path, struct err *e)
{
	struct chain_file f;
	const struct update_state *s = &v->home.state;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fail(e, -ENOENT, 0, "%.150s: no such file, and no release of that ID is kept", path);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	TRY(update_hash(fd, &f, e));
	for (size_t i = 0; i < s->n; i++)
		if (!memcmp(s->v[i].vdb_sha256, f.sha256, sizeof f.sha256))
			v->release = (int)i;
	if (v->release < 0)
		return fail(e, ST_NOT_FOUND, 0, "%.150s is none of the databases that were accepted here",
		            path);
	return ST_OK;
}

static st_t choose(struct verify *v, const char *which, struct err *e)
{
	v->release = home_find(&v->home, which ? which : "");
	if (v->release >= 0)
		return ST_OK;
	if (which)
		return find_file(v, which, e);
	return fail(e, -ENOENT, 0, "nothing is installed below %.150s; run 'vitrine update'",
	            v->home.state_path);
}

/* ---- files ---- */

static st_t check_hash(const struct verify *v, const char *name, const uint8_t sha256[32],
                       struct err *e)
{
	struct chain_file f;
	AUTO_FD fd = -1;
	TRY(home_open_file(&v->home, v->release, name, &fd, e));
	TRY(update_hash(fd, &f, e));
	if (memcmp(f.sha256, sha256, sizeof f.sha256))
		return fail(e, ST_BAD_SUM, 0, "%s on the disk is not what was accepted: run 'vitrine "
		            "rollback'", name);
	return ST_OK;
}

static st_t check_files(struct verify *v, struct err *e)
{
	const struct update_release *r = &v->home.state.v[v->release];
	st_t st = check_hash(v, "main.vdb", r->vdb_sha256, e);
	if (st == ST_OK &&
	    (memcmp(v->chain.vdb.sha256, r->vdb_sha256, 32) || v->chain.version != r->version))
		st = fail(e, ST_BAD_SUM, 0, "the evidence is of another release");
	AUTO_FD source = -1;
	if (st == ST_OK && home_open_file(&v->home, v->release, "source.tar", &source, NULL) == ST_OK)
		st = check_hash(v, "source.tar", v->chain.source.sha256, e);
	if (st > ST_OK)
		show_link(&v->show, CHAIN_FILES, SHOW_REFUSED, st, e->text);
	else if (st == ST_OK)
		show_link(&v->show, CHAIN_FILES, SHOW_PASSED, ST_OK,
		          "the files on the disk are those");
	return st;
}

/* ---- evidence ---- */

static void on_event(void *ctx, const struct chain_event *ev)
{
	struct verify *v = ctx;
	if (ev->link != CHAIN_FILES) /* looked at here, on the disk */
		show_event(&v->show, ev);
}

static st_t on_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct verify_files *f = &((struct verify *)ctx)->files;
	(void)bytes;
	(void)e;
	if (f->n < VERIFY_FILES_MAX && strlen(path) < sizeof f->path[0])
		snprintf(f->path[f->n++], sizeof f->path[0], "%s", path);
	return ST_OK;
}

static st_t run_verifier(struct verify *v, struct verify_request *rq, const struct verify_out *out,
                         struct chain_release *ret, struct err *e)
{
	struct verify_cost cost;
	(void)v;
	st_t st = update_block_signals(&rq->stop_fd, e);
	if (st == ST_OK)
		st = broker_verify(rq, out, ret, &cost, e);
	return st;
}

static st_t check_evidence(struct verify *v, struct err *e)
{
	struct verify_out out = {.event = on_event, .keep = on_keep, .ctx = v};
	return update_check_evidence(&v->home, v->release, &out, &v->chain, e);
}

/* ---- rebuilding ---- */

/* The chain of today, for its rule text; the database need not travel, it is here. */
static st_t fetch_source(struct verify *v, int *ret_fd, struct err *e)
{
	struct verify_out out = {.ctx = v};
	struct chain_release today;
	struct verify_request rq;
	struct update_temp trusted, spool = {.fd = -1};
	AUTO_FD folder = -1;
	AUTO_FD old = -1;
	char name[65];
	TRY(home_open_file(&v->home, v->release, "main.vdb", &old, e));
	home_request(&v->home, NULL, &rq);
	TRY(home_open_source(&v->home, NULL, &rq, &folder, e));
	st_t st = update_temp_make(&trusted, e);
	if (st == ST_OK)
		st = update_temp_make(&spool, e);
	rq.tuf_fd = trusted.fd;
	rq.spool_fd = spool.fd;
	rq.old_vdb_fd = old;
	rq.want_source = true;
	rq.now = (int64_t)time(NULL);
	if (st == ST_OK)
		st = run_verifier(v, &rq, &out, &today, e);
	if (st == ST_OK && memcmp(today.source.sha256, v->chain.source.sha256, 32))
		st = fail(e, -ENOENT, 0, "the rule text is not kept here, and the repository has that of a "
		          "newer release; 'compile local' in the policy keeps it");
	hex_encode(v->chain.source.sha256, 32, name);
	if (st == ST_OK) {
		*ret_fd = openat(spool.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		st = *ret_fd < 0 ? fail_errno(e, "%s", name) : ST_OK;
	}
	update_temp_remove(&trusted);
	update_temp_remove(&spool);
	update_unblock_signals(&rq.stop_fd);
	return st;
}

static st_t rebuild(struct verify *v, struct err *e)
{
	AUTO_FD source = -1;
	if (home_open_file(&v->home, v->release, "source.tar", &source, NULL) != ST_OK)
		TRY(fetch_source(v, &source, e));
	st_t st = update_compile(&v->chain, source, e);
	if (st > ST_OK)
		show_link(&v->show, CHAIN_COMPILED, SHOW_REFUSED, st, e->text);
	if (st != ST_OK)
		return st;
	v->rebuilt = true;
	show_link(&v->show, CHAIN_COMPILED, SHOW_PASSED, ST_OK,
	          "the rule text makes the same database");
	return ST_OK;
}

/* ---- the whole ---- */

static st_t show_all(struct verify *v, struct err *e)
{
	char folder[PATH_MAX];
	const struct home *h = &v->home;
	AUTO_FD source = -1;
	struct verify_view view = {
	    .folder = folder,
	    .policy_path = h->policy_path,
	    .policy = &h->policy,
	    .release = &h->state.v[v->release],
	    .active = v->release == h->state.current,
	    .source_kept = home_open_file(h, v->release, "source.tar", &source, NULL) == ST_OK,
	    .rebuilt = v->rebuilt,
	    .chain = &v->chain,
	    .files = &v->files,
	};
	int n = snprintf(folder, sizeof folder, "%s/%s/releases/%s", h->state_path, h->policy.set,
	                 view.release->id);
	if (n < 0 || (size_t)n >= sizeof folder)
		return fail(e, ST_LIMIT, 0, "%.100s: too long", h->state_path);
	if (v->show.json)
		return verify_show_json(&view, e);
	if (!v->show.quiet)
		verify_show_text(&view);
	return ST_OK;
}

static st_t check(struct verify *v, const struct options *o, const char *which, struct err *e)
{
	TRY(home_read_policy(&v->home, e));
	TRY(home_open(&v->home, v->home.policy.set, false, e));
	TRY(choose(v, which, e));
	TRY(check_evidence(v, e));
	TRY(check_files(v, e));
	if (o->rebuild)
		TRY(rebuild(v, e));
	return show_all(v, e);
}

static int run(const struct options *o, const char *which)
{
	static struct verify v;
	struct err e = {0};
	home_init(&v.home, o->policy, o->state);
	show_init(&v.show, o->json, o->quiet);
	v.release = -1;
	st_t st = check(&v, o, which, &e);
	home_done(&v.home);
	if (st == ST_OK && (fflush(stdout) || ferror(stdout)))
		st = fail(&e, -EIO, 0, "stdout: cannot write");
	if (st == ST_OK)
		return EXIT_CLEAN;
	/* What is wrong with the evidence or its files; not with the policy or a name. */
	bool refused = st > ST_OK && (v.show.refused != CHAIN_LINKS || st == ST_NOT_FOUND);
	if (o->json) {
		printf("{\"result\":\"%s\"", refused ? "refused" : "unchecked");
		show_json_text(stdout, "error", e.text);
		puts("}");
	}
	say_error(&e, st);
	return refused ? EXIT_FOUND : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct options *o = into;
	if (args->n > 1) {
		say("verify: one FILE or ID at most; try 'vitrine verify --help'");
		return EXIT_ERROR;
	}
	return run(o, args->n ? args->v[0] : NULL);
}

int cmd_verify(int argc, char **argv)
{
	static const struct opts_command command = {
	    "verify", usage, {table, ARRAY_LEN(table)}, run_command};
	struct options o = {0};
	return opts_run(&command, argc, argv, &o);
}
