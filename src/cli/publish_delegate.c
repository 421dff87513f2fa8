/* vitrine publish delegate: a role of its own for some paths. */
#include "cli/cli.h"
#include "cli/publish_common.h"

static const struct opt options[] = {
	PUBLISH_LIST("paths", path),
	PUBLISH_LIST("signer", key),
	PUBLISH_COUNT("threshold", threshold),
	PUBLISH_BOOL("terminating", terminating),
	PUBLISH_TEXT("delegator", delegator),
	PUBLISH_OPT("key", 'k', OPT_LIST, add),
	PUBLISH_COMMON,
};

static const char usage[] =
	"Usage: vitrine publish delegate DIR NAME --paths P... --key K... [--threshold N]\n"
	"                                [--terminating] [--delegator ROLE] [--signer K]...\n"
	"                                [--online-key K] [--private DIR2] [--time T] [--json]\n"
	"                                [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Makes the role NAME, whose keys sign for the targets below the paths. The delegator (usual:\n"
	"targets) signs the delegation, NAME's keys sign its first, empty list.\n"
	"\n"
	"  --paths P        a pattern of paths: * and ? do not match a slash\n"
	"  --key K          of the new role, as in 'publish init'\n"
	"  --threshold N    how many of its keys must sign; usual: all\n"
	"  --terminating    what NAME does not list, no later role may\n"
	"  --signer K       private keys of the delegator, which sign the delegation\n"
	"\n"
	"Exit code: 0 published, 1 staged: signatures are missing, 2 an error.\n"
	"\n"
	"Example:\n"
	"  vitrine publish delegate /srv/av mail --paths 'mail/*' --key mail.pem --signer t.key\n";

static st_t delegate(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct publish_role_keys k = {0};
	TRY(publish_cmd_open(c, e));
	TRY(publish_keys_read(&c->add, &k, e));
	k.threshold = c->threshold ? c->threshold : k.n;
	const struct publish_delegation d = {
		.name = c->args.v[1], .delegator = c->delegator ? c->delegator : "targets",
		.paths = c->path.v, .npaths = c->path.n, .terminating = c->terminating, .keys = &k};
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	TRY(publish_ring_load_private(&c->ring, &c->add, &c->pass, e));
	TRY(publish_stage_delegation(c->repo, &d, e));
	return publish_cmd_finish(c, ret_code, e);
}

int cmd_publish_delegate(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish delegate", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 2, .max_args = 2, .run = delegate};
	return publish_main(&p, argc, argv);
}
