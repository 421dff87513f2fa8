/* The clamscan look-alike: databases, run, exit code. */
#include "cli/clamscan.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/dbcache.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_DATABASES "/var/lib/clamav"
#define DEFAULT_DIR_DEPTH 15

/* clamscan's exit code when the file list cannot be opened. */
#define EXIT_NO_LIST 54

static void say_container(const char *path)
{
	fprintf(stderr, "LibClamAV Warning: %s: signed containers are not active in this version\n",
	        path);
}

static void say_unknown(const char *path)
{
	fprintf(stderr, "LibClamAV Warning: cli_load: unknown extension - skipping %s\n", path);
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
	    .container = say_container,
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

/* The source that an error text "FILE:LINE: REASON" is about, and the line; NULL for other text. */
static const struct db_source *blamed(const struct db_set *set, const char *text,
                                      unsigned long *ret_line)
{
	for (size_t i = 0; i < set->n; i++) {
		size_t n = strlen(set->v[i].path);
		char *end = NULL;
		if (strncmp(text, set->v[i].path, n) || text[n] != ':')
			continue;
		*ret_line = strtoul(text + n + 1, &end, 10);
		if (*end == ':')
			return &set->v[i];
	}
	return NULL;
}

/* A set with one bad line is refused, in clamscan's words. */
static void say_malformed(struct clam_out *out, const struct db_set *set, const struct err *e)
{
	unsigned long line = 0;
	const struct db_source *s = blamed(set, e->text, &line);
	if (!s) {
		clam_error(out, "%s", e->text);
		return;
	}
	if (s->stat.st_size == 0)
		fputs("LibClamAV Error: Empty database file\n", stderr);
	else
		fprintf(stderr, "LibClamAV Error: Problem parsing database at line %lu\n", line);
	fprintf(stderr, "LibClamAV Error: Can't load %s: Malformed database\n", s->path);
	if (s->from_dir)
		fprintf(stderr, "LibClamAV Error: cli_loaddbdir: error loading database %s\n", s->path);
	clam_error(out, "Malformed database");
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
	st_t st = dbcache_open(set, &o, ret_fd, &report, &e);
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

/* The same once more, with the kept database replaced, when the workers refuse what was kept. */
static st_t run_loaded(struct clam_out *out, const struct str_list *paths)
{
	struct session *s = out->session;
	bool bar = isatty(STDERR_FILENO) && !out->o->quiet && isatty(STDOUT_FILENO);
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
		if (attempt == 0 && out->o->s.file_list && paths->n)
			clam_warn(out, "Only scanning files from --file-list (files passed at cmdline are "
			               "ignored)");
		st = session_run(s, db, paths, bar, clam_show, out);
		if (s->started || st <= ST_OK)
			break;
	}
	progress_clear(&s->progress);
	if (st != ST_OK)
		say_failure(out);
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

int clamscan_main(int argc, char **argv)
{
	static char out[1 << 16];
	struct clam_opts o = {.scan_archive = true, .scan_pe = true,
	                      .scan_html = true, .normalize = true};
	struct str_list paths = {0};
	int code = EXIT_ERROR;
	setvbuf(stdout, out, _IOFBF, sizeof out);
	session_opts_init(&o.s);
	o.s.max_dir_recursion = DEFAULT_DIR_DEPTH;
	if (clam_opts_read(argc, argv, &o, &paths, &code)) {
		code = EXIT_CLEAN;
		if (o.help)
			clam_put_help();
		else if (o.version)
			puts("ClamAV " CLAMAV_VERSION);
		else
			code = scan_arguments(&o, &paths);
	}
	str_list_done(&paths);
	session_opts_done(&o.s);
	return code;
}
