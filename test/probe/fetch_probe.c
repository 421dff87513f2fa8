/* Starts a fetcher and asks it what stands on standard input, all at once:
 *   fetch_probe [--ca FILE] [--proxy URL] [--per-host N] [--kill] [--send-max N]
 *               [--allow METHODS URL]...             (METHODS: of g, p, h and q, a query)
 *   GET TAG MAX TIMEOUT_MS URL                      (or HEAD)
 *   STREAM TAG MAX TIMEOUT_MS URL FROM BANDWIDTH ROOM  (a sink that takes ROOM bytes)
 *   POST TAG MAX TIMEOUT_MS URL CONTENT_TYPE N      (a body of N bytes, all 'x')
 * Prints the process of the fetcher, then an answer a line: TAG STATUS TYPE LENGTH SUM or TAG 0
 * ERROR; SUM is the sum of the bytes times their position. Of a stream TAG STATUS stream LENGTH SUM
 * SINK FAILURE ERROR. --kill ends the fetcher when all is
 * asked. */
#include "proc/broker/fetcher.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t number(const char *s)
{
	return s ? strtoull(s, NULL, 10) : 0;
}

/* One stream at a time. */
static struct {
	bool on;
	uint64_t room, n, sum;
} stream;

static st_t pour(void *ctx, const void *p, size_t n, struct err *e)
{
	const uint8_t *b = p;
	(void)ctx;
	if (n > stream.room - stream.n)
		return fail(e, (st_t)-ENOSPC, 0, "the sink is full");
	for (size_t i = 0; i < n; i++)
		stream.sum += b[i] * ++stream.n;
	return ST_OK;
}

static void set_stream(struct fetch_request *r, char **save)
{
	r->from = number(strtok_r(NULL, " \n", save));
	r->bandwidth = number(strtok_r(NULL, " \n", save));
	stream.room = number(strtok_r(NULL, " \n", save));
	stream.on = true;
	r->sink = pour;
}

static int ask(const struct fetch *f, char *line)
{
	char *save = NULL;
	const char *method = strtok_r(line, " \n", &save);
	struct err e = {0};
	if (!method)
		return 0;
	struct fetch_request r = {.tag = number(strtok_r(NULL, " \n", &save))};
	r.max = number(strtok_r(NULL, " \n", &save));
	r.timeout_ms = (uint32_t)number(strtok_r(NULL, " \n", &save));
	r.url = strtok_r(NULL, " \n", &save);
	char *body = NULL;
	r.head = !strcmp(method, "HEAD");
	if (!strcmp(method, "STREAM"))
		set_stream(&r, &save);
	if (!strcmp(method, "POST")) {
		r.type = strtok_r(NULL, " \n", &save);
		r.nbody = number(strtok_r(NULL, " \n", &save));
		r.body = body = malloc(r.nbody + 1);
		if (!body)
			return 2;
		memset(body, 'x', r.nbody);
	}
	st_t st = r.url ? f->ops->submit(f->ctx, &r, &e) : ST_MALFORMED;
	if (st != ST_OK)
		printf("%" PRIu64 " refused %s\n", r.tag, e.text);
	free(body);
	return st < ST_OK ? 2 : 0;
}

static void show(struct fetch_response *r)
{
	uint64_t sum = 0;
	if (stream.on) {
		printf("%" PRIu64 " %u stream %" PRIu64 " %" PRIu64 " %d %d %s\n", r->tag, r->status,
		       r->size, stream.sum, r->sink, r->failure, r->error);
		return;
	}
	for (size_t i = 0; i < r->body.len; i++)
		sum += r->body.data[i] * (uint64_t)(i + 1);
	if (r->status)
		printf("%" PRIu64 " %u %s %zu %" PRIu64 "\n", r->tag, r->status,
		       r->type[0] ? r->type : "-", r->body.len, sum);
	else
		printf("%" PRIu64 " 0 %s\n", r->tag, r->error);
	buf_done(&r->body);
}

static pid_t find_child(void)
{
	char text[64] = "";
	snprintf(text, sizeof text, "/proc/self/task/%d/children", getpid());
	FILE *f = fopen(text, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	return (pid_t)number(text);
}

static int converse(const struct fetch *f, bool must_die)
{
	char line[4096];
	struct err e = {0};
	printf("pid %d\n", find_child());
	fflush(stdout);
	while (fgets(line, sizeof line, stdin))
		if (ask(f, line))
			break;
	if (must_die)
		kill(find_child(), SIGKILL);
	for (;;) {
		struct fetch_response r;
		st_t st = f->ops->next(f->ctx, -1, &r, &e);
		if (st == ST_NOT_FOUND)
			return 0;
		if (st != ST_OK) {
			printf("gone %s\n", e.text);
			return 3;
		}
		show(&r);
		fflush(stdout);
	}
}

static void allow(struct fetch_scope *s, const char *methods, const char *url)
{
	static const char letters[] = "gphq"; /* bits of enum fetch_may */
	uint32_t may = 0;
	for (unsigned i = 0; letters[i]; i++)
		may |= strchr(methods, letters[i]) ? 1u << i : 0;
	(void)fetch_scope_add(s, url, strlen(url), may);
}

int main(int argc, char **argv)
{
	struct fetch_scope scope = {.n = 0};
	struct fetcher_opts o = {.scope = &scope};
	bool must_die = false;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--kill"))
			must_die = true;
		else if (i + 1 < argc && !strcmp(argv[i], "--ca"))
			o.ca_file = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--proxy"))
			o.proxy = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--send-max"))
			scope.send_max = number(argv[++i]);
		else if (i + 2 < argc && !strcmp(argv[i], "--allow"))
			allow(&scope, argv[i + 1], argv[i + 2]), i += 2;
		else if (i + 1 < argc && !strcmp(argv[i], "--per-host"))
			o.per_host = (uint32_t)number(argv[++i]);
		else
			return 2;
	}
	struct fetcher *f;
	struct fetch fetch;
	struct err e = {0};
	if (fetcher_start(&o, &f, &fetch, &e) != ST_OK) {
		fprintf(stderr, "fetch_probe: %s\n", e.text);
		return 2;
	}
	int code = converse(&fetch, must_die);
	fetcher_stop(f);
	return code;
}
