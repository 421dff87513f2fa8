/* vitrine bundle make: today's release with all that proves it, as one file. The chain is checked
 * in the verifier's jail as a new client would, trusting nothing but the policy; what does not pass
 * is not written. The verifier hands on every small file and the hash tiles of the logs, for
 * clients that know an older tree; the large ones are in its spool. Here bytes are stored, and
 * nobody looks into them.
 *
 * Invariants
 * 1. OUT is replaced by a whole bundle of a release that passed, or stays as it is.
 * 2. Nothing of the state is changed; what was fetched is in private folders that are removed. */
#include "base/io.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/update_run.h"
#include "cli/update_tries.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "Usage: vitrine bundle make --policy FILE -o OUT [OPTIONS]\n"
    "\n"
    "Fetches the signatures that the policy names with all of their evidence, checks every link\n"
    "as a new client would, and writes one file for hosts without a network. There\n"
    "'vitrine update --bundle OUT' checks everything again, by the policy of that host.\n"
    "Exit code: 0 written; 1 refused, nothing is written; 2 it could not be done.\n"
    "\n"
    "  -o, --out FILE       the bundle; replaced at once, or not at all\n"
    "      --policy FILE    what is demanded: vitrine-policy(5). Default:\n"
    "                       " UPDATE_POLICY_DEFAULT "\n"
    "      --from URL|DIR   the repository, instead of those of the policy\n"
    "      --state DIR      what is installed here: files are fetched as what differs from it\n"
    "      --no-source      without the rule text; for policies that do not compile it\n"
    "      --json           one JSON object for each link, and one at the end\n"
    "  -q, --quiet          only refusals and errors\n"
    "      --ca-file FILE   trust these certificates instead of the system's\n"
    "      --proxy URL      ask through this proxy (http://host:port)\n"
    "\n"
    "Files are kept below $TMPDIR (or /tmp) meanwhile: there must be room for the set and its\n"
    "text, compressed and unpacked.\n"
    "\n"
    "Examples:\n"
    "  vitrine bundle make --policy update.policy -o /media/usb/signatures.bundle\n"
    "  vitrine bundle make --policy update.policy --from /srv/mirror -o today.bundle\n"
    "  vitrine update --bundle /media/usb/signatures.bundle\n";

struct options {
	bool help, json, quiet, no_source;
	const char *out, *policy, *from, *state, *ca_file, *proxy;
};

#define AT(m) offsetof(struct options, m)
static const struct opt table[] = {
    {"help", 'h', OPT_BOOL, 0, AT(help), NULL},
    {"out", 'o', OPT_TEXT, 0, AT(out), NULL},
    {"policy", 0, OPT_TEXT, 0, AT(policy), NULL},
    {"from", 0, OPT_TEXT, 0, AT(from), NULL},
    {"state", 0, OPT_TEXT, 0, AT(state), NULL},
    {"no-source", 0, OPT_BOOL, 0, AT(no_source), NULL},
    {"json", 0, OPT_BOOL, 0, AT(json), NULL},
    {"quiet", 'q', OPT_BOOL, 0, AT(quiet), NULL},
    {"ca-file", 0, OPT_TEXT, 0, AT(ca_file), NULL},
    {"proxy", 0, OPT_TEXT, 0, AT(proxy), NULL},
};
#undef AT

struct make {
	const struct options *o;
	struct home home;
	struct update_show show;
	struct update_bundle *bundle;
	struct update_temp trusted, spool;
	struct verify_request rq;
	struct chain_release release;
	int folder, old_vdb, old_source, vdb, source; /* descriptors; -1 */
	uint64_t size; /* of the bundle */
};

/* ---- where it comes from ---- */

/* The policy's text with this repository for all of its own. */
static st_t replace_repositories(const struct home *h, const char *url, struct buf *out,
                                 struct err *e)
{
	struct rd text = rd_make(h->expanded.data, h->expanded.len), line, word;
	while (text_line(&text, &line)) {
		struct rd whole = line;
		if (text_item(&line, &word) && text_is(word, "repository"))
			continue;
		buf_add(out, whole.base + whole.pos, rd_left(&whole));
		buf_u8(out, '\n');
	}
	buf_text(out, "repository ");
	buf_text(out, url);
	buf_u8(out, '\n');
	return buf_check(out, e, "policy");
}

static st_t use_url(struct home *h, const char *url, struct err *e)
{
	struct buf text = {0};
	struct update_policy changed = {0};
	st_t st = replace_repositories(h, url, &text, e);
	if (st == ST_OK)
		st = update_policy_parse(rd_make(text.data, text.len), &changed, e);
	if (st != ST_OK) {
		update_policy_done(&changed);
		buf_done(&text);
		return st;
	}
	update_policy_done(&h->policy);
	buf_done(&h->expanded);
	h->policy = changed;
	h->expanded = text;
	return ST_OK;
}

