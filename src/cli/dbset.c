#include "cli/dbset.h"

#include "base/io.h"
#include "proc/msg.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum extension_kind {
	EXT_UNKNOWN,
	EXT_TEXT,
	EXT_PUA,
	EXT_CONTAINER,
	EXT_UNSIGNED, /* container */
	EXT_IGNORED,
	EXT_COMPILED,
	EXT_BUNDLE,
};

/* Where ClamAV keeps the root certificates of its publishers. */
#define CERTS_DIR "/etc/clamav/certs"

/* .sign files given to the compiler with one container: the newest versions. */
#define SIGNS_MAX 64

static const struct {
	const char *ext;
	enum extension_kind kind;
} extensions[] = {
    {"cat", EXT_IGNORED},   {"cbc", EXT_TEXT},      {"cdb", EXT_TEXT},      {"cfg", EXT_TEXT},
    {"cld", EXT_CONTAINER}, {"crb", EXT_TEXT},      {"cud", EXT_UNSIGNED}, {"cvd", EXT_CONTAINER},
    {"db", EXT_TEXT},       {"fp", EXT_TEXT},       {"ftm", EXT_TEXT},      {"gdb", EXT_TEXT},
    {"hdb", EXT_TEXT},      {"hdu", EXT_PUA},       {"hsb", EXT_TEXT},      {"hsu", EXT_PUA},
    {"idb", EXT_TEXT},      {"ign", EXT_TEXT},      {"ign2", EXT_TEXT},     {"imp", EXT_TEXT},
    {"info", EXT_IGNORED},  {"ioc", EXT_IGNORED},   {"ldb", EXT_TEXT},      {"ldu", EXT_PUA},
    {"mdb", EXT_TEXT},      {"mdu", EXT_PUA},       {"msb", EXT_TEXT},      {"msu", EXT_PUA},
    {"ndb", EXT_TEXT},      {"ndu", EXT_PUA},       {"pdb", EXT_TEXT},      {"pwdb", EXT_TEXT},
    {"rmd", EXT_TEXT},      {"sdb", EXT_TEXT},      {"sfp", EXT_TEXT},      {"tar", EXT_BUNDLE},
    {"vdb", EXT_COMPILED},  {"wdb", EXT_TEXT},      {"yar", EXT_TEXT},      {"yara", EXT_TEXT},
    {"zmd", EXT_TEXT},
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

bool db_is_container(const char *path)
{
	enum extension_kind kind = kind_of(path);
	return kind == EXT_CONTAINER || kind == EXT_UNSIGNED;
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

/* True if the file is for the compiler. */
static bool wanted(const struct db_set_opts *o, enum extension_kind kind, bool from_dir)
{
	if (kind == EXT_CONTAINER)
		return true;
	if (kind == EXT_BUNDLE)
		return !from_dir;
	if (from_dir && o->official_only)
		return false;
	return kind == EXT_TEXT || kind == EXT_UNSIGNED || (kind == EXT_PUA && o->pua);
}

/* -- .sign files ------------------------------------------------------------------------------ */

/* True for "daily-27000.cvd.sign" if the container is "daily.cvd". */
static bool is_sign_of(const char *sign, const char *container)
{
	const char *dot = strrchr(container, '.');
	size_t base = (size_t)(dot - container);
	if (strncmp(sign, container, base) || sign[base] != '-')
		return false;
	const char *digits = sign + base + 1;
	const char *rest = digits + strspn(digits, "0123456789");
	size_t n = strlen(dot);
	return rest != digits && !strncmp(rest, dot, n) && !strcmp(rest + n, ".sign");
}

static bool join(char *ret, size_t cap, const char *folder, const char *name)
{
	size_t k = strlen(folder), n = strlen(name);
	if (k + n >= cap)
		return false;
	memcpy(ret, folder, k);
	memcpy(ret + k, name, n + 1);
	return true;
}

/* Highest version first. */
static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return versionsort(b, a);
}

static int is_sign(const struct dirent *de)
{
	const char *dot = strrchr(de->d_name, '.');
	return dot && !strcmp(dot, ".sign");
}

/* Adds those beside the container that was added last; `folder` ends with a slash or is "". */
static st_t add_signs(struct db_set *s, int dir, const char *folder, const char *container,
                      bool from_dir, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandirat(dir, ".", &names, is_sign, newest_first), taken = 0;
	st_t st = ST_OK;
	for (int i = 0; i < n; i++) {
		char full[PATH_MAX];
		bool take = st == ST_OK && taken < SIGNS_MAX && is_sign_of(names[i]->d_name, container);
		take &= join(full, sizeof full, folder, names[i]->d_name);
		if (take)
			st = add_file(s, dir, names[i]->d_name, full, from_dir, e);
		if (take && st == ST_OK) {
			s->v[s->n - 1].role = MSG_SOURCE_SIGN;
			taken++;
		}
		free(names[i]);
	}
	free(names);
	return st;
}

/* Adds a file for the compiler; a published container with what is signed about it. */
static st_t add_known(struct db_set *s, int dir, const char *name, const char *path, bool from_dir,
                      enum extension_kind kind, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) + 1 : 0;
	TRY(add_file(s, dir, name, path, from_dir, e));
	s->v[s->n - 1].container = db_is_container(name);
	if (kind != EXT_CONTAINER || snprintf(folder, sizeof folder, "%.*s", n, path) != n)
		return ST_OK;
	AUTO_FD beside = open(n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return beside < 0 ? ST_OK
	                  : add_signs(s, beside, folder, slash ? slash + 1 : path, from_dir, e);
}

/* A bundle has to be named: in a folder of signatures any archive may lie. */
static int visible(const struct dirent *de)
{
	enum extension_kind kind = kind_of(de->d_name);
	return kind != EXT_UNKNOWN && kind != EXT_BUNDLE;
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
		enum extension_kind kind = kind_of(full);
		if (st == ST_OK && wanted(o, kind, true))
			st = add_known(s, dir, names[i]->d_name, full, true, kind, e);
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
	else if (wanted(opts, kind, false))
		rc = add_known(s, AT_FDCWD, path, path, false, kind, e);
	*ret_problem = rc == ST_OK ? DB_FINE : DB_OTHER;
	return rc;
}

/* -- certificates ----------------------------------------------------------------------------- */

static int is_certificate(const struct dirent *de)
{
	const char *dot = strrchr(de->d_name, '.');
	return dot && (!strcmp(dot, ".crt") || !strcmp(dot, ".pem"));
}

static bool has_signs(const struct db_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].role == MSG_SOURCE_SIGN)
			return true;
	return false;
}

