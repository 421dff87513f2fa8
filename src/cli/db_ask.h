/* What the subcommands that look into databases share: from arguments to a compiled database, a
 * question to the inspector, and its answer on stdout. */
#ifndef VITRINE_CLI_DB_ASK_H
#define VITRINE_CLI_DB_ASK_H

#include "cli/dbset.h"
#include "cli/opts.h"
#include "proc/broker/inspect.h"

struct db_ask {
	bool json, help, no_cache;
	struct str_list databases;
	const char *certs_dir;
};

/* The options of all of them: --json, --database, --no-cache, --cvdcertsdir, --help. */
extern const struct opt_table db_ask_options;

/* Reads the command line; false if there is nothing left to do: *ret_code is the exit code then.
 * `least` and `most` arguments are allowed. */
bool db_ask_read(const char *command, const char *usage, int argc, char **argv, size_t least,
                 size_t most, struct db_ask *ret, struct str_list *ret_args, int *ret_code);

/* A descriptor of the compiled form of the named databases (none: those that a scan uses), or -1
 * when it has been said why not. */
int db_ask_open(const struct db_ask *a, const struct str_list *named);

/* The same for one path. */
int db_ask_open_one(const struct db_ask *a, const char *path);

/* A file to be looked at by the inspector, "-" is stdin; -1 when it has been said why not. */
int db_ask_open_file(const char *path);

/* Asks and shows the answer. False when it has been said what went wrong, about `what` (or NULL).
 * With *ret INSPECT_NO_NAME nothing was shown on stdout, but said. */
bool db_ask(const struct inspect_request *rq, const char *what, enum inspect_outcome *ret);

/* The one database that was named, or NULL: then an error does not tell which one it is about. */
const char *db_ask_about(const struct db_ask *a);

void db_ask_done(struct db_ask *a, struct str_list *args);

/* Adds the named databases, or those that a scan uses when none is named (cli/scan.c), leaves out
 * older copies of containers and adds the certificates for .sign files. */
st_t scan_collect_databases(struct db_set *set, const struct str_list *named, bool pua,
                            bool official_only, const char *certs_dir, struct err *e);

#endif
