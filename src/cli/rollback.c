/* vitrine rollback: back to a release that was active before, or to the one that is named. The one
 * that is left waits for the customer's word from then on. */
#include "base/num.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/update_run.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

static const char usage[] =
    "Usage: vitrine rollback [--policy FILE] [--state DIR] [ID]\n"
    "\n"
    "Makes the release active that was before, or the one of that ID, if it still passes the\n"
    "health check. The one that is left is held: no update activates it again until\n"
    "'vitrine update --approve ID'. Newer ones are activated as the policy says.\n"
    "Exit code: 0 done, 1 refused (the health check), 2 an error, or nothing to go back to.\n"
    "\n"
    "      --policy FILE    Default: " UPDATE_POLICY_DEFAULT "\n"
    "      --state DIR      Default: $VITRINE_STATE, else " UPDATE_STATE_DEFAULT "\n"
    "      --json           one JSON object for each link, and one at the end\n"
    "  -q, --quiet          only refusals and errors\n"
    "\n"
    "Examples:\n"
    "  vitrine rollback\n"
    "  vitrine rollback 41-9f86d081884c7d65\n";

struct options {
	bool help, json, quiet;
	const char *policy, *state;
};

#define AT(m) offsetof(struct options, m)
static const struct opt table[] = {
    {"help", 'h', OPT_BOOL, 0, AT(help), NULL},
    {"policy", 0, OPT_TEXT, 0, AT(policy), NULL},
    {"state", 0, OPT_TEXT, 0, AT(state), NULL},
    {"json", 0, OPT_BOOL, 0, AT(json), NULL},
    {"quiet", 'q', OPT_BOOL, 0, AT(quiet), NULL},
};
#undef AT

static st_t choose(const struct home *h, const char *id, int *ret, struct err *e)
{
	const struct update_state *s = &h->state;
	*ret = id ? home_find(h, id) : update_state_previous(s);
	if (*ret < 0 && id)
		return fail(e, ST_NOT_FOUND, 0, "%.100s: no such release is kept", id);
	if (*ret < 0)
		return fail(e, ST_NOT_FOUND, 0, "there is no release to go back to");
	if (*ret == s->current)
		return fail(e, ST_NOT_FOUND, 0, "%s is active already", s->v[*ret].id);
	return ST_OK;
}

/* A newer one that is left is held by the switch itself. */
static st_t switch_to(struct update_run *r, int to, struct err *e)
{
	struct home *h = &r->home;
	struct update_state *s = &h->state;
	char text[128], left[UPDATE_ID_MAX] = "";
	if (s->current >= 0)
		snprintf(left, sizeof left, "%s", s->v[s->current].id);
	TRY(update_check_health(r, to, e));
	s->v[to].flags &= ~(uint32_t)UPDATE_HELD;
	TRY(update_activate(h->place, s, (size_t)to, r->now, h->policy.keep, e));
	int from = left[0] ? home_find(h, left) : -1;
	if (from >= 0 && s->v[from].flags & UPDATE_HELD) {
		snprintf(text, sizeof text, "%s is held until 'vitrine update --approve %s'", left, left);
		show_link(&r->show, CHAIN_HOLD, SHOW_WAITING, ST_OK, text);
	}
	snprintf(text, sizeof text, "scans use %s from now on", s->v[s->current].id);
	show_link(&r->show, CHAIN_ACTIVE, SHOW_PASSED, ST_OK, text);
	return ST_OK;
}

static enum update_result roll_back(struct update_run *r, const char *id)
{
	int to = -1;
	st_t st = home_read_policy(&r->home, &r->e);
	if (st == ST_OK)
		st = home_open(&r->home, r->home.policy.set, true, &r->e);
	if (st == ST_OK)
		st = choose(&r->home, id, &to, &r->e);
	if (st == ST_OK)
		st = switch_to(r, to, &r->e);
	if (st == ST_OK)
		return UPDATE_BACK;
	return r->show.refused != CHAIN_LINKS ? UPDATE_REFUSED : UPDATE_UNCHECKED;
}

static int run(const struct options *o, const char *id)
{
	static struct update_run r;
	r = (struct update_run){.now = (int64_t)time(NULL), .stop_fd = -1, .checked = -1};
	home_init(&r.home, o->policy, o->state);
	show_init(&r.show, o->json, o->quiet);
	enum update_result result = roll_back(&r, id);
	update_put_result(&r, result);
	home_done(&r.home);
	return update_exit_code(result);
}

static int run_command(void *into, const struct str_list *args)
{
	struct options *o = into;
	if (args->n > 1) {
		say("rollback: one ID at most; try 'vitrine rollback --help'");
		return EXIT_ERROR;
	}
	return run(o, args->n ? args->v[0] : NULL);
}

int cmd_rollback(int argc, char **argv)
{
	static const struct opts_command command = {
	    "rollback", usage, {table, ARRAY_LEN(table)}, run_command};
	struct options o = {0};
	return opts_run(&command, argc, argv, &o);
}
