/* vitrine publish rotate: other keys for a role. */
#include "cli/cli.h"
#include "cli/publish_common.h"

#include <stdio.h>
#include <string.h>

static const struct opt options[] = {
	PUBLISH_LIST("add", add),
	PUBLISH_LIST("remove", remove),
	PUBLISH_COUNT("threshold", threshold),
	PUBLISH_KEYED,
};

static const char usage[] =
	"Usage: vitrine publish rotate DIR ROLE [--add K]... [--remove KEYID]... [--threshold N]\n"
	"                              [--key K]... [--online-key K]... [--private DIR2] [--time T]\n"
	"                              [--json] [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Gives a role other keys: root, targets, timestamp, snapshot, evidence or a delegated one; or\n"
	"says who signs statements of releases (publisher), which needs no signature. A\n"
	"new root is signed by the threshold of the old keys and by that of the new; new keys of a\n"
	"delegated role are signed by the role that delegates to it. What the new keys have not\n"
	"signed yet is staged for them.\n"
	"\n"
	"  --add K         a private key file, which then signs, or a public key as in 'publish init'\n"
	"  --remove KEYID  at least 8 digits of the key id ('vitrine key show'), or the key itself\n"
	"  --threshold N   how many must sign; usual: as before\n"
	"  --online-key K  if timestamp or snapshot get a new key: the one to use from now on. Give\n"
	"                  the old one with --key: signed by both, no reader falls between\n"
	"\n"
	"Exit code: 0 published, 1 staged: signatures are missing, 2 an error.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish rotate /srv/av targets --add carol.pem --remove 3f2a9c01 --key root.key\n"
	"  vitrine publish rotate /srv/av root --threshold 2 --add new.key --key old.key\n";

static bool is_removed(const struct attest_key *k, const char *what)
{
	char id[65];
	struct attest_key other;
	bool private;
	size_t n = strlen(what);
	if (publish_key_id(k, id, NULL) != ST_OK)
		return false;
	if (n >= 8 && n <= 64 && strncmp(id, what, n) == 0)
		return true;
	return publish_key_read(what, &other, &private, NULL) == ST_OK && attest_key_equal(k, &other);
}

static st_t remove_one(struct publish_role_keys *k, const char *what, struct err *e)
{
	size_t kept = 0;
	for (size_t i = 0; i < k->n; i++)
		if (!is_removed(&k->v[i].key, what))
			k->v[kept++] = k->v[i];
	if (kept == k->n)
		return fail(e, ST_NOT_FOUND, 0, "--remove %.80s: the role has no such key", what);
	if (kept + 1 < k->n)
		return fail(e, ST_CONFLICT, 0, "--remove %.80s: more than one key begins so", what);
	k->n = kept;
	return ST_OK;
}

/* Who signs statements: clients know them by their policies, the repository by its config. */
static st_t write_publishers(struct publish_cmd *c, const struct publish_role_keys *k,
                             int *ret_code, struct err *e)
{
	TRY(publish_publishers_write(c->repo, k, e));
	if (c->json)
		printf("{\"publishers\":%zu,\"threshold\":%llu}\n", k->n,
		       (unsigned long long)k->threshold);
	else
		printf("publisher  %llu of %zu keys\n", (unsigned long long)k->threshold, k->n);
	*ret_code = EXIT_CLEAN;
	return ST_OK;
}

static st_t rotate(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct publish_role_keys k;
	const char *role = c->args.v[1];
	bool publisher = strcmp(role, PUBLISH_PUBLISHER) == 0;
	if (!c->add.n && !c->remove.n && !c->threshold)
		return fail(e, ST_MALFORMED, 0, "nothing to change: --add, --remove or --threshold");
	TRY(publish_cmd_open(c, e));
	if (publisher)
		k = *publish_publishers(c->repo);
	else
		TRY(publish_role_keys(c->repo, role, &k, e));
	for (size_t i = 0; i < c->remove.n; i++)
		TRY(remove_one(&k, c->remove.v[i], e));
	TRY(publish_keys_read(&c->add, &k, e));
	k.threshold = c->threshold ? c->threshold : k.threshold ? k.threshold : k.n;
	if (publisher)
		return write_publishers(c, &k, ret_code, e);
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	TRY(publish_ring_load_private(&c->ring, &c->add, &c->pass, e));
	TRY(publish_stage_role(c->repo, role, &k, e));
	if (c->online.n)
		TRY(publish_online_write(c, &c->online, e));
	return publish_cmd_finish(c, ret_code, e);
}

int cmd_publish_rotate(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish rotate", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 2, .max_args = 2, .run = rotate};
	return publish_main(&p, argc, argv);
}
