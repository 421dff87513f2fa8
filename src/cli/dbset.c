#include "cli/dbset.h"

#include "base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum extension_kind { EXT_UNKNOWN, EXT_TEXT, EXT_PUA, EXT_CONTAINER, EXT_IGNORED, EXT_COMPILED };

static const struct {
	const char *ext;
	enum extension_kind kind;
} extensions[] = {
    {"cat", EXT_IGNORED},   {"cbc", EXT_TEXT},      {"cdb", EXT_TEXT},      {"cfg", EXT_TEXT},
    {"cld", EXT_CONTAINER}, {"crb", EXT_TEXT},      {"cud", EXT_CONTAINER}, {"cvd", EXT_CONTAINER},
    {"db", EXT_TEXT},       {"fp", EXT_TEXT},       {"ftm", EXT_TEXT},      {"gdb", EXT_TEXT},
    {"hdb", EXT_TEXT},      {"hdu", EXT_PUA},       {"hsb", EXT_TEXT},      {"hsu", EXT_PUA},
    {"idb", EXT_TEXT},      {"ign", EXT_TEXT},      {"ign2", EXT_TEXT},     {"imp", EXT_TEXT},
    {"info", EXT_IGNORED},  {"ioc", EXT_IGNORED},   {"ldb", EXT_TEXT},      {"ldu", EXT_PUA},
    {"mdb", EXT_TEXT},      {"mdu", EXT_PUA},       {"msb", EXT_TEXT},      {"msu", EXT_PUA},
    {"ndb", EXT_TEXT},      {"ndu", EXT_PUA},       {"pdb", EXT_TEXT},      {"pwdb", EXT_TEXT},
    {"rmd", EXT_TEXT},      {"sdb", EXT_TEXT},      {"sfp", EXT_TEXT},      {"vdb", EXT_COMPILED},
    {"wdb", EXT_TEXT},      {"yar", EXT_TEXT},      {"yara", EXT_TEXT},     {"zmd", EXT_TEXT},
};

static enum extension_kind kind_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	if (!dot)
		return EXT_UNKNOWN;
	for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
		if (!strcasecmp(dot + 1, extensions[i].ext))
			return extensions[i].kind;
	}
	return EXT_UNKNOWN;
}

void db_set_init(struct db_set *s)
{
	*s = (struct db_set){.vdb = -1};
}

void db_set_done(struct db_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		fd_closep(&s->v[i].fd);
		free(s->v[i].path);
	}
	free(s->v);
	free(s->vdb_path);
	fd_closep(&s->vdb);
	db_set_init(s);
}

static st_t add_source(struct db_set *s, char *path, int fd, const struct stat *stat, bool from_dir,
                       struct err *e)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		struct db_source *v = reallocarray(s->v, cap, sizeof *v);
		if (!v) {
			close(fd);
			free(path);
			return fail(e, ST_NOMEM, 0, "databases: out of memory");
		}
		s->v = v;
		s->cap = cap;
	}
	const char *slash = strrchr(path, '/');
	s->v[s->n++] = (struct db_source){
	    .path = path,
	    .name = slash ? slash + 1 : path,
	    .from_dir = from_dir,
	    .fd = fd,
	    .stat = *stat,
	};
	return ST_OK;
}

/* Opens a signature file; O_NONBLOCK so that a fifo in its place does not stop us. */
static st_t add_file(struct db_set *s, int dir, const char *name, const char *path, bool from_dir,
                     struct err *e)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	char *copy = strdup(path);
	if (!copy || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		free(copy);
		return copy ? fail(e, ST_UNSUPPORTED, 0, "%s: not a regular file", path)
		            : fail(e, ST_NOMEM, 0, "databases: out of memory");
	}
	return add_source(s, copy, fd, &st, from_dir, e);
}

static st_t add_compiled(struct db_set *s, const char *path, struct err *e)
{
	if (s->vdb >= 0)
		return fail(e, ST_UNSUPPORTED, 0, "only one compiled database can be used: %s", path);
	s->vdb_path = strdup(path);
	s->vdb = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->vdb < 0)
		return fail_errno(e, "%s", path);
	return s->vdb_path ? ST_OK : fail(e, ST_NOMEM, 0, "databases: out of memory");
}

/* True if the file is for the compiler; tells about what is left out. */
static bool wanted(const struct db_set_opts *o, enum extension_kind kind, const char *path)
{
	if (kind == EXT_CONTAINER && o->container)
		o->container(path);
	if (kind == EXT_PUA)
		return o->pua && !o->official_only;
	return kind == EXT_TEXT && !o->official_only;
}

static int visible(const struct dirent *de)
{
	return kind_of(de->d_name) != EXT_UNKNOWN;
}

static st_t add_dir(struct db_set *s, const char *path, const struct db_set_opts *o,
                    enum db_problem *ret_problem, struct err *e)
{
	struct dirent **names = NULL;
	AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = dir < 0 ? -1 : scandirat(dir, ".", &names, visible, alphasort);
	if (n < 0)
		return fail_errno(e, "%s", path);
	st_t st = ST_OK;
	size_t before = s->n;
	for (int i = 0; i < n; i++) {
		char full[PATH_MAX];
		snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
		if (st == ST_OK && wanted(o, kind_of(full), full))
			st = add_file(s, dir, names[i]->d_name, full, true, e);
		free(names[i]);
	}
	free(names);
	if (st == ST_OK && s->n == before)
		*ret_problem = DB_NONE_HERE;
	return st;
}

st_t db_set_add(struct db_set *s, const char *path, const struct db_set_opts *opts,
                enum db_problem *ret_problem, struct err *e)
{
	struct stat st;
	*ret_problem = DB_OTHER;
	if (stat(path, &st)) {
		*ret_problem = DB_MISSING;
		return fail_errno(e, "%s", path);
	}
	*ret_problem = DB_FINE;
	if (S_ISDIR(st.st_mode))
		return add_dir(s, path, opts, ret_problem, e);
	enum extension_kind kind = kind_of(path);
	st_t rc = ST_OK;
	if (kind == EXT_UNKNOWN && !opts->unknown)
		rc = fail(e, ST_UNSUPPORTED, 0, "%s: not a signature file (unknown extension)", path);
	else if (kind == EXT_UNKNOWN)
		opts->unknown(path);
	else if (kind == EXT_COMPILED)
		rc = add_compiled(s, path, e);
	else if (wanted(opts, kind, path))
		rc = add_file(s, AT_FDCWD, path, path, false, e);
	*ret_problem = rc == ST_OK ? DB_FINE : DB_OTHER;
	return rc;
}

bool db_dir_has_any(const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, visible, NULL);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n > 0;
}
