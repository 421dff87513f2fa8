/* vitrine publish prune: removes what no snapshot that is kept names. */
#include "cli/cli.h"
#include "cli/publish_common.h"
#include "publish/release.h"

#include <stdio.h>

#define AGE "1d" /* readers that began before the last snapshots have ended long ago */

static const struct opt options[] = {
	PUBLISH_COUNT("keep", keep),
	PUBLISH_TEXT("age", age),
	PUBLISH_BOOL("dry-run", dry),
	PUBLISH_TEXT("time", time),
	PUBLISH_TEXT("private", private_dir),
	PUBLISH_BOOL("json", json),
	PUBLISH_HELP,
};

static const char usage[] =
	"Usage: vitrine publish prune DIR [--keep N] [--age TIME] [--dry-run] [--private DIR2]\n"
	"                             [--time T] [--json]\n"
	"\n"
	"Removes metadata and targets that were published once and that no snapshot names which is\n"
	"kept. All roots stay, and so does what is staged, and main.vdb and source.tar of the last 7\n"
	"releases of each set: deltas are made from those. Needs no key.\n"
	"\n"
	"  --keep N    so many snapshots, the current one among them; usual: 10\n"
	"  --age TIME  and those that were the current one in this time; usual: " AGE "\n"
	"  --dry-run   only says how many files would go\n"
	"\n"
	"Exit code: 0 done, 2 an error: a file that is to be kept is damaged or missing (then nothing\n"
	"was removed), or one could not be removed.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish prune /srv/av --dry-run\n"
	"  vitrine publish prune /srv/av --keep 30 --age 14d\n";

static st_t prune(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct publish_prune o = {.keep = c->keep, .now = c->now, .dry = c->dry};
	size_t removed;
	if (!publish_duration(c->age ? c->age : AGE, &o.age))
		return fail(e, ST_MALFORMED, 0, "--age %.40s: not as in 12h or 2d", c->age);
	TRY(publish_cmd_open(c, e));
	TRY(publish_prune(c->repo, &o, &removed, e));
	if (c->json)
		printf("{\"removed\":%zu,\"dry_run\":%s}\n", removed, c->dry ? "true" : "false");
	else
		printf("%zu file%s %s\n", removed, removed == 1 ? "" : "s",
		       c->dry ? "would be removed" : "removed");
	*ret_code = EXIT_CLEAN;
	return ST_OK;
}

int cmd_publish_prune(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish prune", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1, .run = prune};
	return publish_main(&p, argc, argv);
}
