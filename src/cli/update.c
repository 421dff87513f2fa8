/* vitrine update: options, and which of its forms it is. The work is in update_run.c. */
#include "base/io.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/text.h"
#include "cli/update_run.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "Usage: vitrine update [OPTIONS]\n"
    "       vitrine update --check-policy [OPTIONS]\n"
    "       vitrine update --hold | --resume | --approve [ID]\n"
    "\n"
    "Fetches the signatures that the policy names and activates them if every link of the chain\n"
    "holds: signed metadata, the publisher's statement, its entry in a log, witnesses,\n"
    "rebuilders, digests, a health check, and your own time to wait. Each link is printed. What\n"
    "is refused changes nothing; its evidence is kept.\n"
    "Exit code: 0 up to date, activated or waiting; 1 refused; 2 it could not be checked.\n"
    "\n"
    "      --policy FILE    what is demanded: vitrine-policy(5). Default:\n"
    "                       " UPDATE_POLICY_DEFAULT "\n"
    "      --state DIR      what is installed. Default: $VITRINE_STATE, else\n"
    "                       " UPDATE_STATE_DEFAULT "\n"
    "      --bundle FILE    from a file that 'vitrine bundle make' wrote, without a network\n"
    "      --dry-run        look at today's release up to its files; change nothing\n"
    "      --check-policy   say in words what the policy demands, then --dry-run\n"
    "      --hold           from now on activate nothing\n"
    "      --resume         as the policy says again\n"
    "      --approve [ID]   activate what waits now, or the release of that ID\n"
    "      --json           one JSON object for each link, and one at the end\n"
    "  -q, --quiet          only refusals and errors\n"
    "      --ca-file FILE   trust these certificates instead of the system's\n"
    "      --proxy URL      ask through this proxy (http://host:port)\n"
    "\n"
    "Examples:\n"
    "  vitrine update\n"
    "  vitrine update --check-policy --policy ./update.policy --state ./state\n"
    "  vitrine update --bundle /media/usb/signatures.bundle\n"
    "  vitrine update --approve\n";

struct options {
	bool help, json, quiet, dry, check, hold, resume, approve;
	const char *policy, *state, *bundle, *ca_file, *proxy;
};

#define AT(m) offsetof(struct options, m)
static const struct opt table[] = {
    {"help", 'h', OPT_BOOL, 0, AT(help), NULL},
    {"policy", 0, OPT_TEXT, 0, AT(policy), NULL},
    {"state", 0, OPT_TEXT, 0, AT(state), NULL},
    {"bundle", 0, OPT_TEXT, 0, AT(bundle), NULL},
    {"dry-run", 0, OPT_BOOL, 0, AT(dry), NULL},
    {"check-policy", 0, OPT_BOOL, 0, AT(check), NULL},
    {"hold", 0, OPT_BOOL, 0, AT(hold), NULL},
    {"resume", 0, OPT_BOOL, 0, AT(resume), NULL},
    {"approve", 0, OPT_BOOL, 0, AT(approve), NULL},
    {"json", 0, OPT_BOOL, 0, AT(json), NULL},
    {"quiet", 'q', OPT_BOOL, 0, AT(quiet), NULL},
    {"ca-file", 0, OPT_TEXT, 0, AT(ca_file), NULL},
    {"proxy", 0, OPT_TEXT, 0, AT(proxy), NULL},
};
#undef AT

/* ---- the customer's wishes ---- */

/* What --approve means without an ID: the newest one that is not current and has not failed. */
static int waiting_release(const struct update_state *s)
{
	for (int i = (int)s->n - 1; i > s->current; i--)
		if (!(s->v[i].flags & UPDATE_FAILED))
			return i;
	return -1;
}

