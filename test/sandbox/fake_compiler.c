/* A compiler for tests of the broker's side: speaks the protocol, has no jail, and does what the
 * first word of the first source says. */
#include "base/io.h"
#include "proc/msg.h"
#include "sandbox/roles.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct msg_peer peer = {.sock = SANDBOX_FD_SOCK, .self = COMPILER, .state = C_NEW};
static struct msg out;
static uint32_t nsources;
static char word[32];

static void say(void)
{
	if (msg_send(&peer, &out, -1, true, NULL) != ST_OK)
		_exit(9);
}

static void read_word(int fd)
{
	size_t n = 0;
	if (!word[0] && io_pread_full(fd, word, sizeof word - 1, 0, &n, NULL) != ST_OK)
		_exit(8);
	close(fd);
}

static void receive(void)
{
	struct msg in;
	enum ipc_got got;
	int fd;
	while (peer.state != C_RUNNING) {
		if (msg_recv(&peer, true, &in, &fd, &got, NULL) != ST_OK || got != IPC_PACKET)
			_exit(7);
		nsources += in.type == MSG_SOURCE;
		if (in.type == MSG_SOURCE)
			read_word(fd);
	}
	if (in.compile.nsources != nsources)
		_exit(6);
}

static void say_skipped(int n)
{
	out = (struct msg){.type = MSG_SKIPPED};
	strcpy(out.skipped.file, "a.ndb");
	strcpy(out.skipped.why, "bad hex");
	for (int i = 0; i < n; i++) {
		out.skipped.line = (uint32_t)i + 1;
		say();
	}
}

static void say_compiled(uint64_t size)
{
	out = (struct msg){.type = MSG_COMPILED};
	out.compiled.size = size;
	out.compiled.sigs = nsources;
	out.compiled.nskipped = 2;
	say();
}

static void refuse(void)
{
	out = (struct msg){.type = MSG_REFUSED};
	out.fail = (struct msg_fail){.why = ST_UNSUPPORTED, .text = "x.foo: unknown kind"};
	say();
}

static void compile(void)
{
	say_skipped(2);
	out = (struct msg){.type = MSG_INACTIVE};
	strcpy(out.inactive.what, "icon group");
	out.inactive.n = 3;
	say();
	if (write(SANDBOX_FD_OUT, "database", 8) != 8)
		_exit(5);
	say_compiled(8);
}

int main(void)
{
	receive();
	if (!strcmp(word, "good"))
		compile();
	if (!strcmp(word, "refuse"))
		refuse();
	if (!strcmp(word, "crash"))
		raise(SIGABRT);
	if (!strcmp(word, "memory"))
		_exit(MSG_EXIT_NOMEM);
	if (!strcmp(word, "flood"))
		say_skipped(MSG_SKIPPED_MAX + 1);
	if (!strcmp(word, "size"))
		say_compiled(9);
	_exit(0);
}
