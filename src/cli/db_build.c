/* vitrine db build: text signatures to one compiled database, or a source bundle, written
 * atomically. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/compile_tell.h"
#include "cli/dbcache.h"
#include "cli/dbheads.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/ticker.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct build {
	const char *out;
	const char *certs_dir;
	bool strict, quiet, official_only, help;
};

static const struct opt options[] = {
    {"output", 'o', OPT_TEXT, 0, offsetof(struct build, out), NULL},
    {"official-db-only", 0, OPT_BOOL, 0, offsetof(struct build, official_only), NULL},
    {"cvdcertsdir", 0, OPT_TEXT, 0, offsetof(struct build, certs_dir), NULL},
    {"strict", 0, OPT_BOOL, 0, offsetof(struct build, strict), NULL},
    {"quiet", 'q', OPT_BOOL, 0, offsetof(struct build, quiet), NULL},
    {"help", 'h', OPT_BOOL, 0, offsetof(struct build, help), NULL},
};

static const char usage[] =
    "Usage: vitrine db build -o OUT.vdb [--strict] [--quiet] [--official-db-only]\n"
    "                        [--cvdcertsdir DIR] SRC...\n"
    "\n"
    "Compiles ClamAV text signatures and signed containers (files, or folders of them) into one\n"
    "database. A container whose origin is not proven is refused; with --official-db-only nothing\n"
    "but containers is taken from folders; --cvdcertsdir has the roots for .sign files. The same\n"
    "sources give the same bytes, in any order and on any machine. Lines that cannot be read are\n"
    "reported and skipped; with --strict the first one refuses the set. Signatures for\n"
    "potentially unwanted programs (.hdu, .ndu, ...) are included; --detect-pua uses them.\n"
    "\n"
    "SRC may be a source bundle (.tar), which stands for the files in it; -o OUT.tar makes one\n"
    "of the sources instead of compiling them.\n"
    "\n"
    "Exit code: 0 written, 2 not written.\n"
    "\n"
    "Examples:\n"
    "  vitrine db build -o all.vdb /var/lib/clamav my.ndb\n"
    "  vitrine db build --strict -o release.vdb signatures/\n"
    "  vitrine db build -o rebuilt.vdb source.tar\n";

static void say_duplicate(const char *path, const char *kept, bool same)
{
	say("%s: skipped, %s is %s", path, kept, same ? "the same version" : "newer");
}

static st_t collect(struct db_set *set, const struct build *b, const struct str_list *srcs,
                    struct err *e)
{
	struct db_set_opts o = {.pua = true, .official_only = b->official_only};
	for (size_t i = 0; i < srcs->n; i++) {
		enum db_problem problem;
		TRY(db_set_add(set, srcs->v[i], &o, &problem, e));
		if (problem == DB_NONE_HERE)
			return fail(e, ST_UNSUPPORTED, 0, "%s: no signature files here", srcs->v[i]);
	}
	if (set->vdb >= 0)
		return fail(e, ST_UNSUPPORTED, 0, "%s: is compiled already", set->vdb_path);
	TRY(dbheads_drop_duplicates(set, say_duplicate, e));
	return db_set_add_roots(set, b->certs_dir, e);
}

/* By the extension of the output. */
static bool makes_bundle(const struct build *b)
{
	const char *dot = strrchr(b->out, '.');
	return dot && !strcmp(dot, ".tar");
}

static void report_counts(const struct build *b, const struct compile_report *r, double seconds)
{
	char size[32];
	text_size(size, sizeof size, r->size);
	if (makes_bundle(b)) {
		text_put(stderr, b->out, TEXT_EXACT);
		fprintf(stderr, ": source bundle, %s\n", size);
		return;
	}
	compile_tell_counts(r);
	text_put(stderr, b->out, TEXT_EXACT);
	fprintf(stderr, ": %s in %.2f s\n", size, seconds);
}

/* The folder of the output and a temporary name in it. */
static st_t open_tmp(const char *out, char *ret_tmp, size_t n, int *ret_fd, struct err *e)
{
	int k = snprintf(ret_tmp, n, "%s.tmp.%ld", out, (long)getpid());
	if (k < 0 || (size_t)k >= n)
		return fail(e, ST_LIMIT, 0, "%s: name too long", out);
	*ret_fd = open(ret_tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return *ret_fd < 0 ? fail_errno(e, "%s", ret_tmp) : ST_OK;
}

static st_t write_database(const struct build *b, const struct db_set *set,
                           struct compile_report *report, struct err *e)
{
	char tmp[PATH_MAX];
	AUTO_FD fd = -1;
	struct ticker ticker;
	struct compile_opts opts = {.strict = b->strict, .pua = true};
	TRY(open_tmp(b->out, tmp, sizeof tmp, &fd, e));
	ticker_start(&ticker, !b->quiet, "compiling");
	st_t st = makes_bundle(b) ? dbset_bundle(set, fd, report, e)
	                          : dbset_compile(set, &opts, fd, report, e);
	ticker_stop(&ticker);
	if (st == ST_OK && (fsync(fd) || rename(tmp, b->out)))
		st = fail_errno(e, "%s", b->out);
	if (st != ST_OK)
		unlink(tmp);
	return st;
}

static int build(const struct build *b, const struct str_list *srcs)
{
	struct db_set set;
	struct err e = {0};
	struct compile_report report = {0};
	uint64_t start = clock_now_ns();
	db_set_init(&set);
	st_t st = collect(&set, b, srcs, &e);
	if (st == ST_OK)
		st = write_database(b, &set, &report, &e);
	if (!b->quiet)
		compile_tell_skipped(&report);
	if (st != ST_OK)
		say_error(&e, st);
	else if (!b->quiet)
		report_counts(b, &report, (double)(clock_now_ns() - start) / 1e9);
	compile_report_done(&report);
	db_set_done(&set);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *srcs)
{
	struct build *b = into;
	if (!b->out || !srcs->n) {
		say("db build: an output (-o) and sources are needed; try 'vitrine db build --help'");
		return EXIT_ERROR;
	}
	return build(b, srcs);
}

int cmd_db_build(int argc, char **argv)
{
	static const struct opts_command command = {
	    "db build", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct build o = {0};
	return opts_run(&command, argc, argv, &o);
}
