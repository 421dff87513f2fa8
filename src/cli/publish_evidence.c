/* vitrine publish evidence: fresh proofs of a release that is published, and verdicts of rebuilders
 * about it. Needs the online key and the log's, and nobody's else. */
#include "attest/dsse.h"
#include "cli/cli.h"
#include "cli/publish_finish.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct opt options[] = {
	PUBLISH_LIST("rebuild", rebuild),
	PUBLISH_LOGGED,
};

static const char usage[] =
	"Usage: vitrine publish evidence DIR SET [--rebuild FILE.dsse]... --log LOGDIR\n"
	"                 [--online-key K]... [--log-key K] [--log-private DIR2] [--ca-file FILE]\n"
	"                 [--time T] [--private DIR2] [--quiet] [--json]\n"
	"                 [--passphrase-file FILE|--passphrase-fd N]\n"
	"\n"
	"Makes the proofs of the published release of SET anew, to a checkpoint that the witnesses\n"
	"cosign now, adds verdicts of rebuilders ('vitrine attest') that are not there yet, to the\n"
	"log too, and publishes. A verdict about another main.vdb is refused. The release and its\n"
	"signatures stay as they are, and what is staged stays staged. Prints how many verdicts\n"
	"there are.\n"
	"\n"
	"Exit code: 0 published, 2 an error.\n"
	"\n"
	"Examples:\n"
	"  vitrine publish evidence /srv/updates main --rebuild passed.dsse --log /srv/log \\\n"
	"    --online-key online.key\n";

/* -- entries ---------------------------------------------------------------------------------- */

struct entries {
	struct buf b[PUBLISH_LOG_ENTRIES_MAX];
	size_t n;
};

/* What is renewed together: an element of each for a set. */
struct renewal {
	struct entries entries[PUBLISH_LOG_SETS_MAX];
	struct publish_log_request rq[PUBLISH_LOG_SETS_MAX];
	struct publish_log_answer answer[PUBLISH_LOG_SETS_MAX];
	struct publish_evidence evidence[PUBLISH_LOG_SETS_MAX];
};

/* Takes the bytes over, unless they are there already. */
static void keep(struct entries *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->b[i].len == b->len && !memcmp(s->b[i].data, b->data, b->len)) {
			buf_done(b);
			return;
		}
	}
	s->b[s->n++] = *b;
}

/* The release and the verdicts that are published; `s` has room for all of them. */
static st_t read_published(struct publish_cmd *c, const char *set, struct entries *s,
                           struct err *e)
{
	s->n = 1;
	TRY(publish_set_read(c, set, "release.dsse", DSSE_SIZE_MAX, &s->b[0], e));
	for (unsigned k = 1; k <= PUBLISH_REBUILDS_MAX; k++) {
		char name[48];
		struct buf b = {0};
		struct err why = {0};
		snprintf(name, sizeof name, "evidence/rebuild-%u.dsse", k);
		st_t st = publish_set_read(c, set, name, DSSE_SIZE_MAX, &b, &why);
		if (st == ST_OK)
			keep(s, &b);
		else
			buf_done(&b);
		if (st == ST_NOT_FOUND)
			return ST_OK;
		TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
	}
	return ST_OK;
}

static st_t read_given(const struct str_list *paths, struct entries *s, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct buf b = {0};
		if (s->n == PUBLISH_LOG_ENTRIES_MAX)
			return fail(e, ST_LIMIT, 0, "%s: a release has at most %d verdicts", paths->v[i],
			            PUBLISH_REBUILDS_MAX);
		st_t st = log_read_file(AT_FDCWD, paths->v[i], DSSE_SIZE_MAX, &b, e);
		if (st != ST_OK) {
			buf_done(&b);
			return st;
		}
		keep(s, &b);
	}
	return ST_OK;
}

