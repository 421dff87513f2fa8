/* vitrine scan: options, databases, and the run. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"
#include "cli/dbcache.h"
#include "cli/dbheads.h"
#include "cli/installed.h"
#include "cli/scan_report.h"
#include "cli/text.h"
#include "match/cpu.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where ClamAV's databases lie. */
#define CLAMAV_DIR "/var/lib/clamav"

/* Levels of folders: deeper than people nest, shallow enough for descriptors. */
#define DEFAULT_DIR_DEPTH 256

struct scan_cli {
	struct session_opts s;
	bool json, verbose, quiet, infected, no_summary, strict, no_cache, help;
	bool official_only;
	const char *cpumask, *certs_dir;
};

#define FIELD(m) offsetof(struct scan_cli, m)

static const struct opt options[] = {
    {"database", 'd', OPT_LIST, 0, FIELD(s.databases), NULL},
    {"json", 0, OPT_BOOL, 0, FIELD(json), NULL},
    {"all-matches", 'z', OPT_BOOL, 0, FIELD(s.all_matches), NULL},
    {"verbose", 'v', OPT_BOOL, 0, FIELD(verbose), NULL},
    {"quiet", 'q', OPT_BOOL, 0, FIELD(quiet), NULL},
    {"infected", 'i', OPT_BOOL, 0, FIELD(infected), NULL},
    {"no-summary", 0, OPT_BOOL, 0, FIELD(no_summary), NULL},
    {"recursive", 'r', OPT_BOOL, 0, FIELD(s.recursive), NULL},
    {"file-list", 'f', OPT_TEXT, 0, FIELD(s.file_list), NULL},
    {"null", '0', OPT_BOOL, 0, FIELD(s.null_separated), NULL},
    {"exclude", 0, OPT_LIST, 0, FIELD(s.match.exclude), NULL},
    {"include", 0, OPT_LIST, 0, FIELD(s.match.include), NULL},
    {"exclude-dir", 0, OPT_LIST, 0, FIELD(s.match.exclude_dir), NULL},
    {"include-dir", 0, OPT_LIST, 0, FIELD(s.match.include_dir), NULL},
    {"cross-fs", 0, OPT_BOOL, 0, FIELD(s.cross_fs), NULL},
    {"move", 0, OPT_TEXT, 0, FIELD(s.move), NULL},
    {"copy", 0, OPT_TEXT, 0, FIELD(s.copy), NULL},
    {"remove", 0, OPT_BOOL, 0, FIELD(s.remove), NULL},
    {"jobs", 'j', OPT_COUNT, 0, FIELD(s.jobs), NULL},
    {"regex-jit", 0, OPT_BOOL, 0, FIELD(s.regex_jit), NULL},
    {"cpumask", 0, OPT_TEXT, 0, FIELD(cpumask), NULL},
    {"max-scansize", 0, OPT_SIZE, 0, FIELD(s.limits.max_scansize), NULL},
    {"max-filesize", 0, OPT_SIZE, 0, FIELD(s.limits.max_filesize), NULL},
    {"max-recursion", 0, OPT_COUNT, 0, FIELD(s.limits.max_recursion), NULL},
    {"max-files", 0, OPT_COUNT, 0, FIELD(s.limits.max_files), NULL},
    {"max-scantime", 0, OPT_COUNT, 0, FIELD(s.limits.max_scantime_ms), NULL},
    {"max-dir-recursion", 0, OPT_COUNT, 0, FIELD(s.max_dir_recursion), NULL},
    {"no-archives", 0, OPT_BOOL, 0, FIELD(s.no_archives), NULL},
    {"no-normalize", 0, OPT_BOOL, 0, FIELD(s.no_normalize), NULL},
    {"detect-pua", 0, OPT_BOOL, 0, FIELD(s.pua), NULL},
    {"include-pua", 0, OPT_LIST, 0, FIELD(s.pua_include), NULL},
    {"exclude-pua", 0, OPT_LIST, 0, FIELD(s.pua_exclude), NULL},
    {"heuristic-scan-precedence", 0, OPT_BOOL, 0, FIELD(s.heuristics_first), NULL},
    {"official-db-only", 0, OPT_BOOL, 0, FIELD(official_only), NULL},
    {"cvdcertsdir", 0, OPT_TEXT, 0, FIELD(certs_dir), NULL},
    {"strict", 0, OPT_BOOL, 0, FIELD(strict), NULL},
    {"no-cache", 0, OPT_BOOL, 0, FIELD(no_cache), NULL},
    {"help", 'h', OPT_BOOL, 0, FIELD(help), NULL},
};

