/* In place of vitrine-verifier: one that was taken over and wants out. It has no jail, but the
 * descriptors of one, and does with the fetcher's socket what the policy's comments say:
 *   # try GET|HEAD|POST URL        a request; POST has a body
 *   # try ALLOW URL                allow everything below it
 *   # try SETUP                    set up the fetcher again, with a proxy
 *   # try CLOSE                    close it, so that nobody else can count what was sent
 * Each is told as the event of the next link, in their order, as the parent wants it: STATUS and
 * why. */
#include "net/fetch_client.h"
#include "net/fetch_wire.h"
#include "proc/verify_wire.h"
#include "sandbox/roles.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct verify_frame out, request;
static struct ipc_packet packet;
static struct buf policy;
static struct fetch_client *client;

static void must(st_t st)
{
	if (st != ST_OK)
		_exit(9);
}

static void say(enum verify_type t)
{
	out.type = t;
	must(verify_frame_send(SANDBOX_FD_SOCK, &out, NULL));
}

static void take_request(void)
{
	static struct verify_frame in;
	enum ipc_got got;
	do
		must(ipc_recv(SANDBOX_FD_SOCK, true, &packet, &got, NULL));
	while (packet.bytes[0] != VERIFY_FD_END);
	say(VERIFY_HELLO);
	must(verify_frame_recv(SANDBOX_FD_SOCK, VERIFY_PARENT, &packet, &request, NULL));
	while (policy.len < request.policy_size) {
		must(verify_frame_recv(SANDBOX_FD_SOCK, VERIFY_PARENT, &packet, &in, NULL));
		buf_add(&policy, in.bytes.base, in.bytes.len);
	}
	buf_u8(&policy, '\0');
	must(buf_check(&policy, NULL, "policy"));
}

static void send_raw(enum frame_type type, const char *url)
{
	static struct frame f;
	struct buf b = {0};
	f = (struct frame){.type = type, .per_host = 1, .connect_ms = 1000, .may = FETCH_MAY_ALL};
	if (url)
		snprintf(type == FRAME_SETUP ? f.proxy : f.url, FETCH_PROXY_MAX, "%s", url);
	frame_write(&f, &b);
	must(frame_send(SANDBOX_FD_OUT, &b, NULL));
	buf_done(&b);
}

static void ask(const char *method, const char *url)
{
	struct fetch fetch = fetch_client_as_fetch(client);
	struct fetch_response r = {0};
	struct err e = {0};
	bool post = !strcmp(method, "POST");
	struct fetch_request q = {.url = url, .max = 1 << 20, .head = !strcmp(method, "HEAD"),
	                          .body = post ? "secret" : NULL, .nbody = post ? 6 : 0,
	                          .type = "text/plain"};
	st_t st = fetch_one(&fetch, &q, &r, &e);
	snprintf(out.event_text, sizeof out.event_text, "%u %s", r.status,
	         st == ST_OK ? r.error : e.text);
	buf_done(&r.body);
	say(VERIFY_EVENT);
	out.link++;
}

static void attempt(char *line)
{
	char *save = NULL;
	const char *what = strtok_r(line, " ", &save), *url = strtok_r(NULL, " ", &save);
	if (!strcmp(what, "ALLOW"))
		send_raw(FRAME_ALLOW, url);
	else if (!strcmp(what, "SETUP"))
		send_raw(FRAME_SETUP, url);
	else if (!strcmp(what, "CLOSE"))
		send_raw(FRAME_CLOSE, NULL);
	else
		ask(what, url);
}

int main(void)
{
	char *save = NULL;
	enum ipc_got got;
	take_request();
	must(fetch_client_adopt(SANDBOX_FD_OUT, &client, NULL));
	char *line = strtok_r((char *)policy.data, "\n", &save);
	for (; line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "# try ", 6))
			attempt(line + 6);
	out.status = ST_OK;
	say(VERIFY_END);
	(void)!ipc_recv(SANDBOX_FD_SOCK, true, &packet, &got, NULL);
	_exit(0);
}
