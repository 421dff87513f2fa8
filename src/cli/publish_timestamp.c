/* vitrine publish timestamp: keeps a repository fresh, for a timer. */
#include "cli/cli.h"
#include "cli/publish_common.h"

static const struct opt options[] = {
	PUBLISH_LIST("online-key", online),
	PUBLISH_ALL,
};

static const char usage[] =
	"Usage: vitrine publish timestamp DIR [--online-key K] [--private DIR2] [--time T] [--json]\n"
	"                                 [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Publishes a new timestamp, and snapshot and evidence once half of their life is over: what\n"
	"the online key signs alone. What is staged stays staged. Run it from a timer, some times in\n"
	"the life of a timestamp. It says when root or targets, which people sign, are about to\n"
	"expire.\n"
	"\n"
	"Exit code: 0 published, 2 an error, nothing published.\n"
	"\n"
	"Example:\n"
	"  vitrine publish timestamp /srv/av --passphrase-file \"$CREDENTIALS_DIRECTORY/online\"\n";

static st_t timestamp(struct publish_cmd *c, int *ret_code, struct err *e)
{
	TRY(publish_cmd_open(c, e));
	TRY(publish_cmd_load(c, &c->key, e));
	TRY(publish_online_load(c, e));
	TRY(publish_refresh(c->repo, c->signer, c->nsigners, c->now, e));
	*ret_code = EXIT_CLEAN;
	return publish_tell_published(c, e);
}

int cmd_publish_timestamp(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish timestamp", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1, .run = timestamp};
	return publish_main(&p, argc, argv);
}
