/* vitrine log check: a whole log, entry by entry. Opens what the user names, starts the fetcher if
 * that is a URL, enters the jail of ROLE_CHECK and only then reads what comes from the log. */
#include "base/io.h"
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/log_policy.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "log/check.h"
#include "proc/broker/fetcher.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "Usage: vitrine log check [--key VKEY|--policy FILE] [--json] [--jobs N] DIR|URL\n"
    "\n"
    "Reads a whole transparency log (C2SP tlog-tiles) and checks that its checkpoint is signed,\n"
    "every entry hashes to what its tile says, every tile to what the tile above says, and all of\n"
    "them to the root that is signed. Without --key and --policy nobody's signature is checked:\n"
    "then the log is only in itself as it should be, and may be anybody's.\n"
    "Exit code: 0 verified, 1 the log is wrong, 2 it could not be checked.\n"
    "\n"
    "  -k, --key VKEY      the log's verifier key; may be repeated: one of them must have signed\n"
    "  -p, --policy FILE   logs, witnesses and quorum (C2SP tlog-policy)\n"
    "      --json          one JSON object\n"
    "  -j, --jobs N        threads that hash; default: one per core\n"
    "      --ca-file FILE  certificates to trust instead of the system's (PEM)\n"
    "      --proxy URL     HTTP proxy\n"
    "\n"
    "Examples:\n"
    "  vitrine log check --policy policy.txt https://log.example.org/av-updates/\n"
    "  vitrine log check --key example.org/log+530d903a+AekyeRrm56h... /srv/log\n";

struct args {
	struct str_list keys;
	const char *policy, *ca_file, *proxy;
	bool json, help;
	uint32_t jobs;
};

#define FIELD(f) offsetof(struct args, f)
static const struct opt options[] = {
    {"key", 'k', OPT_LIST, 0, FIELD(keys), NULL},
    {"policy", 'p', OPT_TEXT, 0, FIELD(policy), NULL},
    {"json", 0, OPT_BOOL, 0, FIELD(json), NULL},
    {"jobs", 'j', OPT_COUNT, 0, FIELD(jobs), NULL},
    {"ca-file", 0, OPT_TEXT, 0, FIELD(ca_file), NULL},
    {"proxy", 0, OPT_TEXT, 0, FIELD(proxy), NULL},
    {"help", 'h', OPT_BOOL, 0, FIELD(help), NULL},
};
static const struct opt_table table = {options, sizeof options / sizeof options[0]};

/* What one run has: the log's place, opened before the jail. */
struct run_state {
	const struct args *a;
	const char *where;
	int dir;                 /* -1: a URL */
	struct fetcher *fetcher; /* NULL: a folder */
	struct fetch fetch;
	struct buf policy_text;
	struct policy *policy; /* NULL: nobody's signature is checked */
	struct log_source *source;
	struct bar bar;
	struct log_check_report report;
};

static bool is_url(const char *s)
{
	return !strncmp(s, "http://", 7) || !strncmp(s, "https://", 8);
}

/* --- Before the jail. */

