/* vitrine db: the subcommands that deal with databases. */
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
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
	const char *sub = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(sub, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	bool asked = !strcmp(sub, "--help") || !strcmp(sub, "-h");
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_CLEAN : EXIT_ERROR;
}
