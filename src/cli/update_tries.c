#include "cli/update_tries.h"

#include "base/io.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* All URLs together, each alone, and folders. */
#define PLAN_MAX (UPDATE_MIRRORS_MAX + 1)

struct turn {
	bool is_folder;
	uint32_t mirror; /* its line, 1 the first; 0: all URLs together */
};

struct plan {
	struct turn v[PLAN_MAX];
	size_t n;
	uint32_t first_url; /* line; 0: none */
};

/* What is told in the end. */
struct first {
	st_t st; /* ST_OK: none so far */
	struct err e;
	enum chain_link refused;
	char reason[sizeof((struct update_show *)NULL)->reason];
};

/* ---- who is asked ---- */

static st_t read_lines(const struct update_policy *p, bool is_folder[UPDATE_MIRRORS_MAX],
                       struct plan *ret, size_t *ret_urls, struct err *e)
{
	char folder[UPDATE_FOLDER_MAX];
	*ret_urls = 0;
	for (size_t i = 0; i < p->nrepositories; i++) {
		TRY(update_repository_folder(p->repository[i], folder, e));
		is_folder[i] = folder[0] != '\0';
		if (!is_folder[i] && (*ret_urls)++ == 0)
			ret->first_url = (uint32_t)i + 1;
	}
	return ST_OK;
}

/* Lines in their order; at the first URL all of them together, then, if there are several, each. */
static st_t make_plan(const struct update_policy *p, struct plan *ret, struct err *e)
{
	bool is_folder[UPDATE_MIRRORS_MAX];
	size_t urls;
	*ret = (struct plan){0};
	TRY(read_lines(p, is_folder, ret, &urls, e));
	for (uint32_t i = 1; i <= p->nrepositories; i++) {
		if (i == ret->first_url)
			ret->v[ret->n++] = (struct turn){.mirror = 0};
		if (is_folder[i - 1] || urls > 1)
			ret->v[ret->n++] = (struct turn){.is_folder = is_folder[i - 1], .mirror = i};
	}
	return ST_OK;
}

/* A URL alone is another question than all of them together only if these were refused, and by
 * the word of somebody else as well. */
static bool is_useless(const struct turn *t, st_t together, uint32_t heard)
{
	if (t->is_folder || t->mirror == 0)
		return false;
	return together < ST_OK || heard == 1u << (t->mirror - 1);
}

/* ---- one try ---- */

static st_t ask(const struct update_tries *t, const struct turn *turn, struct chain_release *ret,
                struct verify_cost *cost, struct err *e)
{
	struct verify_request rq = *t->rq;
	AUTO_FD folder = -1;
	t->show->refused = CHAIN_LINKS;
	t->show->reason[0] = '\0';
	if (turn->is_folder) {
		TRY(home_open_folder(t->home, turn->mirror, &folder, e));
		rq.folder_fd = folder;
	} else {
		rq.mirror = turn->mirror;
	}
	st_t st = broker_verify(&rq, t->out, ret, cost, e);
	bar_clear(&t->show->bar);
	return st;
}

static void add_cost(struct verify_cost *sum, const struct verify_cost *c)
{
	bool unknown = sum->sent == FETCHER_SENT_UNKNOWN || c->sent == FETCHER_SENT_UNKNOWN;
	sum->bytes += c->bytes;
	sum->requests += c->requests;
	sum->cpu_us += c->cpu_us;
	sum->fetch_cpu_us += c->fetch_cpu_us;
	sum->sent = unknown ? FETCHER_SENT_UNKNOWN : sum->sent + c->sent;
	if (c->peak_kb > sum->peak_kb)
		sum->peak_kb = c->peak_kb;
}

static void remember(struct first *f, const struct update_show *s, st_t st, const struct err *e)
{
	if (f->st > ST_OK || (f->st < ST_OK && st < ST_OK))
		return;
	f->st = st;
	f->e = *e;
	f->refused = s->refused;
	memcpy(f->reason, s->reason, sizeof f->reason);
}

