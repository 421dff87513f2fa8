/* vitrine-witness: what `vitrine witness serve` becomes. Role WITNESS.
 *
 * Loads its keys and opens the socket and two folders: that of the state, to write, and that of the
 * configuration, to read. Then it jails itself, and only then it reads its state, its configuration
 * and what clients send. SIGHUP reads the configuration again; SIGTERM and SIGINT end it after what
 * is being answered; so does a commit that failed, with exit code 2, because then only a new
 * process can know what is on the disk. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/key_load.h"
#include "cli/opts.h"
#include "cli/report_json.h"
#include "net/http_server.h"
#include "sandbox/roles.h"
#include "witness/request.h"
#include "witness/witness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:7380"

/* Each waits for the disk while it answers; those that wait at the same time share one sync. */
#define DEFAULT_THREADS 32

/* One address; a log needs one connection. */
#define DEFAULT_PER_ADDRESS 64

/* A request of 64 KiB, answered in milliseconds. */
#define REQUEST_MS 10000

/* What is being answered when the end comes. */
#define STOP_MS 5000

/* The first descriptor that systemd hands over (sd_listen_fds(3)). */
#define SYSTEMD_FD 3

static const char usage[] =
	"Usage: vitrine witness serve --key KEYFILE --config FILE --state DB [--create]\n"
	"                             [--listen ADDRESS:PORT]\n"
	"\n"
	"A witness (C2SP tlog-witness): logs send it their checkpoints with a proof that nothing\n"
	"was changed or removed since the last one; it cosigns those that are consistent, and never\n"
	"two views of one log. POST /add-checkpoint, GET /<origin hash>/checkpoint. For TLS put a\n"
	"reverse proxy in front. SIGHUP reads the configuration again. Runs until SIGTERM or SIGINT.\n"
	"Exit code: 0 told to end, 2 an error.\n"
	"\n"
	"  -k, --key KEYFILE          made by 'vitrine key new --for witness'; its name is the\n"
	"                             witness's. May be given again: every key cosigns\n"
	"  -c, --config FILE          logs that it knows, lines\n"
	"                             \"log VKEY [URL] [rate=N/s|N/m|N/h|none]\"\n"
	"  -s, --state DB             its memory (SQLite). Never lose it, never restore an old copy\n"
	"      --create               make the state anew: only for a witness that never cosigned\n"
	"  -l, --listen ADDRESS:PORT  where; default " DEFAULT_LISTEN "; port 0: a free one\n"
	"      --threads N            that answer; default 32\n"
	"      --connections N        at a time; default 1000\n"
	"      --per-address N        of these from one address; default 64; behind a proxy: more\n"
	"      --passphrase-file FILE, --passphrase-fd N\n"
	"                             where the passphrase of the key is\n"
	"      --json                 say name, keys and where as one JSON object on standard output\n"
	"  -v, --verbose              a line on standard error for every request\n"
	"\n"
	"Examples:\n"
	"  vitrine key new --for witness --name witness.example/w1 -o w1.key\n"
	"  vitrine witness serve -k w1.key -c logs.conf -s w1.db --create\n"
	"  vitrine witness serve -k w1.key -c logs.conf -s w1.db --listen '[::1]:0' --json\n";

struct args {
	struct str_list keys;
	const char *config, *state, *listen;
	struct key_pass_opts pass;
	uint32_t threads, connections, per_address;
	bool create, json, verbose, help;
};

#define FIELD(f) offsetof(struct args, f)
static const struct opt options[] = {
	{"key", 'k', OPT_LIST, 0, FIELD(keys), NULL},
	{"config", 'c', OPT_TEXT, 0, FIELD(config), NULL},
	{"state", 's', OPT_TEXT, 0, FIELD(state), NULL},
	{"create", 0, OPT_BOOL, 0, FIELD(create), NULL},
	{"listen", 'l', OPT_TEXT, 0, FIELD(listen), NULL},
	{"threads", 0, OPT_COUNT, 0, FIELD(threads), NULL},
	{"connections", 0, OPT_COUNT, 0, FIELD(connections), NULL},
	{"per-address", 0, OPT_COUNT, 0, FIELD(per_address), NULL},
	KEY_PASS_OPTION_FILE(struct args, pass),
	KEY_PASS_OPTION_FD(struct args, pass),
	{"json", 0, OPT_BOOL, 0, FIELD(json), NULL},
	{"verbose", 'v', OPT_BOOL, 0, FIELD(verbose), NULL},
	{"help", 'h', OPT_BOOL, 0, FIELD(help), NULL},
};

