#include "proc/broker/fetcher.h"

#include "base/io.h"
#include "net/fetch_client.h"
#include "proc/broker/child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Debian's ca-certificates, and where others have the same. */
static const char *const system_ca[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
};

struct fetcher {
	struct child child;
	struct fetch_client *client;
	int sock; /* the client's */
	uint32_t missing;
};

/* A machine without certificates can still ask by http. */
static st_t open_trusted(const char *file, int *ret, struct err *e)
{
	if (file) {
		*ret = open(file, O_RDONLY | O_CLOEXEC);
		return *ret < 0 ? fail_errno(e, "%s", file) : ST_OK;
	}
	*ret = -1;
	for (size_t i = 0; *ret < 0 && i < sizeof system_ca / sizeof system_ca[0]; i++)
		*ret = open(system_ca[i], O_RDONLY | O_CLOEXEC);
	return ST_OK;
}

static st_t start_process(const struct fetcher_opts *o, struct child *ret, struct err *e)
{
	AUTO_FD trusted = -1;
	char *path;
	TRY(open_trusted(o->ca_file, &trusted, e));
	TRY(child_find("vitrine-fetcher", &path, e));
	st_t st = child_start(path, NULL, trusted, STAY, ret, e);
	free(path);
	return st;
}

static st_t connect_client(const struct fetcher_opts *o, struct fetcher *f, struct err *e)
{
	struct fetch_settings s = {.per_host = o->per_host, .connect_ms = o->connect_ms,
	                           .proxy = o->proxy, .scope = o->scope};
	uint32_t abi;
	TRY(fetch_client_new(f->child.peer.sock, &s, &f->client, &f->missing, &abi, e));
	f->sock = f->child.peer.sock;
	f->child.peer.sock = -1;
	return ST_OK;
}

st_t fetcher_start(const struct fetcher_opts *o, struct fetcher **ret, struct fetch *ret_fetch,
                   struct err *e)
{
	struct fetcher *f = calloc(1, sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, "fetcher: out of memory");
	f->child.peer.sock = -1;
	st_t st = start_process(o, &f->child, e);
	if (st == ST_OK)
		st = connect_client(o, f, e);
	if (st != ST_OK) {
		fetcher_stop(f);
		return st;
	}
	*ret_fetch = fetch_client_as_fetch(f->client);
	*ret = f;
	return ST_OK;
}

static void stop(struct fetcher *f, uint64_t *cpu_us)
{
	fetch_client_free(f->client);
	child_kill_count(&f->child, cpu_us);
	free(f);
}

void fetcher_stop(struct fetcher *f)
{
	uint64_t cpu_us = 0;
	if (f)
		stop(f, &cpu_us);
}

void fetcher_stop_count(struct fetcher *f, uint64_t *cpu_us, uint64_t *ret_sent)
{
	*ret_sent = 0;
	if (!f)
		return;
	if (fetch_client_close(f->client, ret_sent, NULL) != ST_OK)
		*ret_sent = FETCHER_SENT_UNKNOWN;
	stop(f, cpu_us);
}

void fetcher_leave(struct fetcher *f)
{
	if (!f)
		return;
	fetch_client_free(f->client);
	free(f);
}

int fetcher_socket(const struct fetcher *f)
{
	return f->sock;
}

uint32_t fetcher_missing(const struct fetcher *f)
{
	return f->missing;
}
