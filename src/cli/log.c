/* vitrine log: the subcommands that deal with transparency logs. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
    {"init", cmd_log_init},
    {"add", cmd_log_add},
    {"serve", cmd_log_serve},
    {"check", cmd_log_check},
    {"verify", cmd_log_verify},
};

static const char usage[] =
    "Usage: vitrine log init DIR --key KEYFILE                    make an empty log\n"
    "       vitrine log add DIR FILE...                           add files as entries\n"
    "       vitrine log serve DIR [--listen ADDRESS:PORT]         serve a log by HTTP\n"
    "       vitrine log check [--key VKEY|--policy FILE] DIR|URL  check a whole log\n"
    "       vitrine log verify --policy FILE PROOF ENTRY          check an offline proof\n"
    "\n"
    "'vitrine log COMMAND --help' explains each, with examples.\n";

int cmd_log(int argc, char **argv)
{
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