/* A file by its folder, which is what the jail leaves. */
struct place {
	int dir;
	const char *name;
};

struct server {
	const struct args *a;
	struct place config, state_file;
	int sock;
	char where[HTTP_NAME_MAX];
	struct loaded_key keys[WITNESS_KEYS_MAX];
	size_t nkeys;
	struct state *state;
	struct witness *witness;
};

/* --- requests --- */

static void log_request(const struct http_request *r, const struct answer *a)
{
	const char *method = r->method == HTTP_POST ? "POST" : "GET";
	bool is_text = a->status != 200 && a->body.len && a->body.data[a->body.len - 1] == '\n';
	say("%s %s: %u%s%.*s", method, r->path, a->status, is_text ? ", " : "",
	    is_text ? (int)a->body.len - 1 : 0, is_text ? (const char *)a->body.data : "");
}

static void handle(void *ctx, const struct http_request *r, struct http_response *ret)
{
	struct server *s = ctx;
	struct answer a = {0};
	static _Thread_local char retry[16];
	witness_answer(s->witness, r->method == HTTP_POST ? "POST" : "GET", r->path,
	               rd_make(r->body, r->nbody), &a);
	if (s->a->verbose)
		log_request(r, &a);
	*ret = (struct http_response){.status = a.body.oom ? 500 : a.status, .type = a.type,
	                              .body = a.body};
	ret->headers[ret->nheaders].name = "Cache-Control";
	ret->headers[ret->nheaders++].value = "no-store";
	if (!a.retry_after_s)
		return;
	snprintf(retry, sizeof retry, "%u", a.retry_after_s);
	ret->headers[ret->nheaders].name = "Retry-After";
	ret->headers[ret->nheaders++].value = retry;
}

static const struct http_route routes[] = {
	{"/add-checkpoint", HTTP_POST, WITNESS_BODY_MAX, handle},
	{"/", HTTP_GET, 0, handle},
};

static uint64_t unix_s(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec > 0 ? (uint64_t)t.tv_sec : 0;
}

