/* vitrine monitor: the parent of the watcher. It reads the operator's file, keeps the folder of the
 * state, says alerts and runs the hook; it opens no connection and reads no byte of others. */
#include "base/io.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/monitor_tell.h"
#include "cli/opts.h"
#include "crypto/digest.h"
#include "monitor/alert.h"
#include "monitor/store.h"
#include "proc/broker/watch.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "Usage: vitrine monitor [--once] [--state DIR] [OPTIONS] POLICY\n"
    "\n"
    "Follows the logs of a policy and their witnesses: every checkpoint must extend the one\n"
    "before and have its quorum, every witness must have cosigned the same tree, every entry must\n"
    "be what a known publisher or rebuilder signed. POLICY is a tlog-policy file, which may hold\n"
    "further lines for entries, repository, limits and a hook: vitrine-monitor(1).\n"
    "\n"
    "Each alert is one line of JSON on stdout, a line for people on stderr, and one run of the\n"
    "hook; it is said when it is raised and when it is over, not in between.\n"
    "Exit code: 0 nothing is wrong, 1 an alert is open, 2 something could not be checked.\n"
    "Without --once it runs until a signal ends it, with 1 if an alert is open that proves that a\n"
    "log lied.\n"
    "\n"
    "      --once               look once, then end\n"
    "      --state DIR          remember here what was seen\n"
    "      --acknowledge        close alerts of what happened once, such as split-view\n"
    "      --ca-file FILE       trust these certificates instead of the system's\n"
    "      --proxy URL          ask through this proxy (http://host:port)\n"
    "\n"
    "Examples:\n"
    "  vitrine monitor --once policy.txt\n"
    "  vitrine monitor --state /var/lib/vitrine/monitor /etc/vitrine/monitor.policy\n";

struct options {
	bool help, once, acknowledge;
	const char *state, *ca_file, *proxy;
};

#define AT(m) offsetof(struct options, m)
static const struct opt table[] = {
    {"help", 'h', OPT_BOOL, 0, AT(help), NULL},
    {"once", 0, OPT_BOOL, 0, AT(once), NULL},
    {"state", 0, OPT_TEXT, 0, AT(state), NULL},
    {"acknowledge", 0, OPT_BOOL, 0, AT(acknowledge), NULL},
    {"ca-file", 0, OPT_TEXT, 0, AT(ca_file), NULL},
    {"proxy", 0, OPT_TEXT, 0, AT(proxy), NULL},
};
#undef AT

struct run {
	struct options o;
	const char *policy; /* path */
	struct monitor_config cfg;
	struct monitor_store store;
	int signals;
	struct monitor_summary sum;
	bool failed; /* the last step did not end well, or was told to end */
	bool acknowledged;
	bool lied; /* a critical alert was said in a step that has not ended yet */
	bool remembers;     /* a state was stored or read */
	struct teller tell;
	uint64_t failed_ms; /* since when no step ended well; 0: the last one did */
	bool failure_said;
};

/* ---- reading the operator's files ---- */

/* A key's file, relative to the folder of the policy. */
static st_t read_key(void *ctx, const char *name, struct buf *out, struct err *e)
{
	const struct run *r = ctx;
	char path[PATH_MAX];
	const char *slash = strrchr(r->policy, '/');
	int folder = slash && name[0] != '/' ? (int)(slash - r->policy) + 1 : 0;
	int n = snprintf(path, sizeof path, "%.*s%s", folder, r->policy, name);
	if (n < 0 || (size_t)n >= sizeof path)
		return fail(e, ST_LIMIT, 0, "%s: too long", name);
	return file_read(path, ATTEST_KEY_FILE_MAX, out, e);
}

static st_t read_config(struct run *r, struct err *e)
{
	struct buf text = {0}, expanded = {0};
	struct err why = {0};
	st_t st = file_read(r->policy, MONITOR_CONFIG_MAX, &text, e);
	if (st == ST_OK)
		st = monitor_config_expand(rd_make(text.data, text.len), read_key, r, &expanded, e);
	if (st == ST_OK) {
		st = monitor_config_parse(rd_make(expanded.data, expanded.len), &r->cfg, &why);
		if (st != ST_OK)
			st = fail(e, st, why.off, "%.80s: %.160s", r->policy, why.text);
	}
	buf_done(&text);
	buf_done(&expanded);
	return st;
}

/* ---- the folder of the state ---- */

/* Each folder of the path that is missing. */
static st_t make_folders(const char *path, struct err *e)
{
	char part[PATH_MAX];
	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return fail_errno(e, "%s", part);
		*p = '/';
	}
	return ST_OK;
}

