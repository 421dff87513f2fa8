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
	bool official_only; /* only signed containers, which this version cannot read */
	void (*container)(const char *path); /* a .cvd, .cld or .cud was left out */
	void (*unknown)(const char *path);   /* an argument with an unknown extension was left out;
	                                      * NULL: such an argument is refused */
};

void db_set_init(struct db_set *s);
void db_set_done(struct db_set *s);

/* Adds a file or all signature files of a folder (not of folders in it). */
st_t db_set_add(struct db_set *s, const char *path, const struct db_set_opts *opts,
                enum db_problem *ret_problem, struct err *e);

/* True if the folder holds at least one file that db_set_add() would take or report. */
bool db_dir_has_any(const char *path);

#endif
