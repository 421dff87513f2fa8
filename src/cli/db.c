/* vitrine db: the subcommands that deal with databases. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
    {"build", cmd_db_build},     {"list", cmd_db_list}, {"info", cmd_db_info},
    {"explain", cmd_db_explain}, {"diff", cmd_db_diff}, {"test", cmd_db_test},
};

static const char usage[] =
    "Usage: vitrine db build -o OUT.vdb [--strict] SRC...   compile signatures\n"
    "       vitrine db info FILE                            show what is in a database\n"
    "       vitrine db list [PATTERN]                       list the names of signatures\n"
    "       vitrine db explain NAME                         say in words what a signature does\n"
    "       vitrine db diff A B                             compare two databases\n"
    "       vitrine db test NAME FILE                       say why a signature is found, or not\n"
    "\n"
    "'vitrine db COMMAND --help' explains each, with examples.\n";

int cmd_db(int argc, char **argv)
{
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
