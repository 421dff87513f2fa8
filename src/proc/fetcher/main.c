/* vitrine-fetcher: asks for public files and posts to witnesses, for one client. The only process
 * with a way into the network. Role FETCH.
 *
 * The certificates to trust come as SANDBOX_FD_OUT and are read first; then the jail closes, and
 * only then is anything said or heard (net/fetch_wire.h). Ends with its client.
 *
 * Invariants
 * 1. What may be asked for is said before the first request and never changed: ALLOW and SETUP
 *    come from who starts it, and a later one ends it.
 * 2. What may not be asked for makes no connection, looks no name up, and is answered FAILED. */
#include "base/io.h"
#include "proc/fetcher/inside.h"
#include "sandbox/roles.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <nss.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All certificates of the system have 220 kB. */
#define TRUSTED_MAX ((size_t)16 << 20)

/* Without work it looks at the clock this often; curl wants to be asked earlier when it has any. */
#define IDLE_MS 60000

/* Frames of the client taken between two looks at the transfers. */
#define FRAMES_AT_ONCE 64

#define STATUS_CLIENT_GONE 0
#define STATUS_ERROR 1

/* ---- to the client ---- */

void fetcher_say(struct fetcher *f, const struct frame *frame)
{
	struct out_packet *p = calloc(1, sizeof *p);
	if (p)
		frame_write(frame, &p->bytes);
	if (!p || p->bytes.oom) {
		free(p);
		f->oom = true;
		return;
	}
	*f->last = p;
	f->last = &p->next;
	f->out_bytes += p->bytes.len;
}

static void drop_first(struct fetcher *f)
{
	struct out_packet *p = f->first;
	f->first = p->next;
	if (!f->first)
		f->last = &f->first;
	f->out_bytes -= p->bytes.len;
	buf_done(&p->bytes);
	free(p);
}

/* A client that is gone is noticed when receiving. */
static void send_queued(struct fetcher *f)
{
	while (f->first && frame_send(f->sock, &f->first->bytes, NULL) == ST_OK)
		drop_first(f);
}

/* ---- from the client ---- */

/* The texts stay until the process ends. */
static st_t take_allow(struct fetcher *f, const struct frame *in, struct err *e)
{
	if (f->is_set_up)
		return fail(e, ST_MALFORMED, 0, "ALLOW after SETUP");
	char *url = strdup(in->url);
	if (!url)
		return fail(e, ST_NOMEM, 0, "out of memory");
	if (fetch_scope_add(&f->scope, url, strlen(url), in->may))
		return ST_OK;
	free(url);
	return fail(e, ST_MALFORMED, 0, "ALLOW of what is no URL to ask below");
}

static st_t take_setup(struct fetcher *f, const struct frame *in, struct err *e)
{
	static struct frame hello = {.type = FRAME_HELLO};
	if (f->is_set_up)
		return fail(e, ST_MALFORMED, 0, "SETUP came twice");
	f->is_set_up = true;
	f->per_host = in->per_host;
	f->connect_ms = in->connect_ms;
	f->scope.send_max = in->send_max;
	memcpy(f->proxy, in->proxy, sizeof f->proxy);
	hello.missing = f->missing;
	hello.landlock_abi = f->landlock_abi;
	fetcher_say(f, &hello);
	return ST_OK;
}

/* What is under way ends with this process. */
static void take_close(struct fetcher *f)
{
	static struct frame sent = {.type = FRAME_SENT};
	f->closed = true;
	while (f->first)
		drop_first(f);
	sent.sent = f->sent;
	fetcher_say(f, &sent);
}

/* NULL: it may be asked for, and is counted. One that may not is answered like one that fails, and
 * does not end the fetcher: nothing of it goes out either way, and honest clients fill paths with
 * what others wrote (names of roles, of released files), so that one bad name in a log would keep
 * the rest from being looked at. */
static const char *forbid(struct fetcher *f, const struct frame *in)
{
	const struct fetch_scope *s = &f->scope;
	uint64_t weight = fetch_scope_weight(in->url, in->content_type, in->nbody, in->from);
	if (!fetch_url_is_good(in->url))
		return "not an http or https URL";
	if (!fetch_scope_allows(s, in->url, 1u << in->method))
		return "not one of the requests that this fetcher was started for";
	if (s->send_max && weight > s->send_max - f->sent)
		return "more requests than this fetcher was started for";
	f->sent += weight;
	return NULL;
}

/* Its body is whole. */
static st_t begin(struct fetcher *f, struct transfer *t, struct err *e)
{
	f->incoming = NULL;
	if (t->forbidden) {
		transfer_fail(t, FETCH_FAILED, t->forbidden);
		return ST_OK;
	}
	return queue_add(f, t) ? ST_OK : fail(e, ST_NOMEM, 0, "out of memory");
}