static st_t add_certificates(struct db_set *s, int dir, const char *path, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandirat(dir, ".", &names, is_certificate, alphasort);
	st_t st = n < 0 ? fail_errno(e, "%s", path) : ST_OK;
	for (int i = 0; i < n; i++) {
		char full[PATH_MAX];
		snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
		if (st == ST_OK)
			st = add_file(s, dir, names[i]->d_name, full, true, e);
		if (st == ST_OK)
			s->v[s->n - 1].role = MSG_SOURCE_ROOTS;
		free(names[i]);
	}
	free(names);
	return st == ST_OK && n == 0 ? fail(e, ST_UNSUPPORTED, 0, "%s: no certificates here", path)
	                             : st;
}

st_t db_set_add_roots(struct db_set *s, const char *dir, struct err *e)
{
	const char *named = dir ? dir : getenv("CVD_CERTS_DIR");
	if (!has_signs(s))
		return ST_OK;
	AUTO_FD fd = open(named ? named : CERTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return named ? fail_errno(e, "%s", named) : ST_OK;
	return add_certificates(s, fd, named ? named : CERTS_DIR, e);
}

void db_set_remove(struct db_set *s, size_t i)
{
	size_t n = 1;
	while (s->v[i].container && i + n < s->n && s->v[i + n].role == MSG_SOURCE_SIGN)
		n++;
	for (size_t k = i; k < i + n; k++) {
		fd_closep(&s->v[k].fd);
		free(s->v[k].path);
	}
	memmove(&s->v[i], &s->v[i + n], (s->n - i - n) * sizeof *s->v);
	s->n -= n;
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
