/* vitrine db diff: what two databases hold differently. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"

static const char usage[] =
    "Usage: vitrine db diff [--json] A B\n"
    "\n"
    "Compares two databases (compiled, text, or folders of text) by what they find: names that\n"
    "are only in B (+), only in A (-), and those under which something else stands (~). What only\n"
    "the compiler chose, like anchors, is no difference. The last line counts.\n"
    "Exit code: 0 they hold the same, 1 they differ, 2 an error.\n"
    "\n"
    "      --json               one JSON object a line, a summary object at the end\n"
    "      --no-cache           compile text signatures anew\n"
    "\n"
    "Examples:\n"
    "  vitrine db diff yesterday.vdb today.vdb\n"
    "  vitrine db diff --json rules.ndb all.vdb | jq -r 'select(.change == \"added\").name'\n";

static int diff(const struct db_ask *a, const char *x, const char *y)
{
	enum inspect_outcome outcome;
	AUTO_FD one = db_ask_open_one(a, x);
	AUTO_FD two = one < 0 ? -1 : db_ask_open_one(a, y);
	struct inspect_request rq = {.op = INSPECT_DIFF, .json = a->json, .fd = {one, two, -1}};
	if (two < 0 || !db_ask(&rq, NULL, &outcome))
		return EXIT_ERROR;
	return outcome == INSPECT_DONE ? EXIT_CLEAN : EXIT_FOUND;
}

int cmd_db_diff(int argc, char **argv)
{
	struct db_ask a = {0};
	struct str_list args = {0};
	int code;
	if (db_ask_read("db diff", usage, argc, argv, 2, 2, &a, &args, &code))
		code = diff(&a, args.v[0], args.v[1]);
	db_ask_done(&a, &args);
	return code;
}
