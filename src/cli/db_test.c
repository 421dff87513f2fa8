/* vitrine db test: why a signature is found in a file, or not. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/db_ask.h"

static const char usage[] =
    "Usage: vitrine db test [--json] [--database FILE|DIR]... NAME FILE\n"
    "\n"
    "Tries the signatures called NAME on FILE ('-': stdin) and says for each sub-signature where\n"
    "it matches or why it does not, then for each step of the condition whether it holds: in the\n"
    "file as it is, and in the views of text and HTML that signatures see. Not looked at is\n"
    "what is in it: members of archives have to be unpacked before.\n"
    "Other signatures, also those that make a file trusted, play no part.\n"
    "Exit code: 0 found, 1 not found, 2 no such name, or an error.\n"
    "\n"
    "  -d, --database FILE|DIR  as for vitrine scan; default: what a scan uses\n"
    "      --json               one JSON object\n"
    "      --no-cache           compile text signatures anew\n"
    "\n"
    "Examples:\n"
    "  vitrine db test -d my.ldb My.Rule sample.bin\n"
    "  unzip -p a.zip member | vitrine db test -d my.ldb My.Rule -\n";

static int test(const struct db_ask *a, const char *name, const char *path)
{
	enum inspect_outcome outcome;
	AUTO_FD file = db_ask_open_file(path);
	AUTO_FD db = file < 0 ? -1 : db_ask_open(a, &a->databases);
	struct inspect_request rq = {.op = INSPECT_TEST, .json = a->json, .text = name,
	                             .fd = {db, -1, file}};
	if (db < 0 || !db_ask(&rq, NULL, &outcome))
		return EXIT_ERROR;
	return outcome == INSPECT_DONE ? EXIT_CLEAN
	       : outcome == INSPECT_OTHER ? EXIT_FOUND
	                                  : EXIT_ERROR;
}

int cmd_db_test(int argc, char **argv)
{
	struct db_ask a = {0};
	struct str_list args = {0};
	int code;
	if (db_ask_read("db test", usage, argc, argv, 2, 2, &a, &args, &code))
		code = test(&a, args.v[0], args.v[1]);
	db_ask_done(&a, &args);
	return code;
}
