/* vitrine db explain: a signature in words. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"

static const char usage[] =
    "Usage: vitrine db explain [--json] [--database FILE|DIR]... NAME\n"
    "\n"
    "Says in words what the signatures called NAME look for: where, which bytes (in hex and as\n"
    "text), under which condition, and which of them the scanner looks for first (the anchor).\n"
    "NAME is taken as it is, with or without .UNOFFICIAL behind it. Of a signature that is\n"
    "known but not active it says what is known.\n"
    "Exit code: 0 shown, 2 no such name, or an error.\n"
    "\n"
    "  -d, --database FILE|DIR  as for vitrine scan; default: what a scan uses\n"
    "      --json               one JSON object\n"
    "      --no-cache           compile text signatures anew\n"
    "\n"
    "Examples:\n"
    "  vitrine db explain Vitrine.Test.EICAR-1\n"
    "  vitrine db explain -d rules.ldb --json My.Rule.UNOFFICIAL | jq .\n";

static int explain(const struct db_ask *a, const char *name)
{
	enum inspect_outcome outcome;
	AUTO_FD db = db_ask_open(a, &a->databases);
	struct inspect_request rq = {.op = INSPECT_EXPLAIN, .json = a->json, .text = name,
	                             .fd = {db, -1, -1}};
	if (db < 0 || !db_ask(&rq, db_ask_about(a), &outcome))
		return EXIT_ERROR;
	return outcome == INSPECT_DONE ? EXIT_CLEAN : EXIT_ERROR;
}

int cmd_db_explain(int argc, char **argv)
{
	struct db_ask a = {0};
	struct str_list args = {0};
	int code;
	if (db_ask_read("db explain", usage, argc, argv, 1, 1, &a, &args, &code))
		code = explain(&a, args.v[0]);
	db_ask_done(&a, &args);
	return code;
}
