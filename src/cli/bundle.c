/* vitrine bundle: updates for hosts without a network. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
    {"make", cmd_bundle_make},
};

static const char usage[] =
    "Usage: vitrine bundle make --policy FILE -o OUT [OPTIONS]   an update as one file\n"
    "\n"
    "'vitrine bundle make --help' explains it, with examples. 'vitrine update --bundle OUT'\n"
    "takes it on the host without a network, and checks all of it again.\n";

int cmd_bundle(int argc, char **argv)
{
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
