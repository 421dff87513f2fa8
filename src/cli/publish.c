/* vitrine publish: the subcommands of who publishes signatures. */
#include "cli/cli.h"
#include "cli/sub.h"

static const struct sub commands[] = {
	{"init", cmd_publish_init},
	{"release", cmd_publish_release},
	{"import", cmd_publish_import},
	{"evidence", cmd_publish_evidence},
	{"sign", cmd_publish_sign},
	{"commit", cmd_publish_commit},
	{"timestamp", cmd_publish_timestamp},
	{"prune", cmd_publish_prune},
	{"renew", cmd_publish_renew},
	{"rotate", cmd_publish_rotate},
	{"delegate", cmd_publish_delegate},
};

static const char usage[] =
	"Usage: vitrine publish init DIR --root-key K... --targets-key K... --online-key K\n"
	"                                                   make a repository\n"
	"       vitrine publish release DIR SRC... --set NAME --log LOGDIR ...\n"
	"                                                   bundle, compile, state, log, publish\n"
	"       vitrine publish import DIR FILE.cvd... --set NAME --log LOGDIR ...\n"
	"                                                   the same out of signature containers\n"
	"       vitrine publish evidence DIR SET --log LOGDIR ...\n"
	"                                                   fresh proofs, verdicts of rebuilders\n"
	"       vitrine publish sign FILE --key K           add one signature, on any machine\n"
	"       vitrine publish commit DIR [FILE...]        take signed files back, and publish\n"
	"       vitrine publish timestamp DIR [--log LOGDIR]\n"
	"                                                   keep it fresh, from a timer\n"
	"       vitrine publish prune DIR                   remove what old snapshots named\n"
	"       vitrine publish renew DIR ROLE              stage a role anew before it expires\n"
	"       vitrine publish rotate DIR ROLE ...         other keys for a role\n"
	"       vitrine publish delegate DIR NAME ...       a new role for some paths\n"
	"\n"
	"'vitrine publish COMMAND --help' explains each, with examples.\n";

int cmd_publish(int argc, char **argv)
{
	static const struct sub_table table = {commands, sizeof commands / sizeof commands[0], usage};
	return sub_run(&table, argc, argv);
}