/* Nothing was said: a folder for each policy below the user's. */
static st_t default_state(const struct run *r, char ret[PATH_MAX], struct err *e)
{
	char full[PATH_MAX], hex[65];
	uint8_t sum[32];
	const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (!realpath(r->policy, full))
		return fail_errno(e, "%s", r->policy);
	TRY(digest_bytes(DIGEST_SHA256, full, strlen(full), sum, e));
	hex_encode(sum, 8, hex);
	if ((!base || base[0] != '/') && (!home || home[0] != '/'))
		return fail(e, ST_NOT_FOUND, 0, "where to keep the state? Say --state DIR");
	bool own = base && base[0] == '/';
	int n = snprintf(ret, PATH_MAX, "%s%s/vitrine/monitor-%s", own ? base : home,
	                 own ? "" : "/.local/state", hex);
	if (n < 0 || n >= PATH_MAX)
		return fail(e, ST_LIMIT, 0, "the folder of the state has too long a name");
	return make_folders(ret, e);
}

static st_t open_store(struct run *r, struct err *e)
{
	char path[PATH_MAX];
	const char *said = r->o.state ? r->o.state : r->cfg.state;
	if (said)
		return monitor_store_open(said, &r->store, e);
	TRY(default_state(r, path, e));
	return monitor_store_open(path, &r->store, e);
}

/* ---- what a step has to say ---- */

static st_t say_alert(void *ctx, const struct monitor_message *msg, struct err *e)
{
	struct run *r = ctx;
	enum alert_severity grade = alert_severity(msg->kind);
	const char *severity = alert_severity_name(grade);
	r->lied = r->lied || (grade == ALERT_CRITICAL && msg->state == ALERT_RAISED);
	bool printed = printf("%s\n", msg->json) >= 0 && fflush(stdout) == 0;
	int why = errno;
	say("%s: %s: %s", msg->state == ALERT_RAISED ? severity : "over", alert_name(msg->kind),
	    msg->text);
	tell_hook(&r->tell, msg->json); /* all the more if nobody hears the line */
	errno = why;
	return printed ? ST_OK : fail_errno(e, "stdout");
}

static st_t keep_evidence(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	struct run *r = ctx;
	return monitor_store_evidence(&r->store, name, bytes, e);
}

/* What runs for ever says it only when it has become an alert. */
static st_t say_unchecked(void *ctx, const char *text, struct err *e)
{
	const struct run *r = ctx;
	(void)e;
	if (r->o.once)
		say("could not be checked: %s", text);
	return ST_OK;
}

/* ---- steps ---- */

static st_t step_with(struct run *r, const struct buf *state, struct buf *after, struct err *e)
{
	struct monitor_out out = {say_alert, keep_evidence, say_unchecked, r};
	struct watch_request rq = {
	    .cfg = &r->cfg,
	    .state = rd_make(state->data, state->len),
	    .now = (uint64_t)time(NULL),
	    .acknowledge = r->o.acknowledge && !r->acknowledged,
	    .fetcher = {.ca_file = r->o.ca_file, .proxy = r->o.proxy},
	    .stop_fd = r->signals,
	};
	if (state->len == 0 && r->remembers)
		return fail(e, ST_NOT_FOUND, 0,
		            "the state was removed while the monitor ran: put it back, or start anew to "
		            "what the logs show then as the beginning");
	if (state->len == 0)
		say("nothing is remembered yet: what the logs show now is taken as the beginning");
	TRY(broker_watch(&rq, &out, after, &r->sum, e));
	r->acknowledged = true;
	r->lied = false; /* the summary has it */
	r->remembers = true;
	/* Times that were noted change with every step; what is the same need not be written. */
	if (after->len == state->len && !memcmp(after->data, state->data, after->len))
		return ST_OK;
	return monitor_store_write(&r->store, rd_make(after->data, after->len), e);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say_failure(struct run *r, enum alert_state state, const char *text)
{
	static const struct alert_about nothing;
	struct alert_line l = {.kind = ALERT_MONITOR_FAILED, .state = state, .about = &nothing,
	                       .time = (uint64_t)time(NULL), .text = text};
	struct monitor_message msg = {l.kind, state, NULL, text};
	struct err e = {0};
	char *json;
	st_t st = alert_json(&l, &json, &e);
	if (st == ST_OK) {
		msg.json = json;
		st = say_alert(r, &msg, &e);
		free(json);
	}
	if (st != ST_OK)
		say_error(&e, st);
	else
		r->failure_said = state == ALERT_RAISED;
}

/* Who reads only alerts has to hear that there will be none: a state that cannot be read, a watcher
 * that dies of what it reads. After the time that a log may be silent. */
static void note_end(struct run *r, st_t st, const struct err *e)
{
	if (st == ST_OK) {
		r->failed_ms = 0;
		if (r->failure_said)
			say_failure(r, ALERT_CLEARED, "looks end well again");
	}
	if (st == ST_OK || st == ST_TIMEOUT || r->o.once)
		return;
	if (r->failed_ms == 0)
		r->failed_ms = now_ms();
	if (!r->failure_said && now_ms() - r->failed_ms >= r->cfg.unreachable_after * 1000)
		say_failure(r, ALERT_RAISED, e->text[0] ? e->text : st_name(st));
}

static void step(struct run *r)
{
	struct buf state = {0}, after = {0};
	struct err e = {0};
	tell_again(&r->tell);
	st_t st = monitor_store_read(&r->store, &state, &e);
	if (st == ST_OK)
		st = step_with(r, &state, &after, &e);
	buf_done(&state);
	buf_done(&after);
	r->failed = st != ST_OK;
	if (st != ST_OK && st != ST_TIMEOUT)
		say_error(&e, st);
	note_end(r, st, &e);
}

/* Up to a tenth more than the interval, so that monitors all over do not come at the same time. */
static int pause_ms(const struct run *r)
{
	uint16_t dice = 0;
	uint64_t ms = num_min_u64(r->cfg.interval, 7 * 86400) * 1000;
	if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) != sizeof dice)
		dice = 0;
	return (int)num_min_u64(ms + ms / 10 * dice / UINT16_MAX, INT_MAX);
}

