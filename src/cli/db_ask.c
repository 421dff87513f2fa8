#include "cli/db_ask.h"

#include "base/buf.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/dbcache.h"
#include "cli/text.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line is kept together up to this, so that characters of several bytes stay whole. */
#define LINE_KEPT ((size_t)1 << 20)

/* Bytes of proposals for a name that does not exist. */
#define PROPOSALS_MAX 16384u

static const struct opt options[] = {
    {"json", 0, OPT_BOOL, 0, offsetof(struct db_ask, json), NULL},
    {"database", 'd', OPT_LIST, 0, offsetof(struct db_ask, databases), NULL},
    {"cvdcertsdir", 0, OPT_TEXT, 0, offsetof(struct db_ask, certs_dir), NULL},
    {"no-cache", 0, OPT_BOOL, 0, offsetof(struct db_ask, no_cache), NULL},
    {"help", 'h', OPT_BOOL, 0, offsetof(struct db_ask, help), NULL},
};
const struct opt_table db_ask_options = {options, sizeof options / sizeof options[0]};

bool db_ask_read(const char *command, const char *usage, int argc, char **argv, size_t least,
                 size_t most, struct db_ask *ret, struct str_list *ret_args, int *ret_code)
{
	struct str_list warned = {0};
	struct opt_error error = {0};
	*ret_code = EXIT_ERROR;
	bool good = opts_read(&db_ask_options, argc, argv, ret, ret_args, &warned, &error);
	str_list_done(&warned);
	if (!good) {
		opts_say(&error, command);
		return false;
	}
	if (ret->help) {
		fputs(usage, stdout);
		*ret_code = EXIT_CLEAN;
		return false;
	}
	if (ret_args->n < least || ret_args->n > most) {
		say("%s: %s arguments; try 'vitrine %s --help'", command,
		    ret_args->n < least ? "too few" : "too many", command);
		return false;
	}
	return true;
}

void db_ask_done(struct db_ask *a, struct str_list *args)
{
	str_list_done(&a->databases);
	str_list_done(args);
}

/* -- databases ------------------------------------------------------------------------------ */

static void say_skipped(const struct compile_report *r)
{
	if (r->nskipped)
		say("%llu malformed signature lines were skipped ('vitrine db build' lists them)",
		    (unsigned long long)r->nskipped);
}

static void say_warning(const struct err *why)
{
	say("%s; signatures are compiled anew each time", why->text);
}

int db_ask_open(const struct db_ask *a, const struct str_list *named)
{
	struct db_set set;
	struct err e = {0};
	struct compile_report report = {0};
	struct dbcache_opts o = {.compile = {.pua = true}, .no_cache = a->no_cache,
	                         .warn = say_warning};
	int fd = -1;
	db_set_init(&set);
	st_t st = scan_collect_databases(&set, named, true, false, a->certs_dir, &e);
	if (st == ST_OK)
		st = dbcache_open(&set, &o, &fd, &report, &e);
	say_skipped(&report);
	compile_report_done(&report);
	db_set_done(&set);
	if (st != ST_OK)
		say_error(&e, st);
	return st == ST_OK ? fd : -1;
}

int db_ask_open_one(const struct db_ask *a, const char *path)
{
	struct str_list one = {0};
	if (str_list_add(&one, path) != ST_OK) {
		say("out of memory");
		return -1;
	}
	int fd = db_ask_open(a, &one);
	str_list_done(&one);
	return fd;
}

int db_ask_open_file(const char *path)
{
	bool from_stdin = !strcmp(path, "-");
	int fd = from_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                    : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		say("%s: %s", path, strerror(errno));
	return fd;
}

/* -- the answer ----------------------------------------------------------------------------- */

struct shown {
	struct buf rest; /* of a line, or all of it while `hold` */
	bool json;
	bool hold; /* it is not known yet whether this is an answer or proposals */
};

static void show_lines(struct shown *s, bool end)
{
	size_t n = s->rest.len;
	while (n && !end && s->rest.data[n - 1] != '\n')
		n--;
	if (n == 0 && s->rest.len > LINE_KEPT)
		n = s->rest.len;
	if (n == 0)
		return;
	text_put_answer(stdout, (const char *)s->rest.data, n, s->json);
	memmove(s->rest.data, s->rest.data + n, s->rest.len - n);
	s->rest.len -= n;
}

static st_t take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct shown *s = ctx;
	buf_add(&s->rest, p, n);
	TRY(buf_check(&s->rest, e, "answer"));
	s->hold &= s->rest.len <= PROPOSALS_MAX;
	if (!s->hold)
		show_lines(s, false);
	return ferror(stdout) ? fail(e, ST_IO, 0, "stdout: cannot write") : ST_OK;
}

/* The names proposed, one a line, go where errors go. */
static void say_no_name(const struct inspect_request *rq, const struct shown *s)
{
	say("there is no signature '%s'%s", rq->text, s->rest.len ? "; names like it:" : "");
	if (!rq->json)
		text_put_answer(stderr, (const char *)s->rest.data, s->rest.len, false);
}

const char *db_ask_about(const struct db_ask *a)
{
	return a->databases.n == 1 ? a->databases.v[0] : NULL;
}

bool db_ask(const struct inspect_request *rq, const char *what, enum inspect_outcome *ret)
{
	struct err e = {0};
	struct shown s = {.json = rq->json, .hold = true};
	st_t st = broker_inspect(rq, take, &s, ret, &e);
	if (st == ST_OK && *ret == INSPECT_NO_NAME)
		say_no_name(rq, &s);
	else
		show_lines(&s, true);
	buf_done(&s.rest);
	if (st == ST_OK && (fflush(stdout) || ferror(stdout)))
		st = fail(&e, ST_IO, 0, "stdout: cannot write");
	if (st != ST_OK)
		say("%s%s%s", what ? what : "", what ? ": " : "", e.text[0] ? e.text : st_name(st));
	return st == ST_OK;
}
