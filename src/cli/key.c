/* vitrine key: the subcommands that deal with private keys. They run as the user, read the user's
 * own files, and no secret is ever printed. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
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
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
