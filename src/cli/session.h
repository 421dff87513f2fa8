/* One scan from arguments to results, as `vitrine scan` and the clamscan look-alike both do it.
 * They differ in options and wording; what is opened, in which order, and acted on is here. */
#ifndef VITRINE_CLI_SESSION_H
#define VITRINE_CLI_SESSION_H

#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/quarantine.h"
#include "cli/run.h"
#include "cli/walk.h"

struct session_opts {
	struct str_list databases;
	struct str_list pua_include, pua_exclude; /* categories; at most one list is not empty */
	struct match_path_opts match;
	struct scan_limits limits;
	uint32_t max_dir_recursion, jobs, cpumask;
	uint32_t follow_dirs, follow_files;
	bool recursive, cross_fs, all_matches, no_archives, pua;
	bool no_pe, no_normalize, no_html, no_image_hash;
	bool heuristics_first;
	bool regex_jit;
	bool null_separated;
	bool remove;
	const char *move, *copy, *file_list;
	int (*replace)(void *ctx, const char *what_happened); /* as in struct pool_opts */
	void *replace_ctx;
};
/* ClamAV's limits; everything else off. */
void session_opts_init(struct session_opts *o);
void session_opts_done(struct session_opts *o);

typedef st_t session_show_fn(void *ctx, struct run_item *item, struct err *e);

struct session {
	const struct session_opts *o;
	struct pool *pool;
	struct run *run;
	struct walk_opts walk;
	struct quarantine quarantine;
	struct progress progress;
	session_show_fn *show;
	void *show_ctx;
	struct err e;
	bool started; /* the workers took the database */
	bool list_failed; /* the file list could not be opened */
};

/* Opens the quarantine and compiles the patterns (see match_path_init() for `bad`). The session can
 * be ended by session_done() whatever this returns. */
st_t session_init(struct session *s, const struct session_opts *o,
                  bool (*bad)(const char *option, const char *pattern, const char *reason));

/* Starts the workers on the database behind db_fd (the caller closes it), then scans the paths, or
 * those that the file list names. "-" is stdin. show() gets everything in order. */
st_t session_run(struct session *s, int db_fd, const struct str_list *paths, bool progress,
                 session_show_fn *show, void *ctx);

void session_done(struct session *s);

/* The action that the options ask for. */
enum quarantine_action session_action(const struct session_opts *o);

#endif
