/* vitrine publish init: makes a repository. */
#include "cli/cli.h"
#include "cli/publish_common.h"

#include <string.h>

static const struct opt options[] = {
	PUBLISH_LIST("root-key", root_key),
	PUBLISH_COUNT("root-threshold", root_threshold),
	PUBLISH_LIST("targets-key", targets_key),
	PUBLISH_COUNT("targets-threshold", targets_threshold),
	PUBLISH_LIST("publisher-key", publisher_key),
	PUBLISH_COUNT("publisher-threshold", publisher_threshold),
	PUBLISH_LIST("expires", expires),
	PUBLISH_KEYED,
};

static const char usage[] =
	"Usage: vitrine publish init DIR --root-key K... [--root-threshold N]\n"
	"                            --targets-key K... [--targets-threshold N] --online-key K\n"
	"                            [--publisher-key K]... [--publisher-threshold N]\n"
	"                            [--expires ROLE=TIME]... [--private DIR2] [--time T] [--json]\n"
	"                            [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Makes a repository of updates (TUF). DIR has what is public and nothing else: any web server\n"
	"can serve it. What is staged, and the configuration, are in DIR.private (or DIR2).\n"
	"K is a private key file, which then signs, or the public key of somebody else: a vkey, or a\n"
	"file with one, or PEM. Where signatures are missing the command says who must sign which\n"
	"file; 'publish sign' does it on their machine, 'publish commit' takes it back.\n"
	"\n"
	"  --root-key K       of the people who decide about keys; so many of them as the threshold\n"
	"                     says (usual: all) sign\n"
	"  --targets-key K    of the people who sign releases\n"
	"  --online-key K     of the machine that publishes: timestamp, snapshot and evidence\n"
	"  --publisher-key K  of the people who sign statements of releases; a release is not logged\n"
	"                     unless so many of them as the threshold says (usual: all) signed it and\n"
	"                     nobody else did. Noted in DIR.private\n"
	"  --expires ROLE=T   how long metadata of root, targets, evidence, snapshot or timestamp is\n"
	"                     valid from its signing: 365d, 12h; or until when the first is, RFC 3339\n"
	"  --time T           instead of now, RFC 3339: for tests\n"
	"\n"
	"Exit code: 0 published, 1 staged: signatures are missing, 2 an error, nothing made.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish init /srv/av --root-key r.key --targets-key t.key --online-key o.key\n"
	"  vitrine publish init /srv/av --root-key a.pem --root-key b.pem --root-key c.pem \\\n"
	"      --root-threshold 2 --targets-key t.key --online-key o.key --expires timestamp=1d\n";

static int64_t *lifetime_of(struct publish_lifetimes *l, const char *role, size_t n)
{
	const struct {
		const char *name;
		int64_t *at;
	} all[] = {{"root", &l->root}, {"targets", &l->targets}, {"evidence", &l->evidence},
	           {"snapshot", &l->snapshot}, {"timestamp", &l->timestamp}};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strlen(all[i].name) == n && !strncmp(all[i].name, role, n))
			return all[i].at;
	return NULL;
}

/* For so long, or until a time that is after now. */
static bool lifetime(const char *s, int64_t now, int64_t *ret)
{
	int64_t t;
	if (!tuf_time(s, &t))
		return publish_duration(s, ret);
	*ret = t - now;
	return t > now;
}

static st_t read_lifetimes(const struct publish_cmd *c, struct publish_lifetimes *ret,
                           struct err *e)
{
	*ret = publish_lifetimes_default;
	for (size_t i = 0; i < c->expires.n; i++) {
		const char *s = c->expires.v[i], *is = strchr(s, '=');
		int64_t *at = is ? lifetime_of(ret, s, (size_t)(is - s)) : NULL;
		if (!at || !lifetime(is + 1, c->now, at))
			return fail(e, ST_MALFORMED, 0, "--expires %.60s: ROLE=TIME is needed, such as "
			            "root=365d or timestamp=12h; roles are root, targets, evidence, snapshot, "
			            "timestamp", s);
	}
	return ST_OK;
}

static st_t read_role(const struct str_list *where, uint32_t threshold,
                      struct publish_role_keys *ret, struct err *e)
{
	TRY(publish_keys_read(where, ret, e));
	ret->threshold = threshold ? threshold : ret->n;
	return ST_OK;
}

static st_t read_init(struct publish_cmd *c, struct publish_init *ret, struct err *e)
{
	if (!c->root_key.n || !c->targets_key.n || !c->online.n)
		return fail(e, ST_MALFORMED, 0, "--root-key, --targets-key and --online-key are needed, "
		            "each at least once; try 'vitrine publish init --help'");
	TRY(read_lifetimes(c, &ret->lifetimes, e));
	TRY(read_role(&c->root_key, c->root_threshold, &ret->role[TUF_ROOT], e));
	TRY(read_role(&c->targets_key, c->targets_threshold, &ret->role[TUF_TARGETS], e));
	TRY(read_role(&c->online, 1, &ret->role[TUF_TIMESTAMP], e));
	ret->role[TUF_SNAPSHOT] = ret->evidence = ret->role[TUF_TIMESTAMP];
	if (c->publisher_key.n)
		TRY(read_role(&c->publisher_key, c->publisher_threshold, &ret->publishers, e));
	return ST_OK;
}

static st_t init(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct publish_init in = {0};
	TRY(read_init(c, &in, e));
	TRY(publish_ring_load(&c->ring, &c->key, &c->pass, e));
	TRY(publish_ring_load_private(&c->ring, &c->root_key, &c->pass, e));
	TRY(publish_ring_load_private(&c->ring, &c->targets_key, &c->pass, e));
	TRY(publish_ring_load_private(&c->ring, &c->online, &c->pass, e));
	TRY(log_place_open(c->args.v[0], c->private_dir, true, &c->place, e));
	TRY(publish_repo_init(&log_io_system, c->place.dir_fd, c->place.private_fd, &in, c->now,
	                      &c->repo, e));
	TRY(publish_online_write(c, &c->online, e));
	c->online.n = 0; /* those of them that can sign are loaded */
	return publish_cmd_finish(c, ret_code, e);
}

int cmd_publish_init(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish init", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1, .run = init};
	return publish_main(&p, argc, argv);
}