/* Reads the policy, with --from in it. */
static st_t read_policy(struct make *m, struct err *e)
{
	const struct options *o = m->o;
	TRY(home_read_policy(&m->home, e));
	if (o->ca_file)
		snprintf(m->home.ca_file, sizeof m->home.ca_file, "%s", o->ca_file);
	return o->from && strstr(o->from, "://") ? use_url(&m->home, o->from, e) : ST_OK;
}

static st_t open_source(struct make *m, struct err *e)
{
	const char *from = m->o->from;
	if (!from || strstr(from, "://"))
		return home_open_source(&m->home, NULL, &m->rq, &m->folder, e);
	m->folder = m->rq.folder_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->folder < 0 ? fail_errno(e, "%s", from) : ST_OK;
}

/* What is installed only saves bytes; that it is not there is no fault. */
static st_t open_installed(struct make *m, struct err *e)
{
	if (!m->o->state)
		return ST_OK;
	TRY(home_open(&m->home, m->home.policy.set, false, e));
	if (m->home.state.current < 0)
		return ST_OK;
	if (home_open_file(&m->home, m->home.state.current, "main.vdb", &m->old_vdb, NULL) < ST_OK ||
	    home_open_file(&m->home, m->home.state.current, "source.tar", &m->old_source, NULL) < ST_OK)
		return ST_OK;
	return ST_OK;
}

/* ---- the chain ---- */

static void on_event(void *ctx, const struct chain_event *ev)
{
	show_event(&((struct make *)ctx)->show, ev);
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t size)
{
	show_progress(&((struct make *)ctx)->show, what, done, size);
}

static st_t on_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	return update_bundle_add(((struct make *)ctx)->bundle, path, bytes, e);
}

/* Nothing of a mirror that was refused gets into the bundle. */
static st_t end_try(void *ctx, const char *mirror, st_t why, struct err *e)
{
	struct make *m = ctx;
	(void)mirror;
	(void)why;
	update_bundle_free(m->bundle);
	m->bundle = NULL;
	return update_bundle_new(&m->bundle, e);
}

static st_t check_chain(struct make *m, struct err *e)
{
	struct verify_out out = {.event = on_event, .progress = on_progress, .keep = on_keep, .ctx = m};
	struct verify_cost cost;
	struct update_tries tries = {.home = &m->home, .show = &m->show, .rq = &m->rq, .out = &out,
	                             .failed = end_try, .ctx = m};
	m->rq.tuf_fd = m->trusted.fd;
	m->rq.spool_fd = m->spool.fd;
	m->rq.old_vdb_fd = m->old_vdb;
	m->rq.old_source_fd = m->old_source;
	m->rq.want_source = !m->o->no_source;
	m->rq.want_tiles = m->rq.want_packed = true;
	m->rq.now = (int64_t)time(NULL);
	m->rq.seen = 0;
	TRY(update_block_signals(&m->rq.stop_fd, e));
	st_t st = update_try_all(&tries, &m->release, &cost, e);
	update_unblock_signals(&m->rq.stop_fd);
	return st;
}

/* ---- writing ---- */

/* The compressed one, where there is one: a client takes it, or the plain one. */
static st_t add_large(struct make *m, const char *name, const struct chain_file *plain,
                      const struct chain_file *packed, int *fd, struct err *e)
{
	char path[UPDATE_PATH_MAX], hex[65];
	struct stat sb;
	const struct chain_file *f = packed->size ? packed : plain;
	hex_encode(f->sha256, sizeof f->sha256, hex);
	snprintf(path, sizeof path, "targets/%s/%s.%s%s", m->home.policy.set, hex, name,
	         packed->size ? ".zst" : "");
	*fd = openat(m->spool.fd, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 || fstat(*fd, &sb) != 0)
		return fail_errno(e, "%s", path);
	if ((uint64_t)sb.st_size != f->size)
		return fail(e, ST_IO, 0, "%s: it became another file", path);
	return update_bundle_add_file(m->bundle, path, *fd, f->size, e);
}

static st_t add_files(struct make *m, struct err *e)
{
	const struct chain_release *r = &m->release;
	TRY(add_large(m, "main.vdb", &r->vdb, &r->vdb_packed, &m->vdb, e));
	if (m->o->no_source && m->home.policy.compile != UPDATE_COMPILE_LOCAL)
		return ST_OK;
	return add_large(m, "source.tar", &r->source, &r->source_packed, &m->source, e);
}