static uint64_t monotonic_us(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- before the jail --- */

static st_t open_place(const char *path, struct place *ret, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return fail(e, ST_NOMEM, 0, "out of memory");
	ret->name = slash ? slash + 1 : path;
	ret->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	st_t st = ret->dir < 0 ? fail_errno(e, "%s", dir) : ST_OK;
	free(dir);
	if (st == ST_OK && !*ret->name)
		return fail(e, ST_MALFORMED, 0, "%s: not the name of a file", path);
	return st;
}

static st_t load_keys(struct server *s, struct err *e)
{
	if (s->a->keys.n > WITNESS_KEYS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d keys", WITNESS_KEYS_MAX);
	key_protect_process();
	for (size_t i = 0; i < s->a->keys.n; i++) {
		struct loaded_key *k = &s->keys[i];
		const char *path = s->a->keys.v[i];
		TRY(key_load(path, &s->a->pass, k, e));
		s->nkeys++;
		if (k->kind != KEYFILE_WITNESS)
			return fail(e, ST_UNSUPPORTED, 0,
			            "%.160s: not a key of a witness ('vitrine key new --for witness')", path);
		if (strcmp(k->key.name, s->keys[0].key.name) != 0)
			return fail(e, ST_CONFLICT, 0, "%.100s: of another witness, %.80s", path, k->key.name);
	}
	return ST_OK;
}

/* sd_listen_fds(3): one socket, meant for this process. */
static bool is_given_socket(void)
{
	char pid[24];
	const char *n = getenv("LISTEN_FDS"), *p = getenv("LISTEN_PID");
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	return n && !strcmp(n, "1") && p && !strcmp(p, pid);
}

static st_t open_socket(struct server *s, struct err *e)
{
	if (s->a->listen || !is_given_socket())
		return http_listen(s->a->listen ? s->a->listen : DEFAULT_LISTEN, &s->sock, s->where, e);
	TRY(http_listen_inherited(SYSTEMD_FD, s->where, e));
	s->sock = SYSTEMD_FD;
	return ST_OK;
}

static st_t enter_jail(struct server *s, struct err *e)
{
	struct sandbox_report report;
	const struct sandbox_paths paths = {.ro = &s->config.dir, .nro = 1, .rw = &s->state_file.dir,
	                                    .nrw = 1};
	TRY(sandbox_preload(e));
	return sandbox_enter_self(ROLE_WITNESS, &paths, &s->sock, 1, &report, e);
}

/* --- in the jail --- */

static st_t read_file(int dir, const char *name, struct buf *ret, struct err *e)
{
	struct stat sb;
	AUTO_FD fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &sb) != 0)
		return fail_errno(e, "%s", name);
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size > WITNESS_CONFIG_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "%s: not a file, or longer than %zu bytes", name,
		            WITNESS_CONFIG_SIZE_MAX);
	void *to = buf_room(ret, (size_t)sb.st_size);
	size_t n = 0;
	TRY(buf_check(ret, e, name));
	TRY(io_pread_full(fd, to, (size_t)sb.st_size, 0, &n, e));
	ret->len += n;
	return ST_OK;
}

static st_t read_config(struct server *s, struct witness_config **ret, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	st_t st = read_file(s->config.dir, s->config.name, &text, e);
	if (st == ST_OK) {
		st = witness_config_parse(rd_make(text.data, text.len), ret, &why);
		if (st != ST_OK)
			st = fail(e, st, 0, "%.80s: %.160s", s->a->config, why.text);
	}
	buf_done(&text);
	return st;
}

/* As long as the new one cannot be read, the old one stays. */
static void reload_config(struct server *s)
{
	struct witness_config *c;
	struct err e = {0};
	st_t st = read_config(s, &c, &e);
	if (st == ST_OK) {
		size_t n = c->n;
		st = witness_set_config(s->witness, c, &e);
		if (st == ST_OK)
			say("witness serve: %zu logs from now on", n);
	}
	if (st != ST_OK)
		say("witness serve: the configuration stays what it was: %s", e.text);
}

/* Cosignatures that say that they are older than ones it gave are not to be given. */
static st_t check_clock(struct state *state, struct err *e)
{
	uint64_t latest, now = unix_s(NULL);
	TRY(state_latest_time(state, &latest, e));
	if (latest <= now + WITNESS_CLOCK_BACK_S)
		return ST_OK;
	return fail(
		e, ST_CONFLICT, 0,
		"the state is from the future: it cosigned %llu seconds after the time of this clock. "
		"Set the clock",
		(unsigned long long)(latest - now));
}

static st_t start_witness(struct server *s, struct err *e)
{
	struct witness_config *config;
	const struct state_opts so = {.path = s->state_file.name, .witness = s->keys[0].key.name,
	                              .create = s->a->create};
	struct witness_opts wo = {.nkeys = s->nkeys, .clock = {unix_s, monotonic_us, NULL}};
	TRY(read_config(s, &config, e));
	st_t st = state_open(&so, &s->state, e);
	if (st == ST_OK)
		st = check_clock(s->state, e);
	if (st != ST_OK) {
		witness_config_free(config);
		return st;
	}
	wo.state = s->state;
	for (size_t i = 0; i < s->nkeys; i++)
		wo.keys[i] = (struct witness_key){s->keys[i].key.name, s->keys[i].key.type,
		                                  s->keys[i].signer};
	return witness_new(&wo, config, &s->witness, e);
}