static const char usage[] =
    "Usage: vitrine scan [OPTIONS] PATH...\n"
    "\n"
    "Scans files and folders (recursively); '-' is stdin. Results on stdout, everything else on\n"
    "stderr. Exit code: 0 clean, 1 something found, 2 an error or something not fully scanned.\n"
    "\n"
    "Databases\n"
    "  -d, --database FILE|DIR  signatures as text, signed containers (.cvd, .cld), a folder of\n"
    "                           them, or one compiled .vdb; may be repeated. Default: what\n"
    "                           'vitrine update' installed; else the rules that come with\n"
    "                           Vitrine, and /var/lib/clamav where it holds any\n"
    "      --detect-pua         use signatures for potentially unwanted programs\n"
    "      --include-pua CATEGORY, --exclude-pua CATEGORY\n"
    "                           only those, or all others; may be repeated (Win, Packed, ...)\n"
    "      --heuristic-scan-precedence\n"
    "                           names of heuristics are as good as any other\n"
    "      --official-db-only   of folders only signed containers\n"
    "      --cvdcertsdir DIR    root certificates for .sign files; default: $CVD_CERTS_DIR,\n"
    "                           else /etc/clamav/certs\n"
    "      --strict             refuse a set with a malformed line instead of skipping the line\n"
    "      --no-cache           compile text signatures anew\n"
    "What is scanned\n"
    "  -f, --file-list FILE     paths from FILE ('-': stdin), one a line, instead of arguments\n"
    "  -0, --null               the file list is separated by NUL bytes\n"
    "      --exclude, --include REGEX          only for files whose path (does not) match\n"
    "      --exclude-dir, --include-dir REGEX  the same for folders\n"
    "      --cross-fs=no        stay on the file system of each PATH\n"
    "      --no-archives        do not look into containers\n"
    "      --no-normalize       match text and HTML only as they are, without normalised copies\n"
    "Limits (K, M, G are understood; reaching one is 'not fully scanned')\n"
    "      --max-filesize N, --max-scansize N, --max-recursion N, --max-files N,\n"
    "      --max-scantime MS, --max-dir-recursion N\n"
    "Output\n"
    "      --json               one JSON object a line, a summary object at the end\n"
    "  -z, --all-matches        every signature that matches, not only the first\n"
    "  -v, --verbose            clean and skipped files too, and where in a file\n"
    "  -i, --infected           only what was found\n"
    "  -q, --quiet              no results, only the exit code and errors\n"
    "      --no-summary\n"
    "What to do with what was found (the file itself, never what a link leads to)\n"
    "      --move DIR, --copy DIR, --remove\n"
    "Speed\n"
    "  -j, --jobs N             workers; default: one per core\n"
    "      --cpumask LEVEL      scalar, avx2, avx512 or all\n"
    "      --regex-jit          regular expressions as machine code: faster, but the jail then\n"
    "                           allows memory that is written and executed\n"
    "\n"
    "Examples:\n"
    "  vitrine scan ~/Downloads\n"
    "  vitrine scan --database rules.ldb --database more/ --json /srv > result.jsonl\n"
    "  find / -newer stamp -print0 | vitrine scan -0 -f - --move /var/quarantine\n"
    "  curl -s https://example.org/file | vitrine scan -\n";

static void say_duplicate(const char *path, const char *kept, bool same)
{
	say("%s: skipped, %s is %s", path, kept, same ? "the same version" : "newer");
}

static void say_compiling(void)
{
	say("compiling signatures (once, the result is kept)...");
}

static void say_warning(const struct err *why)
{
	say("%s; signatures are compiled anew each time", why->text);
}

static bool refuse_pattern(const char *option, const char *pattern, const char *reason)
{
	say("--%s: '%s': %s", option, pattern, reason);
	return false;
}

/* The rules that came with the program: installed, or in the source tree that holds the build
 * folder. A folder not owned by the owner of the program is not the one that came with it. */
