/* vitrine publish commit: takes back what was signed elsewhere, and publishes. */
#include "cli/cli.h"
#include "cli/publish_apart.h"
#include "cli/publish_common.h"

static const struct opt options[] = {
	PUBLISH_KEYED,
};

static const char usage[] =
	"Usage: vitrine publish commit DIR [FILE...] [--key K]... [--online-key K] [--private DIR2]\n"
	"                              [--time T] [--json]\n"
	"                              [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Takes over the signatures of files that 'vitrine publish sign' signed on other machines;\n"
	"what is signed in them must be, byte for byte, what is staged. With --key signs here, too.\n"
	"Once every threshold is met, a client looks at the new repository, and it is published.\n"
	"The online key is the one that 'publish init' was given, unless --online-key says another.\n"
	"\n"
	"Exit code: 0 published, 1 signatures are still missing, 2 an error, nothing published.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish commit /srv/av\n"
	"  vitrine publish commit /srv/av from-anna/targets.json from-bob/targets.json\n";

static st_t merge(struct publish_cmd *c, const char *path, struct err *e)
{
	struct buf said = {0};
	struct err why = {0};
	char role[TUF_ROLE_NAME_MAX + 1];
	TRY(publish_apart_signatures(path, &said, e));
	st_t st = publish_merge(c->repo, rd_make(said.data, said.len), role, &why);
	buf_done(&said);
	return st == ST_OK ? st : fail(e, st, why.off, "%.100s: %.150s", path, why.text);
}

static st_t commit(struct publish_cmd *c, int *ret_code, struct err *e)
{
	TRY(publish_cmd_open(c, e));
	for (size_t i = 1; i < c->args.n; i++)
		TRY(merge(c, c->args.v[i], e));
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	return publish_cmd_finish(c, ret_code, e);
}

int cmd_publish_commit(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish commit", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1 + PUBLISH_STAGED_MAX * PUBLISH_KEYS_MAX, .run = commit};
	return publish_main(&p, argc, argv);
}