static enum update_result approve(struct update_run *r, const char *id)
{
	struct update_state *s = &r->home.state;
	int i = id ? home_find(&r->home, id) : waiting_release(s);
	if (i < 0 && !id) {
		(void)!fail(&r->e, ST_NOT_FOUND, 0, "no release waits");
		return UPDATE_UNCHECKED;
	}
	if (i < 0) {
		(void)!fail(&r->e, ST_NOT_FOUND, 0, "%.100s: no such release; there are those of 'ls "
		            "%.80s/%s/releases'", id, r->home.state_path, r->home.policy.set);
		return UPDATE_UNCHECKED;
	}
	if (i < s->current || (i == s->current && !(s->v[i].flags & UPDATE_FAILED))) {
		(void)!fail(&r->e, ST_NOT_FOUND, 0, "%s is %s: nothing has to be approved%s", s->v[i].id,
		            i == s->current ? "active" : "older than what is active",
		            i == s->current ? "" : "; 'vitrine rollback ID' goes back to it");
		return UPDATE_UNCHECKED;
	}
	/* Also of one that failed: whoever approves it means it, and it still must be healthy. */
	if (update_check_again(r, i, &r->e) != ST_OK || update_check_health(r, i, &r->e) != ST_OK)
		return r->e.st > ST_OK ? UPDATE_REFUSED : UPDATE_UNCHECKED;
	s->v[i].flags = (s->v[i].flags | UPDATE_APPROVED) & ~(uint32_t)UPDATE_HELD;
	if (update_state_write(r->home.place, s, &r->e) != ST_OK)
		return UPDATE_UNCHECKED;
	return update_go_due(r);
}

static enum update_result set_hold(struct update_run *r, bool hold)
{
	r->home.state.hold_all = hold;
	if (update_state_write(r->home.place, &r->home.state, &r->e) != ST_OK)
		return UPDATE_UNCHECKED;
	return hold ? UPDATE_STOPPED : update_go_due(r);
}

/* ---- forms ---- */

static void put_policy(const struct update_run *r)
{
	struct buf b = {0};
	update_policy_describe(&r->home.policy, &b);
	buf_u8(&b, '\0');
	if (!b.oom && !r->show.json) {
		text_put_answer(stdout, (const char *)b.data, b.len - 1, false);
		putchar('\n');
	}
	fflush(stdout);
	buf_done(&b);
}

static enum update_result look(struct update_run *r, const struct options *o)
{
	if (home_open(&r->home, r->home.policy.set, false, &r->e) != ST_OK)
		return UPDATE_UNCHECKED;
	if (o->check)
		put_policy(r);
	return update_go_dry(r);
}

static enum update_result change(struct update_run *r, const struct options *o, const char *id)
{
	if (home_open(&r->home, r->home.policy.set, true, &r->e) != ST_OK)
		return UPDATE_UNCHECKED;
	if (o->approve)
		return approve(r, id);
	return o->hold || o->resume ? set_hold(r, o->hold) : update_go(r);
}

static int run(const struct options *o, const char *id)
{
	static struct update_run r;
	enum update_result result = UPDATE_UNCHECKED;
	r = (struct update_run){.bundle = o->bundle, .proxy = o->proxy, .now = (int64_t)time(NULL),
	                        .stop_fd = -1, .checked = -1};
	home_init(&r.home, o->policy, o->state);
	show_init(&r.show, o->json, o->quiet);
	st_t st = home_read_policy(&r.home, &r.e);
	if (st == ST_OK && o->ca_file)
		snprintf(r.home.ca_file, sizeof r.home.ca_file, "%s", o->ca_file);
	if (st == ST_OK)
		st = evidence_init(&r.evidence, &r.e);
	if (st == ST_OK)
		result = o->dry || o->check ? look(&r, o) : change(&r, o, id);
	update_put_result(&r, result);
	evidence_done(&r.evidence);
	home_done(&r.home);
	return update_exit_code(result);
}

static bool check_options(const struct options *o, const struct str_list *args)
{
	if (o->hold + o->resume + o->approve + (o->dry || o->check) > 1) {
		say("update: only one of --hold, --resume, --approve and --dry-run");
		return false;
	}
	if (o->bundle && (o->hold || o->resume || o->approve)) {
		say("update: --bundle is for updates, not for --hold, --resume and --approve");
		return false;
	}
	if (args->n > (o->approve ? 1 : 0)) {
		say("update: '%s' is not expected; try 'vitrine update --help'", args->v[args->n - 1]);
		return false;
	}
	return true;
}

static int run_command(void *into, const struct str_list *args)
{
	struct options *o = into;
	if (!check_options(o, args))
		return EXIT_ERROR;
	return run(o, args->n ? args->v[0] : NULL);
}

int cmd_update(int argc, char **argv)
{
	static const struct opts_command command = {
	    "update", usage, {table, ARRAY_LEN(table)}, run_command};
	struct options o = {0};
	return opts_run(&command, argc, argv, &o);
}