static bool shipped_rules(char *ret, size_t n)
{
	char exe[PATH_MAX];
	struct stat program, rules;
	if (!text_exe_dir(exe, sizeof exe) || stat(exe, &program))
		return false;
	const char *const places[] = {"../../../signatures", "../share/vitrine/signatures"};
	for (size_t i = 0; i < 2; i++) {
		int k = snprintf(ret, n, "%s/%s", exe, places[i]);
		if (k > 0 && (size_t)k < n && !stat(ret, &rules) && S_ISDIR(rules.st_mode) &&
		    rules.st_uid == program.st_uid)
			return true;
	}
	snprintf(ret, n, "%s", VITRINE_RULES_DIR);
	return !access(ret, R_OK);
}

static st_t add_database(struct db_set *set, bool pua, bool official_only, const char *path,
                         struct err *e)
{
	struct db_set_opts o = {.pua = pua, .official_only = official_only};
	enum db_problem problem;
	TRY(db_set_add(set, path, &o, &problem, e));
	if (problem == DB_NONE_HERE)
		return fail(e, ST_UNSUPPORTED, 0, "%s: no signature files here", path);
	return ST_OK;
}

static st_t add_default_databases(struct db_set *set, bool pua, bool official_only,
                                  struct err *e)
{
	char rules[PATH_MAX];
	struct db_set_opts o = {.pua = pua, .official_only = official_only};
	enum db_problem problem;
	if (shipped_rules(rules, sizeof rules))
		TRY(add_database(set, pua, official_only, rules, e));
	if (db_dir_has_any(CLAMAV_DIR))
		TRY(db_set_add(set, CLAMAV_DIR, &o, &problem, e));
	return set->n ? ST_OK : fail(e, ST_UNSUPPORTED, 0, "no signatures: name some by --database");
}

static st_t add_named_databases(struct db_set *set, const struct str_list *named, bool pua,
                                bool official_only, struct err *e)
{
	for (size_t i = 0; i < named->n; i++)
		TRY(add_database(set, pua, official_only, named->v[i], e));
	return ST_OK;
}

st_t scan_collect_databases(struct db_set *set, const struct str_list *named, bool pua,
                            bool official_only, const char *certs_dir, struct err *e)
{
	if (named->n)
		TRY(add_named_databases(set, named, pua, official_only, e));
	else
		TRY(add_default_databases(set, pua, official_only, e));
	TRY(dbheads_drop_duplicates(set, say_duplicate, e));
	return db_set_add_roots(set, certs_dir, e);
}

static void say_skipped(const struct compile_report *r)
{
	if (r->nskipped)
		say("%llu malformed signature lines were skipped ('vitrine db build' lists them)",
		    (unsigned long long)r->nskipped);
}

static st_t open_database(const struct scan_cli *c, bool renew, int *ret_fd, struct err *e)
{
	struct db_set set;
	struct compile_report report = {0};
	struct dbcache_opts o = {
	    .compile = {.strict = c->strict, .pua = c->s.pua},
	    .no_cache = c->no_cache,
	    .renew = renew,
	    .compiling = say_compiling,
	    .warn = say_warning,
	};
	db_set_init(&set);
	st_t st = scan_collect_databases(&set, &c->s.databases, c->s.pua, c->official_only,
	                                 c->certs_dir, e);
	if (st == ST_OK)
		st = dbcache_open(&set, &o, ret_fd, &report, e);
	say_skipped(&report);
	compile_report_done(&report);
	db_set_done(&set);
	return st;
}

/* Found wins over everything else, as clamscan does it; nothing else ends in 0. */
static int exit_code(const struct scan_summary *s, st_t st)
{
	if (s->found)
		return EXIT_FOUND;
	return st != ST_OK || s->errors || s->incomplete ? EXIT_ERROR : EXIT_CLEAN;
}

/* Scans with what `vitrine update` installed. */
static st_t scan_installed(struct scan_cli *c, struct installed *in, struct scan_report *report,
                           const struct str_list *paths, bool bar)
{
	struct session *s = report->session;
	c->s.replace = installed_replace;
	c->s.replace_ctx = in;
	return session_run(s, in->fd, paths, bar, scan_report_show, report);
}

/* Opens the database and scans. A kept database that the workers refuse (a damaged disk, an update
 * of Vitrine) is compiled anew, once. */