static st_t read_all(struct publish_cmd *c, const char *const *set, size_t n,
                     const struct str_list *rebuilds, struct renewal *w, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct entries *s = &w->entries[i];
		TRY(read_published(c, set[i], s, e));
		if (i == 0)
			TRY(read_given(rebuilds, s, e));
		w->rq[i].n = s->n;
		for (size_t k = 0; k < s->n; k++)
			w->rq[i].entry[k] = rd_make(s->b[k].data, s->b[k].len);
	}
	return ST_OK;
}

/* -- publishing ------------------------------------------------------------------------------- */

static struct rd proof_of(const struct publish_log_answer *a, size_t k)
{
	return rd_make(a->v[k].proof.data, a->v[k].proof.len);
}

static void take_answers(const char *const *set, size_t n, struct renewal *w,
                         struct publish_renewed *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct publish_evidence *v = &w->evidence[i];
		*v = (struct publish_evidence){.set = set[i], .release_proof = proof_of(&w->answer[i], 0)};
		for (size_t k = 1; k < w->rq[i].n; k++)
			v->rebuild[v->n++] = (struct publish_rebuild){w->rq[i].entry[k],
			                                              proof_of(&w->answer[i], k)};
		ret[i] = (struct publish_renewed){.verdicts = v->n, .index = w->answer[i].v[0].index};
	}
}

static st_t renew(struct publish_cmd *c, const char *const *set, size_t n,
                  const struct str_list *rebuilds, struct renewal *w, struct publish_renewed *ret,
                  struct err *e)
{
	TRY(read_all(c, set, n, rebuilds, w, e));
	TRY(publish_log_add(&c->log, w->rq, n, w->answer, e));
	take_answers(set, n, w, ret);
	TRY(publish_online_load(c, e));
	return publish_commit_evidence(c->repo, w->evidence, n, c->ring.signer, c->ring.n, c->now, e);
}

st_t publish_evidence_renew(struct publish_cmd *c, const char *const *set, size_t n,
                            const struct str_list *rebuilds, struct publish_renewed *ret,
                            struct err *e)
{
	struct renewal *w = n <= PUBLISH_LOG_SETS_MAX ? calloc(1, sizeof *w) : NULL;
	if (!w)
		return fail(e, n <= PUBLISH_LOG_SETS_MAX ? ST_NOMEM : ST_LIMIT, 0,
		            "evidence: %zu sets are too many for one run", n);
	st_t st = renew(c, set, n, rebuilds, w, ret, e);
	for (size_t i = 0; i < n; i++) {
		publish_log_answer_done(&w->answer[i]);
		for (size_t k = 0; k < w->entries[i].n; k++)
			buf_done(&w->entries[i].b[k]);
	}
	free(w);
	return st;
}

static st_t evidence(struct publish_cmd *c, int *ret_code, struct err *e)
{
	const char *set = c->args.v[1];
	struct publish_renewed r;
	if (!c->log.dir)
		return fail(e, ST_MALFORMED, 0, "a log (--log LOGDIR) is needed; try 'vitrine publish "
		            "evidence --help'");
	TRY(publish_cmd_open(c, e));
	TRY(publish_online_check(c, e));
	TRY(publish_evidence_renew(c, &set, 1, &c->rebuild, &r, e));
	if (c->json)
		printf("{\"set\":\"%s\",\"verdicts\":%zu,\"index\":%" PRIu64 "}\n", set, r.verdicts,
		       r.index);
	else
		printf("%s\t%zu verdict%s\nlog index\t%" PRIu64 "\n", set, r.verdicts,
		       r.verdicts == 1 ? "" : "s", r.index);
	*ret_code = EXIT_CLEAN;
	return ST_OK;
}

int cmd_publish_evidence(int argc, char **argv)
{
	static const struct publish_command p = {
		.name = "publish evidence", .usage = usage,
		.options = {options, sizeof options / sizeof options[0]},
		.min_args = 2, .max_args = 2, .run = evidence};
	return publish_main(&p, argc, argv);
}