static st_t take_request(struct fetcher *f, const struct frame *in, struct err *e)
{
	struct transfer *t = calloc(1, sizeof *t);
	if (!t)
		return fail(e, ST_NOMEM, 0, "out of memory");
	t->f = f;
	t->id = in->id;
	t->max = in->max;
	t->timeout_ms = in->timeout_ms;
	t->post = in->method == FRAME_POST;
	t->head = in->method == FRAME_HEAD;
	t->nbody = in->nbody;
	t->from = in->from;
	t->bandwidth = in->bandwidth;
	memcpy(t->url, in->url, sizeof t->url);
	memcpy(t->content_type, in->content_type, sizeof t->content_type);
	t->forbidden = forbid(f, in);
	if (t->nbody == 0)
		return begin(f, t, e);
	f->incoming = t;
	return ST_OK;
}

static st_t take_body(struct fetcher *f, const struct frame *in, struct err *e)
{
	struct transfer *t = f->incoming;
	if (!t || t->id != in->id || in->bytes.len > t->nbody - t->body.len)
		return fail(e, ST_MALFORMED, 0, "SEND out of turn");
	buf_add(&t->body, in->bytes.base, in->bytes.len);
	TRY(buf_check(&t->body, e, "body"));
	return t->body.len == t->nbody ? begin(f, t, e) : ST_OK;
}

/* One that is not active has been answered: its parts were what the client has seen of it. */
static void take_cancel(struct fetcher *f, const struct frame *in)
{
	struct transfer *t = queue_find_active(f, in->id);
	if (!t)
		return;
	queue_ended(t);
	transfer_cancel(t);
}

static st_t take_frame(struct fetcher *f, struct rd in, struct err *e)
{
	static struct frame frame;
	TRY(frame_read(in, FRAME_CLIENT, &frame, e));
	if (frame.type == FRAME_ALLOW)
		return take_allow(f, &frame, e);
	if (frame.type == FRAME_SETUP)
		return take_setup(f, &frame, e);
	if (!f->is_set_up)
		return fail(e, ST_MALFORMED, 0, "no SETUP");
	switch (frame.type) {
	case FRAME_SEND:
		return take_body(f, &frame, e);
	case FRAME_CANCEL:
		take_cancel(f, &frame);
		return ST_OK;
	case FRAME_CLOSE:
		take_close(f);
		return ST_OK;
	default:
		if (f->incoming)
			return fail(e, ST_MALFORMED, 0, "REQUEST instead of SEND");
		return take_request(f, &frame, e);
	}
}

/* -EPIPE: the client is gone. Nothing is heard after CLOSE. */
static st_t receive(struct fetcher *f, struct err *e)
{
	static uint8_t packet[FRAME_MAX];
	for (unsigned i = 0; i < FRAMES_AT_ONCE && !f->closed; i++) {
		size_t len;
		st_t st = frame_recv(f->sock, packet, &len, NULL);
		if (st == (st_t)-EAGAIN)
			return ST_OK;
		TRY(st);
		if (len == 0)
			return (st_t)-EPIPE;
		TRY(take_frame(f, rd_make(packet, len), e));
	}
	return ST_OK;
}

/* ---- the loop ---- */

static void take_finished(struct fetcher *f)
{
	int left;
	CURLMsg *m;
	while ((m = curl_multi_info_read(f->multi, &left))) {
		struct transfer *t = NULL;
		CURLcode result = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		queue_ended(t);
		transfer_finish(t, result);
	}
}

/* While the client does not read, nothing is received for it. */
static st_t wait_for_client(struct fetcher *f, struct err *e)
{
	struct pollfd p = {.fd = f->sock, .events = POLLOUT | POLLIN};
	return poll(&p, 1, IDLE_MS) < 0 && errno != EINTR ? fail_errno(e, "poll") : ST_OK;
}

static st_t wait_for_work(struct fetcher *f, struct err *e)
{
	struct curl_waitfd w = {.fd = f->sock, .events = CURL_WAIT_POLLIN};
	if (f->first)
		w.events |= CURL_WAIT_POLLOUT;
	if (curl_multi_poll(f->multi, &w, 1, IDLE_MS, NULL) != CURLM_OK)
		return fail(e, ST_IO, 0, "curl: poll");
	return ST_OK;
}

/* SENT is the last thing said. */
static st_t say_last(struct fetcher *f, struct err *e)
{
	while (f->first) {
		struct pollfd p = {.fd = f->sock, .events = POLLOUT};
		if (poll(&p, 1, IDLE_MS) < 0 && errno != EINTR)
			return fail_errno(e, "poll");
		TRY(frame_send(f->sock, &f->first->bytes, e));
		drop_first(f);
	}
	return (st_t)-EPIPE;
}

