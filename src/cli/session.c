#include "cli/session.h"

#include "base/io.h"
#include "match/cpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of stdin kept at most where no file size limit is set: they lie in memory. */
#define SPOOL_MAX (UINT64_C(2) << 30)
#define SPOOL_STEP 65536

void session_opts_init(struct session_opts *o)
{
	*o = (struct session_opts){
	    .cpumask = CPU_ALL,
	    .follow_dirs = FOLLOW_ARGUMENTS,
	    .follow_files = FOLLOW_ARGUMENTS,
	    .cross_fs = true,
	};
	scan_limits_default(&o->limits);
}

void session_opts_done(struct session_opts *o)
{
	str_list_done(&o->databases);
	str_list_done(&o->pua_include);
	str_list_done(&o->pua_exclude);
	match_path_opts_done(&o->match);
}

enum quarantine_action session_action(const struct session_opts *o)
{
	if (o->move)
		return ACTION_MOVE;
	if (o->copy)
		return ACTION_COPY;
	return o->remove ? ACTION_REMOVE : ACTION_NONE;
}

static st_t show(void *ctx, struct run_item *item, struct err *e)
{
	struct session *s = ctx;
	return s->show(s->show_ctx, item, e);
}

static st_t visit(void *ctx, const struct walk_entry *en)
{
	struct session *s = ctx;
	return run_add(s->run, en, &s->e);
}

static void tick(void *ctx, const struct run_totals *totals)
{
	struct session *s = ctx;
	progress_tick(&s->progress, totals);
}

st_t session_init(struct session *s, const struct session_opts *o,
                  bool (*bad)(const char *option, const char *pattern, const char *reason))
{
	*s = (struct session){.o = o, .quarantine = {.dir = -1}};
	s->walk = (struct walk_opts){
	    .max_depth = o->max_dir_recursion,
	    .recursive = o->recursive,
	    .same_fs = !o->cross_fs,
	    .follow_dirs = o->follow_dirs,
	    .follow_files = o->follow_files,
	    .visit = visit,
	    .ctx = s,
	};
	TRY(match_path_init(&s->walk.match, &o->match, bad));
	return quarantine_init(&s->quarantine, session_action(o), o->move ? o->move : o->copy, &s->e);
}

void session_done(struct session *s)
{
	progress_done(&s->progress);
	run_free(s->run);
	pool_free(s->pool);
	match_path_done(&s->walk.match);
	quarantine_done(&s->quarantine);
}

/* ".Win.Packed." from a list of categories; "" from none. */
static st_t join_categories(const struct str_list *l, char *ret, size_t cap, struct err *e)
{
	size_t n = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		int k = snprintf(ret + n, cap - n, "%s%s.", i ? "" : ".", l->v[i]);
		if (k < 0 || (size_t)k >= cap - n)
			return fail(e, ST_LIMIT, 0, "too many categories of unwanted applications");
		n += (size_t)k;
	}
	return ST_OK;
}

static st_t start(struct session *s, int db_fd)
{
	const struct session_opts *o = s->o;
	struct pool_opts po = {
	    .db_fd = db_fd,
	    .jobs = o->jobs,
	    .regex_jit = o->regex_jit,
	    .replace = o->replace,
	    .replace_ctx = o->replace_ctx,
	    .scan =
	        {
	            .limits = o->limits,
	            .all_matches = o->all_matches,
	            .archives = !o->no_archives,
	            .detect_pua = o->pua,
	            .pua_exclude = o->pua_exclude.n > 0,
	            .heuristics_first = o->heuristics_first,
	            .no_pe = o->no_pe,
	            .no_normalize = o->no_normalize,
	            .no_html = o->no_html,
	            .no_image_hash = o->no_image_hash,
	            .cpumask = o->cpumask,
	            .stripe_count = 1,
	        },
	};
	const struct str_list *categories = o->pua_exclude.n ? &o->pua_exclude : &o->pua_include;
	TRY(join_categories(categories, po.scan.pua_categories, sizeof po.scan.pua_categories, &s->e));
	TRY(pool_new(&po, &s->pool, &s->e));
	struct run_opts ro = {
	    .pool = s->pool,
	    .keep_files = s->quarantine.action != ACTION_NONE,
	    .show = show,
	    .tick = tick,
	    .ctx = s,
	};
	s->started = true;
	return run_new(&ro, &s->run, &s->e);
}

/* Copies stdin into memory. One byte over the limit is kept, so that the worker sees that there was
 * more and says so. */
static st_t spool(uint64_t limit, int *ret_fd, uint64_t *ret_size, struct err *e)
{
	char step[SPOOL_STEP];
	AUTO_FD fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "stdin");
	uint64_t most = limit && limit < SPOOL_MAX ? limit + 1 : SPOOL_MAX, size = 0;
	while (size < most) {
		size_t want = most - size < sizeof step ? (size_t)(most - size) : sizeof step;
		ssize_t n = read(STDIN_FILENO, step, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "stdin");
		if (n == 0)
			break;
		TRY(io_write_all(fd, step, (size_t)n, e));
		size += (uint64_t)n;
	}
	*ret_fd = fd;
	*ret_size = size;
	fd = -1;
	return ST_OK;
}

static st_t scan_stdin(struct session *s)
{
	struct stat st;
	struct walk_entry en = {.kind = WALK_FILE, .path = "stdin", .fd = -1, .unnamed = true};
	bool regular = !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode) &&
	               lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
	if (regular) {
		en.size = (uint64_t)st.st_size;
		en.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (en.fd < 0)
			return fail_errno(&s->e, "stdin");
	} else {
		TRY(spool(s->o->limits.max_filesize, &en.fd, &en.size, &s->e));
	}
	return run_add(s->run, &en, &s->e);
}

static st_t scan_one(struct session *s, const char *path)
{
	return !strcmp(path, "-") ? scan_stdin(s) : walk_path(&s->walk, path, &s->e);
}

static st_t scan_list(struct session *s, FILE *list)
{
	int end = s->o->null_separated ? '\0' : '\n';
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	st_t st = ST_OK;
	while (st == ST_OK && (n = getdelim(&line, &cap, end, list)) > 0) {
		if (line[n - 1] == end)
			line[--n] = '\0';
		if (n > 0)
			st = scan_one(s, line);
	}
	if (st == ST_OK && ferror(list))
		st = fail_errno(&s->e, "%s", s->o->file_list);
	free(line);
	return st;
}

static st_t scan_listed(struct session *s)
{
	const char *name = s->o->file_list;
	bool from_stdin = !strcmp(name, "-");
	FILE *list = from_stdin ? stdin : fopen(name, "re");
	if (!list) {
		s->list_failed = true;
		return fail_errno(&s->e, "%s", name);
	}
	st_t st = scan_list(s, list);
	if (!from_stdin)
		fclose(list);
	return st;
}

st_t session_run(struct session *s, int db_fd, const struct str_list *paths, bool progress,
                 session_show_fn *show_fn, void *ctx)
{
	s->show = show_fn;
	s->show_ctx = ctx;
	TRY(start(s, db_fd));
	progress_init(&s->progress, progress, &s->walk, paths);
	if (s->o->file_list)
		TRY(scan_listed(s));
	for (size_t i = 0; !s->o->file_list && i < paths->n; i++)
		TRY(scan_one(s, paths->v[i]));
	return run_finish(s->run, &s->e);
}
