/* vitrine witness: the subcommand becomes vitrine-witness, which alone links what a server needs.
 */
#include "cli/cli.h"
#include "proc/broker/server.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: vitrine witness serve --key KEYFILE --config FILE --state DB   answer logs by HTTP\n"
	"\n"
	"'vitrine witness serve --help' explains it, with examples.\n";

int cmd_witness(int argc, char **argv)
{
	const char *sub = argc > 1 ? argv[1] : "";
	struct err e = {0};
	if (!strcmp(sub, "serve")) {
		say_error(&e, server_exec_as("vitrine-witness", argv + 1, &e));
		return EXIT_ERROR;
	}
	bool asked = !strcmp(sub, "--help") || !strcmp(sub, "-h");
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_CLEAN : EXIT_ERROR;
}
