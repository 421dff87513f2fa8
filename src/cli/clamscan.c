/* The clamscan look-alike: databases, run, exit code. */
#include "cli/clamscan.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/dbcache.h"
#include "cli/dbheads.h"
#include "cli/installed.h"
#include "cli/text.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_DATABASES "/var/lib/clamav"
#define DEFAULT_DIR_DEPTH 15

/* clamscan's exit code when the file list cannot be opened. */
#define EXIT_NO_LIST 54

static void say_duplicate(const char *path, const char *kept, bool same)
{
	if (same)
		fprintf(stderr,
		        "LibClamAV Warning: Detected duplicate databases %s and %s, please manually remove "
		        "one of them\n",
		        kept, path);
	else
		fprintf(stderr,
		        "LibClamAV Warning: Detected duplicate databases %s and %s. The %s database is "
		        "older and will not be loaded, you should manually remove it from the database "
		        "directory.\n",
		        path, kept, path);
}

static void say_unknown(const char *path)
{
	fprintf(stderr, "LibClamAV Warning: cli_load: unknown extension - skipping %s\n", path);
}

static void say_nothing(const char *path)
{
	(void)path;
}

static void say_no_cache(const struct err *why)
{
	fprintf(stderr, "WARNING: %s; signatures are compiled anew each time\n", why->text);
}

static bool leave_pattern_out(const char *option, const char *pattern, const char *reason)
{
	fprintf(stderr, "WARNING: --%s=%s is ignored: %s\n", option, pattern, reason);
	return true;
}

static st_t add_database(struct clam_out *out, struct db_set *set, const char *path, struct err *e)
{
	struct db_set_opts o = {
	    .pua = out->o->s.pua,
	    .official_only = out->o->official_only,
	    .unknown = say_unknown,
	};
	enum db_problem problem;
	st_t st = db_set_add(set, path, &o, &problem, e);
	if (problem == DB_MISSING) {
		fprintf(stderr, "LibClamAV Error: cl_load(): %s: %s\n", strerror(-st), path);
		clam_error(out, "Can't get file status");
		return st;
	}
	if (problem == DB_NONE_HERE) {
		fprintf(stderr, "LibClamAV Error: cli_loaddbdir: No supported database files found in %s\n",
		        path);
		clam_error(out, "Can't open file or directory");
		return ST_UNSUPPORTED;
	}
	if (st != ST_OK)
		clam_error(out, "%s", e->text);
	return st;
}

/* What an error text is about: "FILE:LINE: REASON", "CONTAINER/MEMBER:LINE: REASON" or "CONTAINER:
 * REASON". */
struct blame {
	const struct db_source *source; /* NULL: none of them */
	char member[128];               /* "" if it is about the file itself */
	unsigned long line;
	const char *reason; /* without a line */
};

static bool blame_one(const struct db_source *s, const char *text, struct blame *ret)
{
	size_t n = strlen(s->path);
	char *end = NULL;
	if (strncmp(text, s->path, n))
		return false;
	const char *rest = text + n;
	size_t k = s->container && *rest == '/' ? strcspn(rest, ":") : 0;
	if (k > 0)
		snprintf(ret->member, sizeof ret->member, "%.*s", (int)k - 1, rest + 1);
	rest += k;
	if (*rest != ':')
		return false;
	ret->line = strtoul(rest + 1, &end, 10);
	ret->reason = rest + 2;
	return *end == ':' || (s->container && !k && !strncmp(rest, ": ", 2));
}

static struct blame blame(const struct db_set *set, const char *text)
{
	for (size_t i = 0; i < set->n; i++) {
		struct blame b = {0};
		if (!blame_one(&set->v[i], text, &b))
			continue;
		b.source = &set->v[i];
		return b;
	}
	return (struct blame){0};
}

/* clamscan's word for why a container is refused, with what it says before that. */
static const char *container_problem(const struct blame *b, st_t st)
{
	if (st == ST_UNSUPPORTED || st == ST_TRUNCATED) {
		fputs("LibClamAV Error: cli_cvdverify: Can't read CVD header\n", stderr);
		return "Broken or not a CVD file";
	}
	if (st == ST_BAD_SUM)
		return "Can't verify database integrity";
	if (!b->member[0]) {
		fprintf(stderr, "LibClamAV Error: cli_cvdload: ");
		text_put(stderr, b->reason, TEXT_CLAMSCAN);
		putc('\n', stderr);
		return "Malformed database";
	}
	fprintf(stderr, "LibClamAV Error: Problem parsing database at line %lu\n", b->line);
	fprintf(stderr, "LibClamAV Error: Can't load %s: Malformed database\n", b->member);
	fprintf(stderr, "LibClamAV Error: cli_tgzload: Can't load %s\n", b->member);
	return "Malformed database";
}

