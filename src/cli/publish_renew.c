/* vitrine publish renew: a role once more as it is, for a new expiry. */
#include "cli/cli.h"
#include "cli/publish_common.h"

static const struct opt options[] = {
	PUBLISH_KEYED,
};

static const char usage[] =
	"Usage: vitrine publish renew DIR ROLE [--key K]... [--online-key K] [--private DIR2]\n"
	"                             [--time T] [--json] [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Stages the file of a role that people sign (root, targets or a delegated one) as it is, with\n"
	"the next version and a new expiry, signs with the keys that are given, and publishes if that\n"
	"is enough; else says who must sign.\n"
	"\n"
	"Exit code: 0 published, 1 staged: signatures are missing, 2 an error.\n"
	"\n"
	"Example:\n"
	"  vitrine publish renew /srv/av root --key root.key\n";

static st_t renew(struct publish_cmd *c, int *ret_code, struct err *e)
{
	TRY(publish_cmd_open(c, e));
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	TRY(publish_stage_renew(c->repo, c->args.v[1], e));
	return publish_cmd_finish(c, ret_code, e);
}

int cmd_publish_renew(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish renew", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 2, .max_args = 2, .run = renew};
	return publish_main(&p, argc, argv);
}
