#include "update/chain_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char again_later[] = "nothing was changed; try again later, or use another mirror";
static const char ask_publisher[] =
    "nothing was changed; if other mirrors say the same, ask the publisher";

/* What is checked in which order, and what to do, in general, where it does not hold. */
static const struct {
	enum chain_link link;
	st_t (*check)(struct chain *c, struct err *e);
	const char *advice;
} links[] = {
    {CHAIN_CLOCK, chain_check_clock, "set the clock of this machine"},
    {CHAIN_ROOT, chain_check_root, ask_publisher},
    {CHAIN_TIMESTAMP, chain_check_timestamp, again_later},
    {CHAIN_SNAPSHOT, chain_check_snapshot, again_later},
    {CHAIN_TARGETS, chain_check_targets, again_later},
    {CHAIN_STATEMENT, chain_check_statement, ask_publisher},
    {CHAIN_LOG, chain_check_log, ask_publisher},
    {CHAIN_WITNESSES, chain_check_witnesses, ask_publisher},
    {CHAIN_FRESHNESS, chain_check_freshness, again_later},
    {CHAIN_HISTORY, chain_check_history, again_later},
    {CHAIN_REBUILDERS, chain_check_rebuilders, ask_publisher},
    {CHAIN_FILES, chain_check_files, again_later},
};

#define LINKS (sizeof links / sizeof links[0])

static void tell(const struct chain *c, enum chain_link link, st_t why, const char *text,
                 const char *advice)
{
	struct chain_event ev = {.link = link, .outcome = c->outcome, .why = why};
	if (!c->rq->event)
		return;
	if (why == ST_OK)
		snprintf(ev.text, sizeof ev.text, "%s", text);
	else
		snprintf(ev.text, sizeof ev.text, "%s: %s", text[0] ? text : st_name(why), advice);
	c->rq->event(c->rq->ctx, &ev);
}

/* What the last link does not end before: that this was accepted is remembered. */
static st_t remember(struct chain *c, struct err *e)
{
	TRY(chain_store_views(c, e));
	return chain_store_release(c, e);
}

/* What was refused, as it came: evidence too. That it could not be kept does not change that it was
 * refused. */
static void keep_refused(struct chain *c)
{
	char path[UPDATE_PATH_MAX + 16];
	snprintf(path, sizeof path, "refused/%s", c->came_path);
	st_t st = c->came.len ? chain_keep(c, path, rd_make(c->came.data, c->came.len), NULL) : ST_OK;
	(void)st;
}

static st_t check_link(struct chain *c, size_t i, struct err *e)
{
	struct err why = {0};
	c->outcome = CHAIN_PASSED;
	c->said[0] = 0;
	c->advice = NULL;
	c->came.len = 0;
	st_t st = links[i].check(c, &why);
	if (st == ST_OK && i + 1 == LINKS)
		st = remember(c, &why);
	if (st == ST_OK) {
		tell(c, links[i].link, ST_OK, c->said, NULL);
		return ST_OK;
	}
	c->outcome = CHAIN_REFUSED;
	if (st > ST_OK)
		keep_refused(c);
	tell(c, links[i].link, st, why.text, c->advice ? c->advice : links[i].advice);
	return fail(e, st, why.off, "%s: %.220s", chain_link_name(links[i].link),
	            why.text[0] ? why.text : st_name(st));
}

static st_t check_links(struct chain *c, struct err *e)
{
	for (size_t i = 0; i < LINKS; i++)
		TRY(check_link(c, i, e));
	return ST_OK;
}

static void small_done(struct chain_small *s)
{
	if (s->listed)
		tuf_target_done(&s->target);
}

static void chain_done(struct chain *c)
{
	for (size_t i = 0; i < c->nrebuilds; i++) {
		small_done(&c->rebuild[i]);
		small_done(&c->rebuild_proof[i]);
	}
	small_done(&c->release);
	small_done(&c->proof);
	tuf_target_done(&c->vdb);
	tuf_target_done(&c->source);
	for (size_t i = 0; i < POLICY_ITEMS_MAX; i++)
		buf_done(&c->view[i].note);
	buf_done(&c->envelope);
	buf_done(&c->proof_bytes);
	buf_done(&c->kept);
	buf_done(&c->came);
	tuf_client_done(&c->tuf);
	free(c);
}

st_t chain_check(const struct chain_request *rq, struct chain_release *ret, struct err *e)
{
	struct chain *c = calloc(1, sizeof *c);
	if (!c)
		return fail(e, ST_NOMEM, 0, "update: out of memory");
	c->rq = rq;
	st_t st = check_links(c, e);
	*ret = c->r;
	chain_done(c);
	return st;
}

/* A clock that was set back would make what is old look fresh, and it forgets: whoever can set it
 * could show what expired. */
st_t chain_check_clock(struct chain *c, struct err *e)
{
	char now[CHAIN_TIME_MAX], seen[CHAIN_TIME_MAX];
	int64_t tolerance = (int64_t)c->rq->policy->clock_tolerance;
	chain_time(c->rq->now, now);
	chain_time(c->rq->seen, seen);
	if (c->rq->now <= 0 || (c->rq->seen > tolerance && c->rq->now < c->rq->seen - tolerance))
		return fail(e, ST_CONFLICT, 0, "clock: it is %s here, and was %s before", now, seen);
	if (c->rq->seen)
		chain_say(c, "it is %s here, not before %s, which was seen", now, seen);
	else
		chain_say(c, "it is %s here; nothing was seen before", now);
	return ST_OK;
}

st_t chain_get(struct chain *c, const char *path, size_t max, struct buf *ret, struct err *e)
{
	size_t start = ret->len;
	c->came.len = 0;
	TRY(update_get(c->rq->source, path, max, ret, e));
	TRY(buf_check(ret, e, path));
	snprintf(c->came_path, sizeof c->came_path, "%s", path);
	buf_add(&c->came, ret->data + start, ret->len - start);
	return buf_check(&c->came, e, path);
}

st_t chain_keep(struct chain *c, const char *path, struct rd bytes, struct err *e)
{
	return c->rq->keep ? c->rq->keep(c->rq->ctx, path, bytes, e) : ST_OK;
}