/* A set with one bad line is refused, in clamscan's words. */
static void say_malformed(struct clam_out *out, const struct db_set *set, const struct err *e)
{
	struct blame b = blame(set, e->text);
	const struct db_source *s = b.source;
	const char *problem = "Malformed database";
	if (!s) {
		clam_error(out, "%s", e->text);
		return;
	}
	if (s->container)
		problem = container_problem(&b, e->st);
	else if (s->stat.st_size == 0)
		fputs("LibClamAV Error: Empty database file\n", stderr);
	else
		fprintf(stderr, "LibClamAV Error: Problem parsing database at line %lu\n", b.line);
	fprintf(stderr, "LibClamAV Error: Can't load %s: %s\n", s->path, problem);
	if (s->from_dir)
		fprintf(stderr, "LibClamAV Error: cli_loaddbdir: error loading database %s\n", s->path);
	clam_error(out, "%s", problem);
}

static st_t load(struct clam_out *out, struct db_set *set, bool renew, int *ret_fd)
{
	const struct str_list *given = &out->o->s.databases;
	struct compile_report report = {0};
	struct err e = {0};
	struct dbcache_opts o = {
	    .compile = {.strict = true, .clamav = true, .pua = out->o->s.pua},
	    .renew = renew,
	    .warn = out->o->verbose ? say_no_cache : NULL,
	};
	if (!given->n)
		TRY(add_database(out, set, DEFAULT_DATABASES, &e));
	for (size_t i = 0; i < given->n; i++)
		TRY(add_database(out, set, given->v[i], &e));
	st_t st = dbheads_drop_duplicates(set, say_duplicate, &e);
	if (st == ST_OK)
		st = db_set_add_roots(set, out->o->certs_dir, &e);
	if (st == ST_OK)
		st = dbcache_open(set, &o, ret_fd, &report, &e);
	if (st != ST_OK)
		say_malformed(out, set, &e);
	compile_report_done(&report);
	return st;
}

static int exit_code(const struct clam_out *out, st_t st)
{
	if (out->infected)
		return EXIT_FOUND;
	if (out->session->list_failed)
		return EXIT_NO_LIST;
	return st != ST_OK || out->trouble || out->errors ? EXIT_ERROR : EXIT_CLEAN;
}

static void say_failure(struct clam_out *out)
{
	if (out->session->list_failed)
		clam_error(out, "--file-list: Can't open file %s", out->o->s.file_list);
	else
		clam_error(out, "%s", out->session->e.text);
}

static void warn_arguments(struct clam_out *out, const struct str_list *paths)
{
	if (out->o->s.file_list && paths->n)
		clam_warn(out, "Only scanning files from --file-list (files passed at cmdline are "
		               "ignored)");
}

/* The same once more, with the kept database replaced, when the workers refuse what was kept. */
static st_t compile_and_run(struct clam_out *out, const struct str_list *paths, bool bar)
{
	struct session *s = out->session;
	st_t st = ST_OK;
	for (int attempt = 0; attempt < 2; attempt++) {
		AUTO_FD db = -1;
		struct db_set set;
		err_clear(&s->e);
		db_set_init(&set);
		st = load(out, &set, attempt > 0, &db);
		db_set_done(&set);
		if (st != ST_OK)
			return st;
		if (attempt == 0)
			warn_arguments(out, paths);
		st = session_run(s, db, paths, bar, clam_show, out);
		if (s->started || st <= ST_OK)
			break;
	}
	progress_clear(&s->progress);
	if (st != ST_OK)
		say_failure(out);
	return st;
}

static st_t run_installed(struct clam_out *out, struct installed *in, const struct str_list *paths,
                          bool bar)
{
	struct session *s = out->session;
	warn_arguments(out, paths);
	st_t st = session_run(s, in->fd, paths, bar, clam_show, out);
	progress_clear(&s->progress);
	if (st != ST_OK)
		say_failure(out);
	return st;
}

