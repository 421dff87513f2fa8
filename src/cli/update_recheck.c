/* A release that was accepted before, looked at again: the policy may ask for more by now, and the
 * repository may show a newer one, so that no chain of today speaks of it. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/update_compile.h"
#include "cli/update_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where the record was lost, the evidence was written then. */
static int64_t accepted_at(const struct update_release *v, int evidence_fd)
{
	struct stat sb;
	if (v->seen || fstat(evidence_fd, &sb) != 0)
		return v->seen;
	return (int64_t)sb.st_mtime;
}

/* Metadata expires and cosignatures grow old; what was proven then stays proven. */
st_t update_check_evidence(const struct home *h, int release, const struct verify_out *out,
                           struct chain_release *ret, struct err *e)
{
	struct verify_request rq;
	struct verify_cost cost;
	struct update_temp temp;
	AUTO_FD bundle = -1;
	TRY(home_open_file(h, release, "evidence.tar", &bundle, e));
	home_request(h, NULL, &rq);
	rq.bundle_fd = bundle;
	rq.spool_fd = -1;
	rq.evidence_only = true;
	rq.now = accepted_at(&h->state.v[release], bundle);
	rq.seen = 0;
	st_t st = update_temp_make(&temp, e);
	rq.tuf_fd = temp.fd;
	if (st == ST_OK)
		st = update_block_signals(&rq.stop_fd, e);
	if (st == ST_OK)
		st = broker_verify(&rq, out, ret, &cost, e);
	update_temp_remove(&temp);
	update_unblock_signals(&rq.stop_fd);
	return st;
}

/* What holds is not said: links of today's release may have been told already. */
static void on_event(void *ctx, const struct chain_event *ev)
{
	struct update_run *r = ctx;
	struct chain_event told = *ev;
	if (ev->outcome != CHAIN_REFUSED)
		return;
	snprintf(told.text, sizeof told.text, "%s, by today's policy: %.440s", r->again, ev->text);
	show_event(&r->show, &told);
}

static st_t on_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct update_run *r = ctx;
	return evidence_keep(&r->evidence, path, bytes, e);
}

static st_t refuse(struct update_run *r, enum chain_link link, st_t st, const struct err *e)
{
	if (st > ST_OK)
		show_link(&r->show, link, SHOW_REFUSED, st, e->text);
	return st;
}

static st_t check_source(struct update_run *r, int release, const struct chain_release *c,
                         struct err *e)
{
	struct chain_file f;
	AUTO_FD fd = -1;
	st_t st = home_open_file(&r->home, release, "source.tar", &fd, NULL);
	if (st == ST_NOT_FOUND)
		return fail(e, st, 0, "%s was accepted when the policy did not ask for compiling it here, "
		            "so its rule text was not kept: use 'compile attested', or wait for a newer "
		            "release", r->again);
	if (st != ST_OK)
		return fail(e, st, 0, "%s: its rule text cannot be opened", r->again);
	TRY(update_hash(fd, &f, e));
	if (memcmp(f.sha256, c->source.sha256, sizeof f.sha256))
		return fail(e, ST_BAD_SUM, 0, "%s: source.tar on the disk is not what was accepted",
		            r->again);
	return update_compile(c, fd, e);
}

/* Refusals of the evidence were told as links. */
static st_t check_again(struct update_run *r, int release, struct err *e)
{
	const struct update_release *v = &r->home.state.v[release];
	struct verify_out out = {.event = on_event, .keep = on_keep, .ctx = r};
	struct chain_release c;
	TRY(update_check_evidence(&r->home, release, &out, &c, e));
	if (c.version != v->version || memcmp(c.vdb.sha256, v->vdb_sha256, sizeof v->vdb_sha256))
		return refuse(r, CHAIN_STATEMENT,
		              fail(e, ST_CONFLICT, 0, "%s: its evidence is of another release", v->id), e);
	if (r->home.policy.compile != UPDATE_COMPILE_LOCAL)
		return ST_OK;
	return refuse(r, CHAIN_COMPILED, check_source(r, release, &c, e), e);
}

/* What is kept if it is refused is its own evidence. */
st_t update_check_again(struct update_run *r, int release, struct err *e)
{
	memcpy(r->again, r->home.state.v[release].id, sizeof r->again);
	evidence_done(&r->evidence);
	TRY(evidence_init(&r->evidence, e));
	return check_again(r, release, e);
}
