/* vitrine publish: the subcommands of who publishes signatures. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
	{"release", cmd_publish_release},
	{"import", cmd_publish_import},
	{"evidence", cmd_publish_evidence},
};

static const char usage[] =
	"Usage: vitrine publish release DIR SRC... --set NAME --log LOGDIR ...   make a release\n"
	"       vitrine publish import DIR FILE.cvd... --set NAME --log LOGDIR ...  of containers\n"
	"       vitrine publish evidence DIR SET --log LOGDIR ...   fresh proofs, verdicts\n"
	"\n"
	"'vitrine publish COMMAND --help' explains each, with examples.\n";

int cmd_publish(int argc, char **argv)
{
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