/* Without --database: what `vitrine update` installed, else ClamAV's own folder. */
static st_t run_loaded(struct clam_out *out, const struct str_list *paths)
{
	struct installed *in = out->o->s.replace_ctx;
	struct err e = {0};
	bool bar = isatty(STDERR_FILENO) && !out->o->quiet && isatty(STDOUT_FILENO);
	st_t st = out->o->s.databases.n || out->o->official_only ? ST_OK : installed_open(in, &e);
	if (st != ST_OK)
		clam_error(out, "%s", e.text);
	else if (in->fd >= 0)
		st = run_installed(out, in, paths, bar);
	else
		st = compile_and_run(out, paths, bar);
	installed_close(in);
	return st;
}

static int load_and_scan(struct clam_out *out, const struct str_list *paths)
{
	st_t st = run_loaded(out, paths);
	out->known = out->session->pool ? pool_known_signatures(out->session->pool) : 0;
	clam_put_summary(out);
	return exit_code(out, st);
}

/* clamscan prepares the quarantine before anything else and says so on stdout if it cannot. */
static void say_setup(const struct session *s)
{
	const struct session_opts *o = s->o;
	const char *folder = o->move ? o->move : o->copy;
	bool absent = s->e.st == (st_t)-ENOENT || s->e.st == (st_t)-ENOTDIR;
	if (folder && absent)
		printf("action_setup: Failed to get realpath of %s\n", folder);
	else if (folder)
		printf("action_setup: Failed to create quarantine lock file in %s: %s\n", folder,
		       strerror(-s->e.st));
	else
		fprintf(stderr, "ERROR: %s\n", s->e.text);
}

static int scan(const struct clam_opts *o, const struct str_list *paths)
{
	struct session session;
	struct clam_out out;
	int code = EXIT_ERROR;
	st_t st = session_init(&session, &o->s, leave_pattern_out);
	if (st != ST_OK)
		say_setup(&session);
	else if (clam_out_init(&out, o, &session) == ST_OK) {
		code = load_and_scan(&out, paths);
		clam_out_done(&out);
	}
	session_done(&session);
	return fflush(stdout) || ferror(stdout) ? EXIT_ERROR : code;
}

static int scan_arguments(const struct clam_opts *o, struct str_list *paths)
{
	char cwd[PATH_MAX];
	if (!paths->n && !o->s.file_list &&
	    (!getcwd(cwd, sizeof cwd) || str_list_add(paths, cwd) != ST_OK)) {
		fputs("ERROR: Can't get absolute pathname of current working directory\n", stderr);
		return EXIT_ERROR;
	}
	return scan(o, paths);
}

/* The version of the engine, and of the daily set where one of the folders has it. */
static void put_version(const struct clam_opts *o)
{
	struct db_set set;
	struct db_set_opts so = {.unknown = say_nothing};
	struct compile_head daily = {0};
	enum db_problem problem;
	char when[64] = "";
	struct tm tm;
	db_set_init(&set);
	for (size_t i = 0; i < o->s.databases.n; i++)
		(void)!db_set_add(&set, o->s.databases.v[i], &so, &problem, NULL);
	if (!o->s.databases.n)
		(void)!db_set_add(&set, DEFAULT_DATABASES, &so, &problem, NULL);
	(void)!dbheads_daily(&set, &daily, NULL);
	db_set_done(&set);
	time_t t = (time_t)(daily.stime & INT64_MAX);
	if (daily.known && localtime_r(&t, &tm) &&
	    strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &tm))
		printf("ClamAV " CLAMAV_VERSION "/%u/%s\n", (unsigned)daily.version, when);
	else
		puts("ClamAV " CLAMAV_VERSION);
}

int clamscan_main(int argc, char **argv)
{
	static char out[1 << 16];
	struct clam_opts o = {.scan_archive = true, .scan_pe = true,
	                      .scan_html = true, .scan_image = true,
	                      .scan_image_hash = true, .normalize = true};
	struct installed in = {.fd = -1};
	struct str_list paths = {0};
	int code = EXIT_ERROR;
	setvbuf(stdout, out, _IOFBF, sizeof out);
	session_opts_init(&o.s);
	o.s.max_dir_recursion = DEFAULT_DIR_DEPTH;
	o.s.replace = installed_replace;
	o.s.replace_ctx = &in;
	if (clam_opts_read(argc, argv, &o, &paths, &code)) {
		code = EXIT_CLEAN;
		if (o.help)
			clam_put_help();
		else if (o.version)
			put_version(&o);
		else
			code = scan_arguments(&o, &paths);
	}
	str_list_done(&paths);
	session_opts_done(&o.s);
	return code;
}