/* No mirror can mend our clock, or take back a signal. */
static bool is_final(const struct update_show *s, st_t st)
{
	return s->refused == CHAIN_CLOCK || (st == ST_TIMEOUT && s->refused == CHAIN_LINKS);
}

static const char *name_mirror(const struct update_tries *t, const struct plan *p,
                               const struct turn *turn, const struct verify_cost *c)
{
	uint32_t line = turn->mirror ? turn->mirror : c->mirror ? c->mirror : p->first_url;
	/* What the verifier says is in range of a policy's lines, not of this one's. */
	if (line == 0 || line > t->home->policy.nrepositories)
		line = p->first_url;
	return t->home->policy.repository[line - 1];
}

/* ---- all of them ---- */

static size_t find_next(const struct plan *p, size_t from, st_t together, uint32_t heard)
{
	while (from < p->n && is_useless(&p->v[from], together, heard))
		from++;
	return from;
}

static void warn(const struct update_show *s, const char *mirror, st_t st, const char *why,
                 bool next)
{
	const char *then = next ? "the next one is asked" : "there is no other one to ask";
	if (st < ST_OK)
		say("warning: mirror %s: it could not be checked (%s); %s", mirror, why, then);
	else if (s->refused == CHAIN_LINKS)
		say("warning: mirror %s: refused; %s", mirror, then);
	else
		say("warning: mirror %s: refused at the link '%s'; %s", mirror,
		    chain_link_name(s->refused), then);
}

static st_t tell_failed(const struct update_tries *t, const char *mirror, st_t st,
                        const struct err *why, bool next, struct err *e)
{
	const char *text = t->show->reason[0] ? t->show->reason : why->text;
	if (t->show->refused == CHAIN_LINKS && st > ST_OK)
		show_reason(t->show, why->text[0] ? why->text : st_name(st));
	show_mirror(t->show, mirror, st, text);
	warn(t->show, mirror, st, why->text[0] ? why->text : st_name(st), next);
	return t->failed ? t->failed(t->ctx, mirror, st, e) : ST_OK;
}

static st_t go(const struct update_tries *t, const struct plan *p, struct chain_release *ret,
               struct verify_cost *sum, struct err *e)
{
	struct first first = {.refused = CHAIN_LINKS};
	st_t together = ST_OK;
	uint32_t heard = 0;
	for (size_t i = 0; i < p->n;) {
		const struct turn *turn = &p->v[i];
		struct err why = {0};
		struct verify_cost c = {0};
		st_t st = ask(t, turn, ret, &c, &why);
		add_cost(sum, &c);
		if (st == ST_OK)
			return ST_OK;
		if (is_final(t->show, st))
			return fail(e, st, why.off, "%s", why.text);
		if (!turn->is_folder && turn->mirror == 0) {
			together = st;
			heard = c.mirrors;
		}
		i = find_next(p, i + 1, together, heard);
		TRY(tell_failed(t, name_mirror(t, p, turn, &c), st, &why, i < p->n, e));
		remember(&first, t->show, st, &why);
	}
	t->show->refused = first.refused;
	memcpy(t->show->reason, first.reason, sizeof first.reason);
	return fail(e, first.st, first.e.off, "%s", first.e.text);
}

static st_t ask_only(const struct update_tries *t, struct chain_release *ret,
                     struct verify_cost *ret_cost, struct err *e)
{
	st_t st = broker_verify(t->rq, t->out, ret, ret_cost, e);
	bar_clear(&t->show->bar);
	return st;
}

st_t update_try_all(const struct update_tries *t, struct chain_release *ret,
                    struct verify_cost *ret_cost, struct err *e)
{
	struct plan plan;
	bool given = t->rq->bundle_fd >= 0 || t->rq->folder_fd >= 0;
	*ret_cost = (struct verify_cost){0};
	if (given || t->home->policy.nrepositories < 2)
		return ask_only(t, ret, ret_cost, e);
	TRY(make_plan(&t->home->policy, &plan, e));
	return go(t, &plan, ret, ret_cost, e);
}
