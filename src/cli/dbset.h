/* From --database arguments to the list of signature files, or the one compiled database. Opens
 * files and looks at their names; never reads them. */
#ifndef VITRINE_CLI_DBSET_H
#define VITRINE_CLI_DBSET_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct db_source {
	char *path;      /* as named, or folder/name */
	const char *name; /* last part of path */
	bool from_dir;
	bool container; /* .cvd, .cld, .cud */
	uint32_t role;  /* enum msg_source_role; .sign files stand behind their container */
	int fd;
	struct stat stat;
};

struct db_set {
	struct db_source *v;
	size_t n, cap;
	int vdb; /* a compiled database that was named; -1 */
	char *vdb_path;
};

enum db_problem {
	DB_FINE,
	DB_MISSING,   /* the argument cannot be looked at */
	DB_NONE_HERE, /* a folder without signature files */
	DB_OTHER,
};

struct db_set_opts {
	bool pua;           /* *u files count */
	bool official_only; /* of folders only .cvd and .cld; what is named itself counts as named */
	void (*unknown)(const char *path);   /* an argument with an unknown extension was left out;
	                                      * NULL: such an argument is refused */
};

void db_set_init(struct db_set *s);
void db_set_done(struct db_set *s);

/* Adds a file (also a source bundle, .tar) or all signature files of a folder (not of folders in
 * it). */
st_t db_set_add(struct db_set *s, const char *path, const struct db_set_opts *opts,
                enum db_problem *ret_problem, struct err *e);

/* Adds the certificates (.crt, .pem) of a folder if some container has a .sign. `dir` NULL:
 * $CVD_CERTS_DIR, else the place where ClamAV has them, which need not exist. */
st_t db_set_add_roots(struct db_set *s, const char *dir, struct err *e);

/* Removes source i, with its .sign files if it is a container. */
void db_set_remove(struct db_set *s, size_t i);

/* True if the name is that of a container. */
bool db_is_container(const char *path);

/* True if the folder holds at least one file that db_set_add() would take or report. */
bool db_dir_has_any(const char *path);

#endif
