/* A verifier for tests of the activator's side: speaks the protocol, has no jail, and does what the
 * policy says, which is one word. */
#include "proc/verify_wire.h"
#include "sandbox/roles.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct verify_frame out, request;
static struct ipc_packet packet;
static char word[64];
static unsigned fds; /* a bit each */

static void say(enum verify_type t)
{
	out.type = t;
	if (verify_frame_send(SANDBOX_FD_SOCK, &out, NULL) != ST_OK)
		_exit(9);
}

static void take_fds(void)
{
	enum ipc_got got;
	for (;;) {
		if (ipc_recv(SANDBOX_FD_SOCK, true, &packet, &got, NULL) != ST_OK || got != IPC_PACKET)
			_exit(8);
		if (packet.bytes[0] == VERIFY_FD_END)
			return;
		fds |= 1u << packet.bytes[0];
	}
}

static void take_request(void)
{
	static struct verify_frame in;
	if (verify_frame_recv(SANDBOX_FD_SOCK, VERIFY_PARENT, &packet, &request, NULL) != ST_OK)
		_exit(7);
	for (size_t n = 0; n < request.policy_size; n += in.bytes.len) {
		if (verify_frame_recv(SANDBOX_FD_SOCK, VERIFY_PARENT, &packet, &in, NULL) != ST_OK)
			_exit(6);
		if (n == 0)
			memcpy(word, in.bytes.base, in.bytes.len < 63 ? in.bytes.len : 63);
	}
}

static void say_event(enum chain_link link, enum chain_outcome outcome, st_t why)
{
	out.link = link;
	out.outcome = outcome;
	out.status = why;
	strcpy(out.event_text, "a\033b");
	say(VERIFY_EVENT);
}

/* From the first link to the one before `to`. */
static void say_links(enum chain_link to)
{
	for (uint32_t l = CHAIN_CLOCK; l < to; l++)
		say_event((enum chain_link)l, CHAIN_PASSED, ST_OK);
}

static void keep(const char *path, uint64_t size, size_t parts, const char *part)
{
	strcpy(out.path, path);
	out.keep_size = size;
	say(VERIFY_KEEP);
	for (size_t i = 0; i < parts; i++) {
		out.bytes = rd_make(part, strlen(part));
		say(VERIFY_KEPT);
	}
}

static void end(st_t st, const char *text)
{
	struct chain_release *r = &out.release;
	out.status = st;
	strcpy(out.text, text);
	out.moved = 1000;
	out.requests = 7;
	out.mirrors = 5;
	out.mirror = 3;
	r->version = 12;
	r->vdb.size = 34;
	r->pua = true;
	strcpy(r->origin, "log.example");
	r->cosigned.cosigned[3] = true;
	r->cosigned.time[3] = 99;
	r->cosigned.ncosigned = 1;
	r->rebuilt_by[31] = true;
	say(VERIFY_END);
	pause();
}

static void be_good(void)
{
	say_links(CHAIN_COMPILED);
	strcpy(out.what, "main.vdb");
	out.done = 5;
	out.size = 10;
	say(VERIFY_PROGRESS);
	say(VERIFY_ALIVE);
	keep("metadata/1.root.json", 6, 2, "abc");
	keep("metadata/empty", 0, 0, "");
	end(ST_OK, "");
}

static void refuse(void)
{
	say_links(CHAIN_ROOT);
	say_event(CHAIN_ROOT, CHAIN_REFUSED, ST_BAD_SIG);
	end(ST_BAD_SIG, "root: threshold");
}

static void say_raw(const char *bytes, size_t n)
{
	(void)!ipc_send(SANDBOX_FD_SOCK, bytes, n, -1, true, NULL);
	pause();
}

static void send_too_much(void)
{
	say_links(CHAIN_COMPILED);
	for (size_t i = 0; i < 10000; i++)
		keep("metadata/x", 0, 0, "");
	end(ST_OK, "");
}

static void answer(void)
{
#define DO(w) if (!strcmp(word, w))
	DO("good") be_good();
	DO("refuse") refuse();
	DO("crash") raise(SIGABRT);
	DO("leave") _exit(4);
	DO("hang") pause();
	DO("hello-twice") say(VERIFY_HELLO);
	DO("lie") { say_links(CHAIN_LOG); say_event(CHAIN_LOG, CHAIN_REFUSED, ST_BAD_PROOF);
		end(ST_OK, ""); }
	DO("nothing") end(ST_OK, "");
	DO("too-few") { say_links(CHAIN_FILES); end(ST_OK, ""); }
	DO("skip") { say_links(CHAIN_LOG); say_event(CHAIN_WITNESSES, CHAIN_PASSED, ST_OK); }
	DO("again") { say_links(CHAIN_LOG); say_event(CHAIN_CLOCK, CHAIN_PASSED, ST_OK); }
	DO("of-ours") say_links(CHAIN_HEALTH);
	DO("go-on") { say_event(CHAIN_CLOCK, CHAIN_REFUSED, ST_CONFLICT);
		say_event(CHAIN_ROOT, CHAIN_PASSED, ST_OK); }
	DO("garbage") say_raw("garbage", 7);
	DO("keep-too-long") keep("metadata/a", 5, 2, "abc");
	DO("kept-alone") { out.bytes = rd_make("abc", 3); say(VERIFY_KEPT); }
	DO("end-in-keep") { keep("metadata/a", 5, 1, "abc"); end(ST_OK, ""); }
	DO("leave-the-folder") keep("../../etc/passwd", 3, 1, "abc");
	DO("no-such-status") end((st_t)12345, "x");
	DO("miscount") { out.release.cosigned.cosigned[5] = true; end(ST_OK, ""); }
	DO("too-much") send_too_much();
	DO("fds") { say_links(CHAIN_COMPILED); out.release.root = fds; end(ST_OK, ""); }
	DO("flags") { say_links(CHAIN_COMPILED);
		out.release.root = request.flags; out.release.tree_size = request.have[31];
		out.release.snapshot = (uint64_t)request.now;
		out.release.targets = request.mirror; end(ST_OK, ""); }
	pause();
}

int main(void)
{
	take_fds();
	say(VERIFY_HELLO);
	take_request();
	answer();
	return 0;
}
