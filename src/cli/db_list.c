/* vitrine db list: names, and what stands under each. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"

static const char usage[] =
    "Usage: vitrine db list [--json] [--database FILE|DIR]... [PATTERN]\n"
    "\n"
    "Lists the names of signatures in order, each with what stands under it. PATTERN is a part of\n"
    "the name, or, with * (any text) or ? (any byte), the whole name; in any case of letters.\n"
    "Names are shown without the .UNOFFICIAL that clamscan puts behind them. Those that are known\n"
    "but not active follow.\n"
    "Exit code: 0 listed (also when no name fits), 2 an error.\n"
    "\n"
    "  -d, --database FILE|DIR  as for vitrine scan; default: what a scan uses\n"
    "      --json               one JSON object a line\n"
    "      --no-cache           compile text signatures anew\n"
    "\n"
    "Examples:\n"
    "  vitrine db list\n"
    "  vitrine db list -d rules.ndb 'Win.*'\n"
    "  vitrine db list -d all.vdb --json | jq -r 'select(.logical).name'\n";

static int list(const struct db_ask *a, const char *pattern)
{
	enum inspect_outcome outcome;
	AUTO_FD db = db_ask_open(a, &a->databases);
	struct inspect_request rq = {.op = INSPECT_LIST, .json = a->json, .text = pattern,
	                             .fd = {db, -1, -1}};
	return db >= 0 && db_ask(&rq, db_ask_about(a), &outcome) ? EXIT_CLEAN : EXIT_ERROR;
}

int cmd_db_list(int argc, char **argv)
{
	struct db_ask a = {0};
	struct str_list args = {0};
	int code;
	if (db_ask_read("db list", usage, argc, argv, 0, 1, &a, &args, &code))
		code = list(&a, args.n ? args.v[0] : "");
	db_ask_done(&a, &args);
	return code;
}
