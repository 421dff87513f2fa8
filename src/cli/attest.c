/* vitrine attest: the statement of a rebuilder, "I built these files from the source, and they are
 * the same" (or not), as an entry of a log. Reads the files to hash them and nothing else. */
#include "attest/dsse.h"
#include "attest/statement.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/publish_keys.h"
#include "crypto/digest.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What "the same" means where --policy does not say: every byte. */
#define SAME_BYTES "https://vitrine-av.org/policy/same-bytes/v1"

struct attest {
	struct str_list keys, subjects;
	const char *verifier, *resource, *policy, *time, *out;
	bool passed, failed, help;
	struct key_pass_opts pass;
};

static const struct opt options[] = {
	{"key", 'k', OPT_LIST, 0, offsetof(struct attest, keys), NULL},
	{"subject", 's', OPT_LIST, 0, offsetof(struct attest, subjects), NULL},
	{"passed", 0, OPT_BOOL, 0, offsetof(struct attest, passed), NULL},
	{"failed", 0, OPT_BOOL, 0, offsetof(struct attest, failed), NULL},
	{"verifier", 0, OPT_TEXT, 0, offsetof(struct attest, verifier), NULL},
	{"resource", 0, OPT_TEXT, 0, offsetof(struct attest, resource), NULL},
	{"policy", 0, OPT_TEXT, 0, offsetof(struct attest, policy), NULL},
	{"time", 0, OPT_TEXT, 0, offsetof(struct attest, time), NULL},
	{"output", 'o', OPT_TEXT, 0, offsetof(struct attest, out), NULL},
	KEY_PASS_OPTION_FILE(struct attest, pass),
	KEY_PASS_OPTION_FD(struct attest, pass),
	{"help", 'h', OPT_BOOL, 0, offsetof(struct attest, help), NULL},
};

static const char usage[] =
	"Usage: vitrine attest --key KEYFILE --passed|--failed [--subject FILE]... -o OUT.dsse\n"
	"                      [--verifier URI] [--resource URI] [--policy URI] [--time T]\n"
	"                      [--passphrase-file FILE|--passphrase-fd N] [FILE...]\n"
	"\n"
	"Writes the statement of a rebuilder about files, signed (DSSE, in-toto Statement v1, SLSA\n"
	"verification summary v1): with --passed that a build from the published source gave these\n"
	"files, with --failed that it did not. The files are the published ones: what counts is\n"
	"their SHA-256. The publisher adds it to his log ('vitrine publish evidence'), and so can\n"
	"anybody ('vitrine log add').\n"
	"\n"
	"  --key KEYFILE   made by 'vitrine key new --for publisher'\n"
	"  --verifier URI  who says so; usual: the name of the key\n"
	"  --resource URI  where the files are from; usual: the name of the first one\n"
	"  --policy URI    what \"the same\" means; usual: the same bytes\n"
	"  --time T        of the verdict, RFC 3339 in UTC (2026-11-24T12:00:00Z); usual: now\n"
	"\n"
	"Exit code: 0 written, 2 not written.\n"
	"\n"
	"Examples:\n"
	"  vitrine db build -o my.vdb source.tar && cmp my.vdb main.vdb && \\\n"
	"    vitrine attest --key rebuilder.key --passed main.vdb source.tar -o passed.dsse\n";

static st_t make_subject(const char *path, struct statement_subject *ret, struct err *e)
{
	struct err why = {0};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	if (strlen(name) >= sizeof ret->name)
		return fail(e, ST_LIMIT, 0, "%s: the name is too long", path);
	memcpy(ret->name, name, strlen(name) + 1);
	st_t st = digest_file(DIGEST_SHA256, fd, ret->sha256, NULL, &why);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "%s: %s", path, why.text);
}

static st_t make_subjects(const struct str_list *paths, struct statement_subject **ret,
                          struct err *e)
{
	if (paths->n > STATEMENT_SUBJECTS_MAX)
		return fail(e, ST_LIMIT, 0, "attest: more than %d files", STATEMENT_SUBJECTS_MAX);
	*ret = calloc(paths->n, sizeof **ret);
	if (!*ret)
		return fail(e, ST_NOMEM, 0, "attest: out of memory");
	for (size_t i = 0; i < paths->n; i++)
		TRY(make_subject(paths->v[i], &(*ret)[i], e));
	return ST_OK;
}

static st_t check_time(const char *text, struct err *e)
{
	int64_t t;
	if (!tuf_time(text, &t))
		return fail(e, ST_MALFORMED, 0, "--time %.40s: not as in 2026-11-24T12:00:00Z", text);
	return ST_OK;
}

static st_t make_statement(const struct attest *a, const struct statement_subject *subject,
                           const struct publish_ring *ring, struct buf *out, struct err *e)
{
	char now[24], verifier[NOTE_NAME_MAX + 1];
	time_t t = time(NULL);
	struct tm tm;
	strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	snprintf(verifier, sizeof verifier, "%s", ring->key[0].key.name);
	return statement_make_rebuild(subject, a->subjects.n, a->verifier ? a->verifier : verifier,
	                              a->time ? a->time : now,
	                              a->resource ? a->resource : subject[0].name,
	                              a->policy ? a->policy : SAME_BYTES, a->passed, out, e);
}

static st_t sign_and_write(const struct attest *a, const struct statement_subject *subject,
                           const struct publish_ring *ring, struct err *e)
{
	struct buf statement = {0}, envelope = {0};
	st_t st = make_statement(a, subject, ring, &statement, e);
	if (st == ST_OK)
		st = dsse_make(STATEMENT_PAYLOAD_TYPE, rd_make(statement.data, statement.len),
		               ring->signer, ring->n, &envelope, e);
	if (st == ST_OK)
		st = file_replace(a->out, &envelope, e);
	buf_done(&statement);
	buf_done(&envelope);
	return st;
}

static int run(const struct attest *a)
{
	struct err e = {0};
	struct publish_ring ring = {0};
	struct statement_subject *subject = NULL;
	st_t st = a->time ? check_time(a->time, &e) : ST_OK;
	if (st == ST_OK)
		st = make_subjects(&a->subjects, &subject, &e);
	if (st == ST_OK)
		st = publish_ring_load(&ring, &a->keys, &a->pass, &e);
	if (st == ST_OK)
		st = sign_and_write(a, subject, &ring, &e);
	if (st != ST_OK)
		say_error(&e, st);
	publish_ring_done(&ring);
	free(subject);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

/* False when it was said what is missing. */
static bool is_complete(const struct attest *a)
{
	const char *what = !a->keys.n ? "a key (--key KEYFILE)"
	                   : a->passed == a->failed ? "one verdict (--passed or --failed)"
	                   : !a->subjects.n ? "a file that it is about"
	                   : !a->out ? "a file to write (-o OUT.dsse)" : NULL;
	if (what)
		say("attest: %s is needed; try 'vitrine attest --help'", what);
	return !what;
}

/* Files may stand without --subject, too. */
static int run_command(void *into, const struct str_list *args)
{
	struct attest *a = into;
	for (size_t i = 0; i < args->n; i++) {
		if (str_list_add(&a->subjects, args->v[i]) != ST_OK) {
			say("attest: out of memory");
			return EXIT_ERROR;
		}
	}
	return is_complete(a) ? run(a) : EXIT_ERROR;
}

int cmd_attest(int argc, char **argv)
{
	static const struct opts_command command = {
	    "attest", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct attest a = {0};
	int code = opts_run(&command, argc, argv, &a);
	str_list_done(&a.keys);
	str_list_done(&a.subjects);
	return code;
}
