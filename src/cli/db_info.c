/* vitrine db info: what a database holds. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"

static const char usage[] =
    "Usage: vitrine db info [--json] [--cvdcertsdir DIR] FILE\n"
    "\n"
    "Checks a database (a compiled one; text and containers are compiled first) and shows its\n"
    "counters, what is recognised but not active in this version, the digest of its sources, the\n"
    "sizes of its sections, and the containers that it was made from: version, build, and by what\n"
    "their origin is proven.\n"
    "Exit code: 0 shown, 2 not a sound database.\n"
    "\n"
    "Examples:\n"
    "  vitrine db info all.vdb\n"
    "  vitrine db info --json all.vdb | jq .counters\n";

static int info(const struct db_ask *a, const char *path)
{
	enum inspect_outcome outcome;
	AUTO_FD db = db_ask_open_one(a, path);
	struct inspect_request rq = {.op = INSPECT_INFO, .json = a->json, .text = path,
	                             .fd = {db, -1, -1}};
	return db >= 0 && db_ask(&rq, path, &outcome) ? EXIT_CLEAN : EXIT_ERROR;
}

int cmd_db_info(int argc, char **argv)
{
	struct db_ask a = {0};
	struct str_list args = {0};
	int code;
	if (db_ask_read("db info", usage, argc, argv, 1, 1, &a, &args, &code))
		code = info(&a, args.v[0]);
	db_ask_done(&a, &args);
	return code;
}
