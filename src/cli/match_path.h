/* --exclude, --include, --exclude-dir, --include-dir: POSIX extended regular expressions, found
 * anywhere in the path as it is printed, as clamscan does. */
#ifndef VITRINE_CLI_MATCH_PATH_H
#define VITRINE_CLI_MATCH_PATH_H

#include "base/st.h"
#include "cli/opts.h"

#include <regex.h>

struct regex_list {
	regex_t *v;
	size_t n;
};

struct match_path {
	struct regex_list exclude, include, exclude_dir, include_dir;
};

struct match_path_opts {
	struct str_list exclude, include, exclude_dir, include_dir;
};
void match_path_opts_done(struct match_path_opts *o);

/* Compiles all patterns. A bad one is told to bad(option, pattern, reason); if that returns true it
 * is left out, else the result is ST_MALFORMED. */
st_t match_path_init(struct match_path *m, const struct match_path_opts *opts,
                     bool (*bad)(const char *option, const char *pattern, const char *reason));
void match_path_done(struct match_path *m);

bool match_path_file(const struct match_path *m, const char *path);
bool match_path_dir(const struct match_path *m, const char *path);

#endif
