#include "cli/key_tty.h"

#include "base/io.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Signals wait in a descriptor while echo is off, so that none ends the process before the terminal
 * is as it was. */
struct tty {
	int fd, signals;
	sigset_t mask; /* before */
	struct termios before;
	int caught; /* 0: none */
};

static st_t hold_signals(struct tty *t, struct err *e)
{
	static const int held[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
		sigaddset(&set, held[i]);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (t->signals < 0)
		return fail_errno(e, "signalfd");
	pthread_sigmask(SIG_BLOCK, &set, &t->mask);
	return ST_OK;
}

static void release_signals(struct tty *t)
{
	pthread_sigmask(SIG_SETMASK, &t->mask, NULL);
	fd_closep(&t->signals);
	if (t->caught)
		raise(t->caught);
}

static st_t echo_off(struct tty *t, struct err *e)
{
	if (tcgetattr(t->fd, &t->before))
		return fail_errno(e, "/dev/tty");
	struct termios quiet = t->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (tcsetattr(t->fd, TCSAFLUSH, &quiet))
		return fail_errno(e, "/dev/tty");
	return ST_OK;
}

static st_t wait_for_input(struct tty *t, struct err *e)
{
	struct pollfd p[2] = {{.fd = t->fd, .events = POLLIN}, {.fd = t->signals, .events = POLLIN}};
	while (poll(p, 2, -1) < 0) {
		if (errno != EINTR)
			return fail_errno(e, "/dev/tty");
	}
	if (!p[1].revents)
		return ST_OK;
	struct signalfd_siginfo info;
	if (read(t->signals, &info, sizeof info) == (ssize_t)sizeof info)
		t->caught = (int)info.ssi_signo;
	return fail(e, (st_t)-EINTR, 0, "interrupted while asking for a passphrase");
}

/* A terminal hands out lines; a long one comes in pieces. */
static st_t read_line(struct tty *t, struct secret *ret, struct err *e)
{
	for (;;) {
		if (ret->len == ret->cap)
			return fail(e, ST_LIMIT, 0, "the passphrase is too long");
		TRY(wait_for_input(t, e));
		ssize_t k = read(t->fd, ret->data + ret->len, ret->cap - ret->len);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "/dev/tty");
		if (k == 0)
			return fail(e, ST_TRUNCATED, 0, "no passphrase was typed");
		ret->len += (size_t)k;
		if (ret->data[ret->len - 1] == '\n') {
			ret->len--;
			return ST_OK;
		}
	}
}

static st_t ask_quietly(struct tty *t, const char *question, struct secret *ret, struct err *e)
{
	TRY(echo_off(t, e));
	st_t st = io_write_all(t->fd, question, strlen(question), e);
	if (st == ST_OK)
		st = read_line(t, ret, e);
	(void)!tcsetattr(t->fd, TCSAFLUSH, &t->before);
	(void)!write(t->fd, "\n", 1);
	return st;
}

st_t key_tty_ask(const char *question, struct secret *ret, struct err *e)
{
	struct tty t = {.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), .signals = -1};
	if (t.fd < 0)
		return fail(e, ST_ENCRYPTED, 0, "there is no terminal to ask for the passphrase: say "
		                                "--passphrase-file FILE or --passphrase-fd N");
	st_t st = hold_signals(&t, e);
	if (st == ST_OK) {
		st = ask_quietly(&t, question, ret, e);
		release_signals(&t);
	}
	fd_closep(&t.fd);
	if (st != ST_OK)
		secret_wipe(ret);
	return st;
}