static st_t open_log(struct run_state *s, struct err *e)
{
	if (is_url(s->where)) {
		struct fetch_scope scope = {.n = 0};
		struct fetcher_opts o = {.ca_file = s->a->ca_file, .proxy = s->a->proxy, .scope = &scope};
		fetch_scope_add(&scope, s->where, strlen(s->where), FETCH_MAY_GET);
		return fetcher_start(&o, &s->fetcher, &s->fetch, e);
	}
	s->dir = open(s->where, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->dir < 0 ? fail_errno(e, "%s", s->where) : ST_OK;
}

static st_t enter_jail(const struct run_state *s, struct err *e)
{
	struct sandbox_report report;
	struct sandbox_paths paths = {.ro = &s->dir, .nro = s->dir >= 0};
	int sock = s->fetcher ? fetcher_socket(s->fetcher) : -1;
	TRY(sandbox_preload(e));
	return sandbox_enter_self(ROLE_CHECK, &paths, &sock, s->fetcher ? 1 : 0, &report, e);
}

/* --- In the jail. */

static void tick(void *ctx, uint64_t done, uint64_t size)
{
	bar_tick(ctx, done, size);
}

static st_t check(struct run_state *s, struct err *e)
{
	struct log_check_opts o = {.jobs = s->a->jobs, .progress = tick, .ctx = &s->bar};
	TRY(s->fetcher ? log_source_new_url(s->where, &s->fetch, &s->source, e)
	               : log_source_new_folder(s->dir, &s->source, e));
	bar_init(&s->bar, isatty(STDERR_FILENO) == 1, "entries");
	st_t st = log_check(s->source, s->policy, &o, &s->report, e);
	bar_clear(&s->bar);
	return st;
}

/* --- Answers. */

static void put_json_verified(const struct run_state *s)
{
	const struct log_check_report *r = &s->report;
	fputs(", \"origin\": ", stdout);
	log_put_json_name(r->checkpoint.origin);
	printf(", \"size\": %" PRIu64 ", \"root\": \"", r->checkpoint.size);
	log_put_hash(&r->checkpoint.root);
	printf("\", \"signature\": %s, \"cosigned\": ", s->policy ? "true" : "false");
	log_policy_put_json_cosigned(s->policy, &r->verdict);
	printf(", \"bundles\": %" PRIu64 ", \"tiles\": %" PRIu64 ", \"bytes\": %" PRIu64,
	       r->counts.bundles, r->counts.tiles, r->counts.bytes);
}

static void put_json(const struct run_state *s, const char *verdict, const char *why)
{
	fputs("{\"log\": ", stdout);
	json_put_string(stdout, s->where);
	printf(", \"verdict\": \"%s\"", verdict);
	if (why) {
		fputs(", \"error\": ", stdout);
		json_put_string(stdout, why);
	} else {
		put_json_verified(s);
	}
	puts("}");
}

static void put_signers(const struct run_state *s)
{
	if (s->policy)
		log_policy_put_signers(s->policy, &s->report.verdict);
	else
		puts("signed by   not checked (neither --key nor --policy)");
}

static void put_verified(const struct run_state *s)
{
	const struct log_check_report *r = &s->report;
	char size[32];
	text_put(stdout, s->where, TEXT_EXACT);
	puts(": verified");
	fputs("origin      ", stdout);
	log_put_name(r->checkpoint.origin);
	printf("\nsize        %" PRIu64 "\nroot        ", r->checkpoint.size);
	log_put_hash(&r->checkpoint.root);
	putchar('\n');
	put_signers(s);
	text_size(size, sizeof size, r->counts.bytes);
	printf("checked     %" PRIu64 " entries in %" PRIu64 " bundles, %" PRIu64 " tiles, %s\n",
	       r->counts.entries, r->counts.bundles, r->counts.tiles, size);
}

static int answer(const struct run_state *s, st_t st, const struct err *e)
{
	const char *why = e->text[0] ? e->text : st_name(st);
	if (s->a->json) {
		put_json(s, st == ST_OK ? "verified" : log_check_could_not(st) ? "unchecked" : "wrong",
		         st == ST_OK ? NULL : why);
	} else if (st == ST_OK) {
		put_verified(s);
	} else if (!log_check_could_not(st)) {
		text_put(stdout, s->where, TEXT_EXACT);
		fputs(": WRONG: ", stdout);
		text_put(stdout, why, TEXT_EXACT);
		putchar('\n');
	}
	if (st != ST_OK && log_check_could_not(st))
		say("%s: not checked: %s", s->where, why);
	/* "verified" that could not be written was not said. */
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write the result");
		return EXIT_ERROR;
	}
	return st == ST_OK ? EXIT_CLEAN : log_check_could_not(st) ? EXIT_ERROR : EXIT_FOUND;
}

static int run(const struct args *a, const char *where)
{
	static struct run_state s;
	struct err e = {0};
	s = (struct run_state){.a = a, .where = where, .dir = -1};
	st_t st = log_policy_read(a->policy, &a->keys, &s.policy_text, &e);
	if (st == ST_OK)
		st = open_log(&s, &e);
	if (st == ST_OK)
		st = enter_jail(&s, &e);
	if (st == ST_OK)
		st = log_policy_parse(a->policy, &s.policy_text, &s.policy, &e);
	if (st != ST_OK) {
		say_error(&e, st);
	} else {
		st = check(&s, &e);
	}
	int code = s.source ? answer(&s, st, &e) : EXIT_ERROR;
	log_source_free(s.source);
	policy_free(s.policy);
	log_check_report_done(&s.report);
	buf_done(&s.policy_text);
	fetcher_leave(s.fetcher);
	fd_closep(&s.dir);
	return code;
}

static bool read_args(int argc, char **argv, struct args *a, struct str_list *args, int *ret_code)
{
	struct str_list warned = {0};
	struct opt_error error = {0};
	*ret_code = EXIT_ERROR;
	bool good = opts_read(&table, argc, argv, a, args, &warned, &error);
	str_list_done(&warned);
	if (!good) {
		opts_say(&error, "log check");
		return false;
	}
	if (a->help) {
		fputs(usage, stdout);
		*ret_code = EXIT_CLEAN;
		return false;
	}
	if (args->n != 1)
		say("log check: one folder or URL; try 'vitrine log check --help'");
	else if (a->policy && a->keys.n)
		say("log check: either --key or --policy");
	else if (a->jobs > LOG_CHECK_JOBS_MAX)
		say("log check: --jobs is at most %d", LOG_CHECK_JOBS_MAX);
	else
		return true;
	return false;
}

static uint32_t cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > LOG_CHECK_JOBS_MAX ? LOG_CHECK_JOBS_MAX : (uint32_t)n;
}

int cmd_log_check(int argc, char **argv)
{
	struct args a = {0};
	struct str_list args = {0};
	int code;
	if (read_args(argc, argv, &a, &args, &code)) {
		if (a.jobs == 0)
			a.jobs = cores();
		code = run(&a, args.v[0]);
	}
	str_list_done(&a.keys);
	str_list_done(&args);
	return code;
}
