/* vitrine db: the subcommands that deal with databases. */
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "Usage: vitrine db build -o OUT.vdb [--strict] SRC...   compile signatures\n"
    "       vitrine db info [--json] FILE                   show what is in a database\n"
    "\n"
    "'vitrine db build --help' and 'vitrine db info --help' explain them.\n";

int cmd_db(int argc, char **argv)
{
	const char *sub = argc > 1 ? argv[1] : "";
	if (!strcmp(sub, "build"))
		return cmd_db_build(argc - 1, argv + 1);
	if (!strcmp(sub, "info"))
		return cmd_db_info(argc - 1, argv + 1);
	bool asked = !strcmp(sub, "--help") || !strcmp(sub, "-h");
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_CLEAN : EXIT_ERROR;
}