static st_t sync_folder(const char *path, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
	         slash ? path : ".");
	AUTO_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? fail_errno(e, "%s", folder) : ST_OK;
}

static st_t write_to(struct make *m, int fd, const char *temp, struct err *e)
{
	struct stat sb;
	TRY(update_bundle_write(m->bundle, fd, e));
	if (fchmod(fd, 0644) || fsync(fd) || fstat(fd, &sb))
		return fail_errno(e, "%s", temp);
	m->size = (uint64_t)sb.st_size;
	return rename(temp, m->o->out) ? fail_errno(e, "%s", m->o->out) : ST_OK;
}

static st_t write_bundle(struct make *m, struct err *e)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof temp, "%s.XXXXXX", m->o->out);
	if (n < 0 || (size_t)n >= sizeof temp)
		return fail(e, ST_LIMIT, 0, "%.100s: too long", m->o->out);
	AUTO_FD fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "%s", m->o->out);
	st_t st = write_to(m, fd, temp, e);
	if (st != ST_OK)
		unlink(temp);
	return st == ST_OK ? sync_folder(m->o->out, e) : st;
}

static st_t make(struct make *m, struct err *e)
{
	TRY(read_policy(m, e));
	home_request(&m->home, m->o->proxy, &m->rq);
	TRY(open_source(m, e));
	TRY(open_installed(m, e));
	TRY(update_bundle_new(&m->bundle, e));
	TRY(update_temp_make(&m->trusted, e));
	TRY(update_temp_make(&m->spool, e));
	TRY(check_chain(m, e));
	TRY(add_files(m, e));
	return write_bundle(m, e);
}

static void make_done(struct make *m)
{
	fd_closep(&m->vdb);
	fd_closep(&m->source);
	fd_closep(&m->folder);
	fd_closep(&m->old_vdb);
	fd_closep(&m->old_source);
	update_temp_remove(&m->trusted);
	update_temp_remove(&m->spool);
	update_bundle_free(m->bundle);
	home_done(&m->home);
}

static void put_json(const struct make *m, const char *result, const char *why)
{
	printf("{\"result\":\"%s\"", result);
	show_json_text(stdout, "bundle", m->o->out);
	if (why)
		show_json_text(stdout, "reason", why);
	else
		printf(",\"version\":%llu,\"size\":%llu,\"tiles_from\":%llu",
		       (unsigned long long)m->release.version, (unsigned long long)m->size,
		       (unsigned long long)m->release.tiles_from);
	printf("}\n");
}

static int tell(const struct make *m, st_t st, const struct err *e)
{
	const char *result = st == ST_OK ? "written" : st > ST_OK ? "refused" : "unchecked";
	if (m->o->json)
		put_json(m, result, st == ST_OK ? NULL : e->text);
	else if (st == ST_OK && !m->o->quiet)
		printf("%s: release %llu, %llu bytes\n", m->o->out, (unsigned long long)m->release.version,
		       (unsigned long long)m->size);
	if (st != ST_OK)
		say("bundle make: %s; nothing was written", e->text);
	else if (m->release.tiles_from > 1 && !m->o->quiet)
		say("bundle make: clients whose last tree has less than %llu entries cannot check that "
		    "this one extends it; they need the network once",
		    (unsigned long long)m->release.tiles_from);
	if (st > ST_OK)
		return EXIT_FOUND;
	return st < ST_OK || fflush(stdout) || ferror(stdout) ? EXIT_ERROR : EXIT_CLEAN;
}

static int run(const struct options *o)
{
	static struct make m;
	struct err e = {0};
	m = (struct make){.o = o, .trusted = {.fd = -1}, .spool = {.fd = -1}, .folder = -1,
	                  .old_vdb = -1, .old_source = -1, .vdb = -1, .source = -1};
	home_init(&m.home, o->policy, o->state);
	show_init(&m.show, o->json, o->quiet);
	st_t st = make(&m, &e);
	int code = tell(&m, st, &e);
	make_done(&m);
	return code;
}

static int run_command(void *into, const struct str_list *args)
{
	struct options *o = into;
	if (args->n || !o->out) {
		say("bundle make: %s; try 'vitrine bundle make --help'",
		    args->n ? "no arguments are expected" : "an output (-o FILE) is needed");
		return EXIT_ERROR;
	}
	return run(o);
}

int cmd_bundle_make(int argc, char **argv)
{
	static const struct opts_command command = {
	    "bundle make", usage, {table, ARRAY_LEN(table)}, run_command};
	struct options o = {0};
	return opts_run(&command, argc, argv, &o);
}
