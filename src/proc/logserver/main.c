/* vitrine-logserver: serves the files of a log (C2SP tlog-tiles), read only. Role LOG_SERVE.
 *
 * Started by vitrine log serve with the listening socket as SANDBOX_FD_SOCK and the folder as
 * SANDBOX_FD_OUT. Only paths of tlog-tiles are ever opened, in the one spelling that they have,
 * below the folder and without links: whatever else is there is not served. Ends with SIGTERM or
 * SIGINT.
 *
 * argv: threads, connections, those of one address, seconds that a checkpoint may be cached. */
#include "base/io.h"
#include "net/http_server.h"
#include "sandbox/roles.h"
#include "tlog/tile.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is being answered when the end comes. */
#define STOP_MS 5000

/* An entry bundle of 17 MB over a slow line. */
#define REQUEST_MS 300000

/* A checkpoint with the cosignatures of many witnesses. */
#define CHECKPOINT_MAX ((uint64_t)1 << 20)

#define CACHE_MAX 64

static struct {
	char checkpoint_cache[CACHE_MAX];
} settings;

/* "A tile is immutable": also a partial one has its bytes for ever. */
#define CACHE_FOR_EVER "public, max-age=31536000, immutable"

static int open_beneath(const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, SANDBOX_FD_OUT, path, &how, sizeof how);
}

static uint64_t longest(const struct tile *t)
{
	if (t->kind == TILE_CHECKPOINT)
		return CHECKPOINT_MAX;
	return t->kind == TILE_HASHES ? (uint64_t)t->width * TLOG_HASH : BUNDLE_BYTES_MAX;
}

static void add_header(struct http_response *r, const char *name, const char *value)
{
	r->headers[r->nheaders].name = name;
	r->headers[r->nheaders++].value = value;
}

/* A file that is missing now may be there soon: nobody is to remember that it was not. */
static void answer_none(struct http_response *ret)
{
	ret->status = 404;
	ret->type = "text/plain; charset=utf-8";
	add_header(ret, "Cache-Control", "no-cache");
	buf_add(&ret->body, "not found\n", 10);
}

/* A regular file of a length that such a file can have; else -1. */
static int open_tile(const struct tile *t, const char *path, uint64_t *ret_size)
{
	struct stat sb;
	AUTO_FD fd = open_beneath(path);
	if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) ||
	    (uint64_t)sb.st_size > longest(t))
		return -1;
	*ret_size = (uint64_t)sb.st_size;
	int found = fd;
	fd = -1;
	return found;
}

static void serve(void *ctx, const struct http_request *r, struct http_response *ret)
{
	struct tile t;
	char path[TILE_PATH_MAX];
	const char *name = r->path + 1;
	(void)ctx;
	*ret = (struct http_response){.status = 200, .is_file = 1};
	/* For programs that check proofs in a browser, on pages of others. */
	add_header(ret, "Access-Control-Allow-Origin", "*");
	add_header(ret, "X-Content-Type-Options", "nosniff");
	ret->fd = -1;
	if (tile_path_parse(rd_make(name, strlen(name)), &t, NULL) == ST_OK) {
		tile_path(&t, path);
		ret->fd = open_tile(&t, path, &ret->size);
	}
	if (ret->fd < 0) {
		ret->is_file = 0;
		answer_none(ret);
		return;
	}
	bool is_checkpoint = t.kind == TILE_CHECKPOINT;
	ret->type = is_checkpoint ? "text/plain; charset=utf-8" : "application/octet-stream";
	add_header(ret, "Cache-Control",
	           is_checkpoint ? settings.checkpoint_cache : CACHE_FOR_EVER);
}

static const struct http_route routes[] = {{"/", HTTP_GET, 0, serve}};

static unsigned number(int argc, char **argv, int i)
{
	return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : 0;
}

/* Blocked in all threads, and waited for in the first. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static st_t run(const struct http_server_opts *o, struct err *e)
{
	sigset_t set;
	struct sandbox_report report;
	struct http_server *s;
	int sock = SANDBOX_FD_SOCK, dir = SANDBOX_FD_OUT;
	struct sandbox_paths paths = {.ro = &dir, .nro = 1};
	block_signals(&set);
	TRY(sandbox_preload(e));
	TRY(sandbox_enter_self(ROLE_LOG_SERVE, &paths, &sock, 1, &report, e));
	TRY(http_server_start(sock, o, &s, e));
	while (sigwaitinfo(&set, NULL) < 0 && errno == EINTR)
		continue;
	http_server_stop(s, STOP_MS);
	return ST_OK;
}

/* Ends without exit(): what libraries do there is not for the jail. */
int main(int argc, char **argv)
{
	struct http_server_opts o = {
		.routes = routes,
		.nroutes = 1,
		.threads = number(argc, argv, 1),
		.connections = number(argc, argv, 2),
		.per_ip = number(argc, argv, 3),
		.request_ms = REQUEST_MS,
	};
	struct err e = {0};
	snprintf(settings.checkpoint_cache, sizeof settings.checkpoint_cache, "public, max-age=%u",
	         number(argc, argv, 4));
	if (run(&o, &e) == ST_OK)
		_exit(0);
	dprintf(STDERR_FILENO, "vitrine: log serve: %s\n", e.text);
	_exit(2);
}