static st_t step(struct fetcher *f, struct err *e)
{
	int running;
	send_queued(f);
	TRY(receive(f, e));
	if (f->closed)
		return say_last(f, e);
	if (f->out_bytes >= OUT_MAX)
		return wait_for_client(f, e);
	queue_start(f);
	if (curl_multi_perform(f->multi, &running) != CURLM_OK)
		return fail(e, ST_IO, 0, "curl: perform");
	take_finished(f);
	queue_start(f);
	if (f->oom)
		return fail(e, ST_NOMEM, 0, "out of memory");
	send_queued(f);
	return wait_for_work(f, e);
}

/* ---- beginning ---- */

/* Without certificates https fails, http goes on. */
static st_t read_trusted(struct fetcher *f, struct err *e)
{
	AUTO_FD fd = SANDBOX_FD_OUT;
	static uint8_t none[1];
	size_t n = 0;
	f->trusted = (struct curl_blob){.data = none, .len = 0, .flags = CURL_BLOB_NOCOPY};
	if (fcntl(fd, F_GETFD) < 0)
		return ST_OK;
	uint8_t *p = malloc(TRUSTED_MAX);
	if (!p)
		return fail(e, ST_NOMEM, 0, "certificates: out of memory");
	TRY(io_pread_full(fd, p, TRUSTED_MAX, 0, &n, e));
	if (n == TRUSTED_MAX)
		return fail(e, ST_LIMIT, 0, "certificates: more than %zu bytes", TRUSTED_MAX);
	f->trusted.data = p;
	f->trusted.len = n;
	return ST_OK;
}

/* What glibc's resolver reads at each question. resolv.conf is often a link into a folder where it
 * is replaced when the network changes; so that folder is granted, unless it is /etc. */
struct resolver_files {
	int fd[8];
	size_t n;
};

static void add_file(struct resolver_files *r, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		r->fd[r->n++] = fd;
}

static void list_resolver_files(struct resolver_files *r)
{
	char real[PATH_MAX];
	add_file(r, "/etc/hosts");
	add_file(r, "/etc/resolv.conf");
	add_file(r, "/etc/gai.conf");
	add_file(r, "/etc/host.conf");
	if (!realpath("/etc/resolv.conf", real))
		return;
	*strrchr(real, '/') = '\0';
	if (real[0] && strcmp(real, "/etc") != 0)
		add_file(r, real);
}

/* "hosts: files dns", whatever /etc/nsswitch.conf says: both are part of libc, so no module has to
 * be loaded in the jail. */
static st_t prepare_libraries(struct err *e)
{
	struct addrinfo *a = NULL, hints = {.ai_flags = AI_NUMERICHOST};
	TRY(sandbox_preload(e));
	if (__nss_configure_lookup("hosts", "files dns") != 0)
		return fail_errno(e, "resolver");
	if (getaddrinfo("127.0.0.1", "80", &hints, &a) == 0)
		freeaddrinfo(a);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fail(e, ST_IO, 0, "curl does not start");
	return ST_OK;
}

/* In the jail: it has a pair of sockets of its own, which the closing of the jail would close. */
static st_t make_multi(struct fetcher *f, struct err *e)
{
	f->multi = curl_multi_init();
	if (!f->multi)
		return fail(e, ST_NOMEM, 0, "curl: out of memory");
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)ACTIVE_MAX);
	curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)ACTIVE_MAX);
	return ST_OK;
}

static st_t enter(struct fetcher *f, struct sandbox_report *ret, struct err *e)
{
	struct resolver_files files = {.n = 0};
	TRY(read_trusted(f, e));
	TRY(prepare_libraries(e));
	list_resolver_files(&files);
	struct sandbox_paths paths = {.ro = files.fd, .nro = files.n};
	st_t st = sandbox_enter_with(ROLE_FETCH, &paths, ret, e);
	for (size_t i = 0; i < files.n; i++)
		close(files.fd[i]);
	return st == ST_OK ? make_multi(f, e) : st;
}

/* Ends without exit() and without freeing. */
int main(void)
{
	static struct fetcher f = {.sock = SANDBOX_FD_SOCK};
	struct sandbox_report jail = {0};
	struct err e = {0};
	f.last = &f.first;
	signal(SIGPIPE, SIG_IGN);
	if (enter(&f, &jail, &e) != ST_OK) {
		dprintf(STDERR_FILENO, "vitrine-fetcher: no jail: %s\n", e.text);
		_exit(STATUS_ERROR);
	}
	f.missing = jail.missing;
	f.landlock_abi = jail.landlock_abi;
	st_t st;
	do
		st = step(&f, &e);
	while (st == ST_OK);
	_exit(st == (st_t)-EPIPE ? STATUS_CLIENT_GONE : STATUS_ERROR);
}
