/* vitrine publish timestamp: keeps a repository fresh, for a timer. */
#include "cli/cli.h"
#include "cli/publish_finish.h"
#include "cli/text.h"
#include "update/names.h"

#include <stdio.h>
#include <string.h>

/* Half of the freshness that policies usually ask for: one run that fails harms nobody. */
#define PROOFS_AGE "24h"

static const struct opt options[] = {
	PUBLISH_TEXT("proofs-age", proofs_age),
	PUBLISH_LOGGED,
};

static const char usage[] =
	"Usage: vitrine publish timestamp DIR [--log LOGDIR] [--proofs-age TIME] [--online-key K]...\n"
	"                 [--log-key K] [--log-private DIR3] [--ca-file FILE] [--private DIR2]\n"
	"                 [--time T] [--quiet] [--json] [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Publishes a new timestamp, and snapshot and evidence once half of their life is over: what\n"
	"the online key signs alone. With --log, the proofs of all sets are made anew where they are\n"
	"older than --proofs-age: the log's witnesses cosign now. What is staged stays staged, be it\n"
	"a release or anything else that waits for signatures. So one timer, some times in the life\n"
	"of a timestamp, keeps a repository fresh. It says when root or targets, which people sign,\n"
	"are about to expire.\n"
	"\n"
	"  --proofs-age TIME  such as 12h; usual: " PROOFS_AGE ", half of the freshness of 48h that\n"
	"                     policies usually ask for\n"
	"\n"
	"Exit code: 0 published, 2 an error. If only log or witnesses fail, the timestamp is\n"
	"published all the same; it is an error.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish timestamp /srv/av --passphrase-file \"$CREDENTIALS_DIRECTORY/online\"\n"
	"  vitrine publish timestamp /srv/av --log /srv/log\n";

struct old_sets {
	struct publish_cmd *c;
	int64_t age;
	char name[PUBLISH_LOG_SETS_MAX][UPDATE_SET_MAX + 1];
	const char *v[PUBLISH_LOG_SETS_MAX];
	size_t n;
};

static st_t look(void *ctx, const char *set, struct err *e)
{
	struct old_sets *s = ctx;
	int64_t at;
	TRY(publish_proved(s->c->repo, set, &at, e));
	/* A note from the future is none: the clock was wrong then, or is now. */
	if (at <= s->c->now && s->c->now - at < s->age)
		return ST_OK;
	if (s->n == PUBLISH_LOG_SETS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d sets", PUBLISH_LOG_SETS_MAX);
	snprintf(s->name[s->n], sizeof s->name[0], "%s", set);
	s->v[s->n] = s->name[s->n];
	s->n++;
	return ST_OK;
}

static void tell(const struct publish_cmd *c, const struct old_sets *s,
                 const struct publish_renewed *r)
{
	for (size_t i = 0; i < s->n; i++) {
		if (c->json)
			printf("{\"proved\":\"%s\",\"verdicts\":%zu,\"index\":%llu}\n", s->v[i], r[i].verdicts,
			       (unsigned long long)r[i].index);
		else
			printf("proved     %s, %zu verdict%s\n", s->v[i], r[i].verdicts,
			       r[i].verdicts == 1 ? "" : "s");
	}
}

/* *ret: with the proofs a timestamp was published, too. */
static st_t renew_proofs(struct publish_cmd *c, bool *ret, struct err *e)
{
	static struct old_sets s;
	static struct publish_renewed r[PUBLISH_LOG_SETS_MAX];
	const struct str_list none = {0};
	s = (struct old_sets){.c = c};
	if (!publish_duration(c->proofs_age ? c->proofs_age : PROOFS_AGE, &s.age))
		return fail(e, ST_MALFORMED, 0, "--proofs-age %.40s: not as in 12h or 2d", c->proofs_age);
	TRY(publish_each_set(c->repo, look, &s, e));
	if (s.n == 0)
		return ST_OK;
	TRY(publish_evidence_renew(c, s.v, s.n, &none, r, e));
	*ret = true;
	tell(c, &s, r);
	return ST_OK;
}

static st_t timestamp(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct err log = {0};
	bool fresh = false;
	TRY(publish_cmd_open(c, e));
	TRY(publish_online_check(c, e));
	st_t proofs = c->log.dir ? renew_proofs(c, &fresh, &log) : ST_OK;
	if (!fresh) {
		TRY(publish_online_load(c, e));
		TRY(publish_refresh(c->repo, c->ring.signer, c->ring.n, c->now, e));
	}
	TRY(publish_tell_published(c, e));
	*ret_code = EXIT_CLEAN;
	if (proofs != ST_OK)
		return fail(e, proofs, log.off, "a new timestamp is published, but no new proofs: %s",
		            log.text);
	return ST_OK;
}

int cmd_publish_timestamp(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish timestamp", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 1, .max_args = 1, .run = timestamp};
	return publish_main(&p, argc, argv);
}
