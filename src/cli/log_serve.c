/* vitrine log serve: opens the folder and the socket, says where it listens, and becomes
 * vitrine-logserver. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/report_json.h"
#include "net/http_listen.h"
#include "proc/broker/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"

/* Between two checkpoints of a log that adds often. */
#define DEFAULT_CHECKPOINT_AGE 5

/* The first descriptor that systemd hands over (sd_listen_fds(3)). */
#define SYSTEMD_FD 3

static const char usage[] =
    "Usage: vitrine log serve DIR [--listen ADDRESS:PORT]\n"
    "\n"
    "Serves a log, the folder DIR that 'vitrine log init' made or any copy of it, by HTTP (C2SP\n"
    "tlog-tiles): its checkpoint, tiles and entry bundles, and no other file, whatever is in DIR.\n"
    "Only reads. For TLS put a reverse proxy in front; any web server can serve DIR as well.\n"
    "Started by systemd with a socket it uses that. Runs until SIGTERM or SIGINT.\n"
    "Exit code: 0 told to end, 2 an error.\n"
    "\n"
    "  -l, --listen ADDRESS:PORT  where; default " DEFAULT_LISTEN "; port 0: a free one\n"
    "      --checkpoint-age S     seconds that others may keep the checkpoint; default 5\n"
    "      --threads N            that answer; default: one per core\n"
    "      --connections N        at a time; default 1000\n"
    "      --per-address N        of these from one address; default: any number\n"
    "      --json                 say where as one JSON object on standard output\n"
    "\n"
    "Examples:\n"
    "  vitrine log serve /srv/log\n"
    "  vitrine log serve /srv/log --listen '[::]:80'\n";

struct args {
	const char *listen;
	uint32_t checkpoint_age, threads, connections, per_address;
	bool json, help;
};

#define FIELD(f) offsetof(struct args, f)
static const struct opt options[] = {
	{"listen", 'l', OPT_TEXT, 0, FIELD(listen), NULL},
	{"checkpoint-age", 0, OPT_COUNT, 0, FIELD(checkpoint_age), NULL},
	{"threads", 0, OPT_COUNT, 0, FIELD(threads), NULL},
	{"connections", 0, OPT_COUNT, 0, FIELD(connections), NULL},
	{"per-address", 0, OPT_COUNT, 0, FIELD(per_address), NULL},
	{"json", 0, OPT_BOOL, 0, FIELD(json), NULL},
	{"help", 'h', OPT_BOOL, 0, FIELD(help), NULL},
};

static bool is_own_pid(const char *s)
{
	char pid[24];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	return s && !strcmp(s, pid);
}

/* sd_listen_fds(3): one socket, meant for this process. */
static bool is_given_socket(void)
{
	const char *n = getenv("LISTEN_FDS");
	return n && !strcmp(n, "1") && is_own_pid(getenv("LISTEN_PID"));
}

static st_t open_socket(const struct args *a, bool given, int *ret, char name[HTTP_NAME_MAX],
                        struct err *e)
{
	if (!given)
		return http_listen(a->listen ? a->listen : DEFAULT_LISTEN, ret, name, e);
	TRY(http_listen_inherited(SYSTEMD_FD, name, e));
	*ret = SYSTEMD_FD;
	return ST_OK;
}

/* The socket listens already: who reads this may connect. */
static void say_where(const struct args *a, const char *dir, const char *name)
{
	if (!a->json) {
		say("serving %s on http://%s/", dir, name);
		return;
	}
	printf("{\"log\":");
	json_put_string(stdout, dir);
	printf(",\"listening\":\"%s\",\"url\":\"http://%s/\"}\n", name, name);
	fflush(stdout);
}

static st_t become_server(const struct args *a, int sock, int dir, struct err *e)
{
	uint32_t v[] = {a->threads, a->connections, a->per_address, a->checkpoint_age};
	char text[4][16];
	const char *args[4];
	for (unsigned i = 0; i < 4; i++) {
		snprintf(text[i], sizeof text[i], "%u", v[i]);
		args[i] = text[i];
	}
	return server_exec("vitrine-logserver", args, 4, sock, dir, e);
}

static st_t serve(const struct args *a, const char *path, struct err *e)
{
	char name[HTTP_NAME_MAX];
	AUTO_FD sock = -1;
	bool given = !a->listen && is_given_socket();
	AUTO_FD dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(e, "%s", path);
	TRY(open_socket(a, given, &sock, name, e));
	server_hold_signals();
	say_where(a, path, name);
	return become_server(a, sock, dir, e);
}

static int run_command(void *into, const struct str_list *args)
{
	struct err e = {0};
	if (args->n != 1)
		say("log serve: one folder is needed; try 'vitrine log serve --help'");
	else
		say_error(&e, serve(into, args->v[0], &e));
	return EXIT_ERROR; /* it has become the server, or could not */
}

int cmd_log_serve(int argc, char **argv)
{
	static const struct opts_command command = {
	    "log serve", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct args a = {.checkpoint_age = DEFAULT_CHECKPOINT_AGE};
	return opts_run(&command, argc, argv, &a);
}
