/* vitrine key: the subcommands that deal with private keys. They run as the user, read the user's
 * own files, and no secret is ever printed. */
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"new", cmd_key_new},
    {"import", cmd_key_import},
    {"show", cmd_key_show},
};

static const char usage[] =
    "Usage: vitrine key new --name NAME -o FILE   make a key of a log or a witness\n"
    "       vitrine key import -o FILE [FILE]     take over a key of Go's tools\n"
    "       vitrine key show FILE                 show the public half of a key\n"
    "\n"
    "'vitrine key COMMAND --help' explains each, with examples.\n";

int cmd_key(int argc, char **argv)
{
	const char *sub = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(sub, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	bool asked = !strcmp(sub, "--help") || !strcmp(sub, "-h");
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_CLEAN : EXIT_ERROR;
}