static st_t compile_and_scan(const struct scan_cli *c, struct scan_report *report,
                             const struct str_list *paths, bool bar)
{
	struct session *s = report->session;
	st_t st = ST_OK;
	for (int attempt = 0; attempt < 2; attempt++) {
		AUTO_FD db = -1;
		err_clear(&s->e);
		TRY(open_database(c, attempt > 0, &db, &s->e));
		st = session_run(s, db, paths, bar, scan_report_show, report);
		if (s->started || st <= ST_OK)
			break;
	}
	return st;
}

/* The order of defaults: what was installed is used alone; it is one set, made and proven as a
 * whole. */
static st_t open_and_scan(struct scan_cli *c, struct scan_report *report,
                          const struct str_list *paths)
{
	struct installed in = {.fd = -1};
	bool bar = isatty(STDERR_FILENO) && !c->quiet;
	if (!c->s.databases.n && !c->official_only)
		TRY(installed_open(&in, &report->session->e));
	st_t st = in.fd >= 0 ? scan_installed(c, &in, report, paths, bar)
	                     : compile_and_scan(c, report, paths, bar);
	installed_close(&in);
	return st;
}

static int scan(struct scan_cli *c, const struct str_list *paths)
{
	struct session session;
	struct scan_report report = {
	    .json = c->json,
	    .verbose = c->verbose,
	    .quiet = c->quiet,
	    .infected = c->infected,
	    .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	    .session = &session,
	};
	uint64_t start = clock_now_ns();
	st_t st = session_init(&session, &c->s, refuse_pattern);
	if (st == ST_OK)
		st = open_and_scan(c, &report, paths);
	report.sum.seconds = (double)(clock_now_ns() - start) / 1e9;
	report.sum.signatures = session.pool ? pool_known_signatures(session.pool) : 0;
	progress_clear(&session.progress);
	if (st != ST_OK)
		say_error(&session.e, st);
	report.sum.errors += st != ST_OK;
	if (session.pool && !c->no_summary && !c->quiet)
		scan_report_summary(&report);
	session_done(&session);
	if (fflush(stdout) || ferror(stdout)) {
		say("stdout: cannot write results");
		return EXIT_ERROR;
	}
	return exit_code(&report.sum, st);
}

static bool check_options(struct scan_cli *c, const struct str_list *paths)
{
	if (c->cpumask && cpu_mask_by_name(c->cpumask, &c->s.cpumask)) {
		say("scan: unknown level --cpumask %s (scalar, avx2, avx512, all)", c->cpumask);
		return false;
	}
	if ((c->s.move != NULL) + (c->s.copy != NULL) + c->s.remove > 1) {
		say("scan: only one of --move, --copy and --remove");
		return false;
	}
	if (c->s.file_list && paths->n) {
		say("scan: paths are named by --file-list or as arguments, not both");
		return false;
	}
	if (!c->s.file_list && !paths->n) {
		say("scan: nothing to scan; try 'vitrine scan --help'");
		return false;
	}
	return true;
}

static bool check_categories(const struct session_opts *o)
{
	if (!o->pua_include.n || !o->pua_exclude.n)
		return true;
	say("scan: --include-pua and --exclude-pua exclude each other");
	return false;
}

int cmd_scan(int argc, char **argv)
{
	static const struct opt_table table = {options, sizeof options / sizeof options[0]};
	static char out[1 << 16];
	struct scan_cli c = {0};
	struct str_list paths = {0}, warned = {0};
	struct opt_error error = {0};
	int code = EXIT_ERROR;
	setvbuf(stdout, out, _IOFBF, sizeof out);
	session_opts_init(&c.s);
	c.s.recursive = true;
	c.s.max_dir_recursion = DEFAULT_DIR_DEPTH;
	if (!opts_read(&table, argc, argv, &c, &paths, &warned, &error)) {
		opts_say(&error, "scan");
	} else if (c.help) {
		fputs(usage, stdout);
		code = EXIT_CLEAN;
	} else if (check_categories(&c.s) && check_options(&c, &paths)) {
		code = scan(&c, &paths);
	}
	str_list_done(&paths);
	str_list_done(&warned);
	session_opts_done(&c.s);
	return code;
}