static void put_json(const struct server *s)
{
	printf("{\"witness\":");
	json_put_string(stdout, s->keys[0].key.name);
	printf(",\"vkeys\":[");
	for (size_t i = 0; i < s->nkeys; i++) {
		struct buf vkey = {0};
		note_key_format(&s->keys[i].key, &vkey);
		buf_u8(&vkey, 0);
		fputs(i ? "," : "", stdout);
		json_put_string(stdout, vkey.oom ? "" : (const char *)vkey.data);
		buf_done(&vkey);
	}
	printf("],\"listening\":\"%s\",\"url\":\"http://%s/\"}\n", s->where, s->where);
	fflush(stdout);
}

/* Until it is told to end. */
static st_t wait_for_signals(struct server *s, const sigset_t *set, struct err *e)
{
	const struct timespec look = {.tv_sec = 1};
	for (;;) {
		int sig = sigtimedwait(set, NULL, &look);
		if (sig == SIGTERM || sig == SIGINT)
			return ST_OK;
		if (sig == SIGHUP)
			reload_config(s);
		const struct witness_stats now = witness_stats(s->witness);
		if (now.failed)
			return fail(e, ST_IO, 0, "nothing more is cosigned: %.300s", now.why);
	}
}

static st_t serve(struct server *s, const sigset_t *set, struct err *e)
{
	const struct args *a = s->a;
	struct http_server *http;
	const struct http_server_opts o = {
		.routes = routes,
		.nroutes = sizeof routes / sizeof routes[0],
		.ctx = s,
		.threads = a->threads,
		.connections = a->connections,
		.per_ip = a->per_address,
		.request_ms = REQUEST_MS,
	};
	TRY(http_server_start(s->sock, &o, &http, e));
	s->sock = -1;
	if (a->json)
		put_json(s);
	else
		say("witness serve: %s on http://%s/", s->keys[0].key.name, s->where);
	st_t st = wait_for_signals(s, set, e);
	http_server_stop(http, STOP_MS);
	return st;
}

/* Blocked in all threads, and waited for in the first. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static st_t run(struct server *s, struct err *e)
{
	sigset_t set;
	TRY(load_keys(s, e));
	block_signals(&set); /* not before: a passphrase that is asked for can be refused by Ctrl-C */
	TRY(open_place(s->a->config, &s->config, e));
	TRY(open_place(s->a->state, &s->state_file, e));
	TRY(open_socket(s, e));
	TRY(enter_jail(s, e));
	TRY(start_witness(s, e));
	return serve(s, &set, e);
}

static int run_all(const struct args *a)
{
	struct err e = {0};
	struct server s = {.a = a, .sock = -1, .config.dir = -1, .state_file.dir = -1};
	st_t st = run(&s, &e);
	if (st != ST_OK)
		say("witness serve: %s", e.text[0] ? e.text : st_name(st));
	witness_free(s.witness);
	state_close(s.state);
	for (size_t i = 0; i < s.nkeys; i++)
		key_unload(&s.keys[i]);
	fd_closep(&s.sock);
	fd_closep(&s.config.dir);
	fd_closep(&s.state_file.dir);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static const char *find_missing(const struct args *a, const struct str_list *args)
{
	if (args->n)
		return "takes no files";
	if (!a->keys.n)
		return "a key (--key KEYFILE) is needed";
	if (!a->config)
		return "the logs (--config FILE) are needed";
	return a->state ? NULL : "a state (--state DB) is needed";
}

static int run_command(void *into, const struct str_list *args)
{
	const char *missing = find_missing(into, args);
	if (!missing)
		return run_all(into);
	say("witness serve: %s; try 'vitrine witness serve --help'", missing);
	return EXIT_ERROR;
}

int main(int argc, char **argv)
{
	static const struct opts_command command = {
	    "witness serve", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct args a = {.threads = DEFAULT_THREADS, .per_address = DEFAULT_PER_ADDRESS};
	int code = opts_run(&command, argc, argv, &a);
	str_list_done(&a.keys);
	return code;
}