/* Whether a signal came within that time. */
static bool stopped(const struct run *r, int wait_ms)
{
	struct pollfd p = {.fd = r->signals, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

static int run_once(struct run *r)
{
	do
		step(r);
	while (!r->failed && r->sum.more && !stopped(r, 0));
	if (r->failed)
		return r->lied ? EXIT_FOUND : EXIT_ERROR;
	if (r->sum.open)
		return EXIT_FOUND;
	return r->sum.unchecked || r->sum.more ? EXIT_ERROR : EXIT_CLEAN;
}

static int run_forever(struct run *r)
{
	do
		step(r);
	while (!stopped(r, !r->failed && r->sum.more ? 0 : pause_ms(r)));
	if (r->sum.critical || r->lied)
		return EXIT_FOUND;
	return r->failed_ms != 0 ? EXIT_ERROR : EXIT_CLEAN;
}

/* Signals that end it are read, not caught: a step ends in an orderly way. */
static st_t take_signals(struct run *r, struct err *e)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fail_errno(e, "signals");
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return r->signals < 0 ? fail_errno(e, "signals") : ST_OK;
}

static int run(struct run *r)
{
	struct err e = {0};
	st_t st = read_config(r, &e);
	if (st == ST_OK)
		st = open_store(r, &e);
	if (st == ST_OK)
		st = take_signals(r, &e);
	if (st != ST_OK) {
		say_error(&e, st);
		return EXIT_ERROR;
	}
	if (r->cfg.publishers.n == 0)
		say("%s names no publisher: entries are hashed, not judged", r->policy);
	r->o.once = r->o.once || r->o.acknowledge;
	r->tell.hook = r->cfg.hook[0] ? r->cfg.hook : NULL;
	int code = r->o.once ? run_once(r) : run_forever(r);
	return code == EXIT_CLEAN && !tell_is_complete(&r->tell) ? EXIT_ERROR : code;
}

static bool read_arguments(int argc, char **argv, struct options *o, struct str_list *args,
                           int *ret_code)
{
	static const struct opt_table all = {table, ARRAY_LEN(table)};
	struct str_list warned = {0};
	struct opt_error bad;
	bool fine = opts_read(&all, argc, argv, o, args, &warned, &bad);
	str_list_done(&warned);
	*ret_code = EXIT_ERROR;
	if (!fine) {
		opts_say(&bad, "monitor");
		return false;
	}
	if (o->help) {
		fputs(usage, stdout);
		*ret_code = EXIT_CLEAN;
		return false;
	}
	if (args->n == 1)
		return true;
	say("monitor: one policy file is needed; try 'vitrine monitor --help'");
	return false;
}

int cmd_monitor(int argc, char **argv)
{
	static struct run r = {.store = {-1, -1, -1}, .signals = -1};
	struct str_list args = {0};
	int code;
	if (read_arguments(argc, argv, &r.o, &args, &code)) {
		r.policy = args.v[0];
		code = run(&r);
	}
	tell_done(&r.tell);
	monitor_store_close(&r.store);
	monitor_config_done(&r.cfg);
	fd_closep(&r.signals);
	str_list_done(&args);
	return code;
}
