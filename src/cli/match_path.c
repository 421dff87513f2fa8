#include "cli/match_path.h"

#include <stdlib.h>

void match_path_opts_done(struct match_path_opts *o)
{
	str_list_done(&o->exclude);
	str_list_done(&o->include);
	str_list_done(&o->exclude_dir);
	str_list_done(&o->include_dir);
}

static st_t compile_list(struct regex_list *l, const struct str_list *patterns, const char *option,
                         bool (*bad)(const char *, const char *, const char *))
{
	if (!patterns->n)
		return ST_OK;
	l->v = calloc(patterns->n, sizeof *l->v);
	if (!l->v)
		return ST_NOMEM;
	for (size_t i = 0; i < patterns->n; i++) {
		int rc = regcomp(&l->v[l->n], patterns->v[i], REG_EXTENDED | REG_NOSUB);
		if (rc == 0) {
			l->n++;
			continue;
		}
		char reason[128];
		regerror(rc, NULL, reason, sizeof reason);
		if (!bad(option, patterns->v[i], reason))
			return ST_MALFORMED;
	}
	return ST_OK;
}

st_t match_path_init(struct match_path *m, const struct match_path_opts *opts,
                     bool (*bad)(const char *option, const char *pattern, const char *reason))
{
	*m = (struct match_path){0};
	TRY(compile_list(&m->exclude, &opts->exclude, "exclude", bad));
	TRY(compile_list(&m->include, &opts->include, "include", bad));
	TRY(compile_list(&m->exclude_dir, &opts->exclude_dir, "exclude-dir", bad));
	return compile_list(&m->include_dir, &opts->include_dir, "include-dir", bad);
}

static void list_done(struct regex_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		regfree(&l->v[i]);
	free(l->v);
	*l = (struct regex_list){0};
}

void match_path_done(struct match_path *m)
{
	list_done(&m->exclude);
	list_done(&m->include);
	list_done(&m->exclude_dir);
	list_done(&m->include_dir);
}

static bool any(const struct regex_list *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++) {
		if (regexec(&l->v[i], path, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

bool match_path_file(const struct match_path *m, const char *path)
{
	return !any(&m->exclude, path) && (!m->include.n || any(&m->include, path));
}

bool match_path_dir(const struct match_path *m, const char *path)
{
	return !any(&m->exclude_dir, path) && (!m->include_dir.n || any(&m->include_dir, path));
}
