/* A worker for tests of the pool: speaks the protocol, has no jail and does what the first word of
 * each "file" says; the first word of the "database" decides how it starts. */
#include "base/io.h"
#include "proc/msg.h"
#include "sandbox/roles.h"
#include "scan/scan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct msg_peer peer = {.sock = SANDBOX_FD_SOCK, .self = WORKER, .state = S_NEW};
static struct msg out;

static void say(int fd)
{
	if (msg_send(&peer, &out, fd, true, NULL) != ST_OK)
		_exit(9);
}

static void say_done(uint64_t id, enum verdict v)
{
	out.type = MSG_DONE;
	out.done = (struct msg_done){.id = id, .verdict = v, .type_name = "CL_TYPE_BINARY_DATA",
	                             .bytes_read = 7, .bytes_scanned = 8, .objects = 1};
	say(-1);
}

static void say_found(uint64_t id)
{
	out = (struct msg){.type = MSG_FOUND};
	out.found.id = id;
	strcpy(out.found.name, "Made.Up");
	strcpy(out.found.inner, "a.zip/b");
	say(-1);
}

/* Bytes that the protocol's own sender would refuse. */
static void say_raw(const void *p, size_t n, int fd)
{
	if (ipc_send(SANDBOX_FD_SOCK, p, n, fd, true, NULL) != ST_OK)
		_exit(9);
}

static void do_clean(uint64_t id)
{
	say_done(id, VERDICT_CLEAN);
}

static void do_found(uint64_t id)
{
	say_found(id);
	say_done(id, VERDICT_FOUND);
}

static void do_slow(uint64_t id)
{
	usleep(20000);
	do_clean(id);
}

static void do_crash(uint64_t id)
{
	say_found(id);
	signal(SIGSEGV, SIG_DFL); /* else a sanitizer takes its time over it */
	raise(SIGSEGV);
}

static void do_forbidden(uint64_t id)
{
	(void)id;
	raise(SIGSYS);
}

static void do_memory(uint64_t id)
{
	out.type = MSG_SCAN_FAIL;
	out.fail = (struct msg_fail){.id = id, .why = ST_NOMEM};
	say(-1);
	_exit(0);
}

static void do_exit(uint64_t id)
{
	(void)id;
	_exit(MSG_EXIT_NOMEM);
}

static void do_hang(uint64_t id)
{
	(void)id;
	for (;;)
		pause();
}

static void do_garbage(uint64_t id)
{
	(void)id;
	say_raw("\xff\xff\xff\xff garbage", 12, -1);
	do_hang(id);
}

static void do_other(uint64_t id)
{
	say_done(id + 1, VERDICT_CLEAN);
	do_hang(id);
}

static void do_twice(uint64_t id)
{
	do_clean(id);
	do_clean(id);
	do_hang(id);
}

static void do_liar(uint64_t id)
{
	say_found(id);
	say_done(id, VERDICT_CLEAN);
	do_hang(id);
}

static void do_descriptor(uint64_t id)
{
	struct buf b = {0};
	out.type = MSG_DONE;
	out.done = (struct msg_done){.id = id};
	msg_write(&out, &b);
	say_raw(b.data, b.len, 0);
	do_hang(id);
}

static void do_flood(uint64_t id)
{
	for (int i = 0; i <= MSG_EVENTS_MAX; i++)
		say_found(id);
	do_hang(id);
}

static void do_close(uint64_t id)
{
	close(SANDBOX_FD_SOCK);
	do_hang(id);
}

static const struct {
	const char *word;
	void (*act)(uint64_t id);
} acts[] = {
	{"clean", do_clean},     {"found", do_found},     {"slow", do_slow},
	{"crash", do_crash},     {"forbidden", do_forbidden}, {"memory", do_memory},
	{"exit", do_exit},       {"hang", do_hang},       {"garbage", do_garbage},
	{"other", do_other},     {"twice", do_twice},     {"liar", do_liar},
	{"descriptor", do_descriptor}, {"flood", do_flood}, {"close", do_close},
};

static void read_word(int fd, char ret[32])
{
	size_t n = 0;
	if (io_pread_full(fd, ret, 31, 0, &n, NULL) != ST_OK)
		_exit(8);
	ret[n] = '\0';
	ret[strcspn(ret, " \n")] = '\0';
	close(fd);
}

static void next(struct msg *ret, char word[32])
{
	enum ipc_got got;
	int fd;
	if (msg_recv(&peer, true, ret, &fd, &got, NULL) != ST_OK || got != IPC_PACKET)
		_exit(0);
	read_word(fd, word);
}

static void start(const char *word)
{
	if (!strcmp(word, "die"))
		raise(SIGABRT);
	if (!strcmp(word, "refuse")) {
		out = (struct msg){.type = MSG_HELLO_FAIL};
		out.fail = (struct msg_fail){.why = ST_BAD_SUM, .text = "database: wrong checksum"};
		say(-1);
		_exit(0);
	}
	out = (struct msg){.type = MSG_HELLO};
	out.hello = (struct msg_hello){.signatures = 42, .missing = SANDBOX_NO_LANDLOCK};
	say(-1);
}

int main(void)
{
	struct msg in;
	char word[32];
	next(&in, word);
	start(word);
	bool crashing = !strcmp(word, "crashing"), hanging = !strcmp(word, "hanging");
	bool healthy = !strcmp(word, "healthy");
	for (;;) {
		next(&in, word);
		if (crashing)
			do_forbidden(in.scan.id);
		if (hanging)
			do_hang(in.scan.id);
		if (healthy)
			(strncmp(word, "X5O!", 4) ? do_clean : do_found)(in.scan.id);
		for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
			if (!strcmp(acts[i].word, word))
				acts[i].act(in.scan.id);
	}
}
