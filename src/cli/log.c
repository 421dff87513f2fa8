/* vitrine log: the subcommands that deal with transparency logs. */
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"check", cmd_log_check},
};

static const char usage[] =
    "Usage: vitrine log check [--key VKEY|--policy FILE] DIR|URL   check a whole log\n"
    "\n"
    "'vitrine log COMMAND --help' explains each, with examples.\n";

int cmd_log(int argc, char **argv)
{
	const char *sub = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(sub, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	bool asked = !strcmp(sub, "--help") || !strcmp(sub, "-h");
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_CLEAN : EXIT_ERROR;
}
