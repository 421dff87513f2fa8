/* An HTTP server for tests: http_probe [threads [connections [per_ip [idle_ms [request_ms]]]]]
 * Prints its address and serves until standard input ends: GET /fixed, POST /echo (up to 100000
 * bytes), both /slow (GET and POST: answers after half a second), GET below /tree/ (says the path),
 * GET /none (a handler that answers nothing). It is in the jail of a witness, without a state. */
#include "net/http_server.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_MS 2000

static void answer_fixed(void *ctx, const struct http_request *r, struct http_response *ret)
{
	(void)ctx;
	(void)r;
	*ret = (struct http_response){.status = 200, .type = "text/plain", .nheaders = 1,
	                              .headers = {{"Cache-Control", "no-cache"}}};
	buf_add(&ret->body, "fixed\n", 6);
}

static void answer_echo(void *ctx, const struct http_request *r, struct http_response *ret)
{
	(void)ctx;
	*ret = (struct http_response){.status = 200, .type = "application/octet-stream"};
	if (r->nbody)
		buf_add(&ret->body, r->body, r->nbody);
}

static void answer_slow(void *ctx, const struct http_request *r, struct http_response *ret)
{
	(void)poll(NULL, 0, 500);
	answer_fixed(ctx, r, ret);
}

static void answer_path(void *ctx, const struct http_request *r, struct http_response *ret)
{
	(void)ctx;
	*ret = (struct http_response){.status = 200, .type = "text/plain"};
	buf_add(&ret->body, r->path, strlen(r->path));
}

static void answer_none(void *ctx, const struct http_request *r, struct http_response *ret)
{
	(void)ctx;
	(void)r;
	(void)ret;
}

static const struct http_route routes[] = {
	{"/fixed", HTTP_GET, 0, answer_fixed},
	{"/echo", HTTP_POST, 100000, answer_echo},
	{"/slow", HTTP_GET | HTTP_POST, 1000, answer_slow},
	{"/tree/", HTTP_GET, 0, answer_path},
	{"/none", HTTP_GET, 0, answer_none},
};

static unsigned number(int argc, char **argv, int i)
{
	return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : 0;
}

static int run(const struct http_server_opts *o, struct err *e)
{
	char name[HTTP_NAME_MAX], b[16];
	struct sandbox_report report;
	struct http_server *s;
	int sock, state = open("/var/empty", O_PATH | O_CLOEXEC);
	if (state < 0)
		state = open("/", O_PATH | O_CLOEXEC);
	if (http_listen("127.0.0.1:0", &sock, name, e) != ST_OK)
		return 2;
	struct sandbox_paths paths = {.rw = &state, .nrw = 1};
	if (sandbox_enter_self(ROLE_WITNESS, &paths, &sock, 1, &report, e) != ST_OK)
		return 2;
	if (http_server_start(sock, o, &s, e) != ST_OK)
		return 2;
	printf("%s %u\n", name, report.missing);
	fflush(stdout);
	while (read(STDIN_FILENO, b, sizeof b) > 0)
		continue;
	http_server_stop(s, STOP_MS);
	puts("stopped");
	fflush(stdout);
	_exit(0); /* sanitizers would look for leaks, with calls that the jail forbids */
}

int main(int argc, char **argv)
{
	struct http_server_opts o = {
		.routes = routes,
		.nroutes = sizeof routes / sizeof routes[0],
		.threads = number(argc, argv, 1),
		.connections = number(argc, argv, 2),
		.per_ip = number(argc, argv, 3),
		.idle_ms = number(argc, argv, 4),
		.request_ms = number(argc, argv, 5),
	};
	struct err e = {0};
	int code = run(&o, &e);
	if (code)
		fprintf(stderr, "http_probe: %s\n", e.text);
	return code;
}
