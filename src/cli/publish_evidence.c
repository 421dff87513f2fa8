/* vitrine publish evidence: fresh proofs of a release that is published, and verdicts of rebuilders
 * about it. Needs the online key and the log's, and nobody's else. */
#include "attest/dsse.h"
#include "cli/cli.h"
#include "cli/publish_finish.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evidence {
	const char *private_dir, *log, *log_private, *log_key, *ca_file, *time;
	struct str_list rebuilds, online_keys;
	bool quiet, help;
	struct key_pass_opts pass;
};

static const struct opt options[] = {
	{"rebuild", 0, OPT_LIST, 0, offsetof(struct evidence, rebuilds), NULL},
	{"private", 0, OPT_TEXT, 0, offsetof(struct evidence, private_dir), NULL},
	{"log", 0, OPT_TEXT, 0, offsetof(struct evidence, log), NULL},
	{"log-private", 0, OPT_TEXT, 0, offsetof(struct evidence, log_private), NULL},
	{"log-key", 0, OPT_TEXT, 0, offsetof(struct evidence, log_key), NULL},
	{"ca-file", 0, OPT_TEXT, 0, offsetof(struct evidence, ca_file), NULL},
	{"online-key", 0, OPT_LIST, 0, offsetof(struct evidence, online_keys), NULL},
	{"time", 0, OPT_TEXT, 0, offsetof(struct evidence, time), NULL},
	{"quiet", 'q', OPT_BOOL, 0, offsetof(struct evidence, quiet), NULL},
	KEY_PASS_OPTION_FILE(struct evidence, pass),
	KEY_PASS_OPTION_FD(struct evidence, pass),
	{"help", 'h', OPT_BOOL, 0, offsetof(struct evidence, help), NULL},
};

static const char usage[] =
	"Usage: vitrine publish evidence DIR SET [--rebuild FILE.dsse]... --log LOGDIR\n"
	"                 [--online-key K]... [--log-key K] [--log-private DIR2] [--ca-file FILE]\n"
	"                 [--time T] [--private DIR2] [--quiet]\n"
	"                 [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Makes the proofs of the published release of SET anew, to a checkpoint that the witnesses\n"
	"cosign now, adds verdicts of rebuilders ('vitrine attest') that are not there yet, to the\n"
	"log too, and publishes. A verdict about another main.vdb is refused. The release and its\n"
	"signatures stay as they are. Prints how many verdicts there are.\n"
	"\n"
	"Exit code: 0 published, 2 an error.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish evidence /srv/updates main --rebuild passed.dsse --log /srv/log \\\n"
	"    --online-key online.key\n";

struct entries {
	struct buf b[PUBLISH_LOG_ENTRIES_MAX];
	size_t n;
};

/* Takes the bytes over, unless they are there already. */
static void keep(struct entries *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->b[i].len == b->len && !memcmp(s->b[i].data, b->data, b->len)) {
			buf_done(b);
			return;
		}
	}
	s->b[s->n++] = *b;
}

/* The release and the verdicts that are published; `s` has room for all of them. */
static st_t read_published(struct publish_work *w, struct entries *s, struct err *e)
{
	s->n = 1;
	TRY(publish_work_read(w, "release.dsse", DSSE_SIZE_MAX, &s->b[0], e));
	for (unsigned k = 1; k <= PUBLISH_REBUILDS_MAX; k++) {
		char name[48];
		struct buf b = {0};
		struct err why = {0};
		snprintf(name, sizeof name, "evidence/rebuild-%u.dsse", k);
		st_t st = publish_work_read(w, name, DSSE_SIZE_MAX, &b, &why);
		if (st == ST_OK)
			keep(s, &b);
		else
			buf_done(&b);
		if (st == ST_NOT_FOUND)
			return ST_OK;
		TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
	}
	return ST_OK;
}

static st_t read_given(const struct str_list *paths, struct entries *s, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct buf b = {0};
		if (s->n == PUBLISH_LOG_ENTRIES_MAX)
			return fail(e, ST_LIMIT, 0, "%s: a release has at most %d verdicts", paths->v[i],
			            PUBLISH_REBUILDS_MAX);
		st_t st = log_read_file(AT_FDCWD, paths->v[i], DSSE_SIZE_MAX, &b, e);
		if (st != ST_OK) {
			buf_done(&b);
			return st;
		}
		keep(s, &b);
	}
	return ST_OK;
}

static st_t prove(struct publish_work *w, const struct entries *s, uint64_t *ret_index,
                  struct err *e)
{
	struct rd entry[PUBLISH_LOG_ENTRIES_MAX];
	for (size_t i = 0; i < s->n; i++)
		entry[i] = rd_make(s->b[i].data, s->b[i].len);
	return publish_work_prove(w, entry, s->n, ret_index, e);
}

st_t publish_evidence_renew(struct publish_work *w, const struct str_list *rebuilds,
                            size_t *ret_verdicts, uint64_t *ret_index, struct err *e)
{
	struct entries *s = calloc(1, sizeof *s);
	if (!s)
		return fail(e, ST_NOMEM, 0, "evidence: out of memory");
	st_t st = read_published(w, s, e);
	if (st == ST_OK)
		st = read_given(rebuilds, s, e);
	if (st == ST_OK)
		st = prove(w, s, ret_index, e);
	if (st == ST_OK)
		*ret_verdicts = s->n - 1;
	for (size_t i = 0; i < s->n; i++)
		buf_done(&s->b[i]);
	free(s);
	return st;
}

static st_t run(struct publish_work *w, const struct str_list *rebuilds, struct err *e)
{
	uint64_t index;
	size_t n;
	TRY(publish_work_open(w, e));
	TRY(publish_pending_none(w->repo, e));
	TRY(publish_evidence_renew(w, rebuilds, &n, &index, e));
	TRY(publish_work_commit(w, e));
	printf("%s\t%zu verdict%s\nlog index\t%" PRIu64 "\n", w->set, n, n == 1 ? "" : "s", index);
	return ST_OK;
}

static int evidence(const struct evidence *o, const struct str_list *args)
{
	struct err e = {0};
	struct publish_work w = {
		.dir = args->v[0],
		.private_dir = o->private_dir,
		.set = args->v[1],
		.time = o->time,
		.log = {.dir = o->log,
		        .private_dir = o->log_private,
		        .key = o->log_key,
		        .pass = &o->pass,
		        .ca_file = o->ca_file,
		        .quiet = o->quiet},
		.online = &o->online_keys,
		.pass = &o->pass,
	};
	st_t st = run(&w, &o->rebuilds, &e);
	if (st != ST_OK)
		say_error(&e, st);
	publish_work_done(&w);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

int cmd_publish_evidence(int argc, char **argv)
{
	static const struct opt_table table = {options, sizeof options / sizeof options[0]};
	struct evidence o = {0};
	struct str_list args = {0}, warned = {0};
	struct opt_error error = {0};
	int code = EXIT_ERROR;
	if (!opts_read(&table, argc, argv, &o, &args, &warned, &error)) {
		opts_say(&error, "publish evidence");
	} else if (o.help) {
		fputs(usage, stdout);
		code = EXIT_CLEAN;
	} else if (args.n != 2 || !o.log) {
		say("publish evidence: a repository, a set and a log (--log LOGDIR) are needed; try "
		    "'vitrine publish evidence --help'");
	} else {
		code = evidence(&o, &args);
	}
	str_list_done(&o.rebuilds);
	str_list_done(&o.online_keys);
	str_list_done(&args);
	str_list_done(&warned);
	return code;
}
