#include "proc/broker/child.h"

#include "base/io.h"
#include "base/num.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above every number that the child's descriptors will have, so that dup2() there overwrites
 * nothing still needed. */
#define FD_OUT_OF_THE_WAY 16

/* A process closes its descriptors a moment before it can be waited for. */
#define REAP_WAIT_MS 250

/* Locale and time as the jail sets them again; nothing of the user's environment gets in. */
static char env_locale[] = "LC_ALL=C.UTF-8";
static char env_zone[] = "TZ=UTC0";
static char *const environment[] = {env_locale, env_zone, NULL};

static bool own_folder(char *ret, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", ret, cap - 1);
	if (n <= 0 || (size_t)n >= cap - 1)
		return false;
	ret[n] = '\0';
	char *slash = strrchr(ret, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

st_t child_find(const char *name, char **ret, struct err *e)
{
	static const char *const places[] = {"", "/../proc", "/../libexec/vitrine"};
	char dir[4096];
	bool known = own_folder(dir, sizeof dir);
	char *path = NULL;
	for (size_t i = 0; known && i < ARRAY_LEN(places); i++) {
		if (asprintf(&path, "%s%s/%s", dir, places[i], name) < 0)
			return fail(e, ST_NOMEM, 0, "%s: out of memory", name);
		if (access(path, X_OK) == 0) {
			*ret = path;
			return ST_OK;
		}
		free(path);
	}
	if (asprintf(&path, "%s/%s", VITRINE_LIBEXECDIR, name) < 0)
		return fail(e, ST_NOMEM, 0, "%s: out of memory", name);
	*ret = path;
	return ST_OK;
}

static int plan_fds(posix_spawn_file_actions_t *a, int sock, int out_fd)
{
	int bad = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDWR, 0);
	if (!bad)
		bad = posix_spawn_file_actions_adddup2(a, 0, 1);
	if (!bad)
		bad = posix_spawn_file_actions_adddup2(a, sock, SANDBOX_FD_SOCK);
	if (!bad && out_fd >= 0)
		bad = posix_spawn_file_actions_adddup2(a, out_fd, SANDBOX_FD_OUT);
	int rest = out_fd >= 0 ? SANDBOX_FD_OUT + 1 : SANDBOX_FD_SOCK + 1;
	return bad ? bad : posix_spawn_file_actions_addclosefrom_np(a, rest);
}

/* The child gets signals as they are by default, whatever ours are. */
static int plan_signals(posix_spawnattr_t *a)
{
	sigset_t set;
	sigemptyset(&set);
	int bad = posix_spawnattr_setsigmask(a, &set);
	sigfillset(&set);
	if (!bad)
		bad = posix_spawnattr_setsigdefault(a, &set);
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	return bad ? bad : posix_spawnattr_setflags(a, flags);
}

static st_t spawn(const char *path, const char *arg, int sock, int out_fd, pid_t *ret,
                  struct err *e)
{
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t attr;
	if (posix_spawn_file_actions_init(&fds))
		return fail(e, ST_NOMEM, 0, "%s: out of memory", path);
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&fds);
		return fail(e, ST_NOMEM, 0, "%s: out of memory", path);
	}
	int bad = plan_fds(&fds, sock, out_fd);
	if (!bad)
		bad = plan_signals(&attr);
	char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)arg, NULL};
	if (!bad)
		bad = posix_spawn(ret, path, &fds, &attr, argv, environment);
	posix_spawn_file_actions_destroy(&fds);
	posix_spawnattr_destroy(&attr);
	errno = bad;
	return bad ? fail_errno(e, "%s", path) : ST_OK;
}

/* A copy that the numbers of the child's descriptors do not collide with; -1 stays -1. */
static st_t out_of_the_way(int fd, int *ret, struct err *e)
{
	*ret = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_OUT_OF_THE_WAY);
	return fd >= 0 && *ret < 0 ? fail_errno(e, "dup") : ST_OK;
}

st_t child_start(const char *path, const char *arg, int out_fd, uint32_t state, struct child *ret,
                 struct err *e)
{
	int pair[2];
	TRY(ipc_pair(pair, e));
	AUTO_FD ours = pair[0];
	AUTO_FD theirs = pair[1];
	AUTO_FD sock = -1;
	AUTO_FD out = -1;
	TRY(out_of_the_way(theirs, &sock, e));
	TRY(out_of_the_way(out_fd, &out, e));
	pid_t pid;
	TRY(spawn(path, arg, sock, out, &pid, e));
	*ret = (struct child){.pid = pid, .peer = {.sock = ours, .self = BROKER, .state = state}};
	ours = -1;
	return ST_OK;
}

static void wait_for_end(pid_t pid)
{
	AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	if (pidfd >= 0)
		(void)poll(&p, 1, REAP_WAIT_MS);
}

/* Kills (a process that has ended does not mind) and collects the status. */
static int collect(struct child *c, struct rusage *ret)
{
	int status = 0;
	kill(c->pid, SIGKILL);
	while (wait4(c->pid, &status, 0, ret) < 0 && errno == EINTR)
		continue;
	fd_closep(&c->peer.sock);
	c->pid = 0;
	return status;
}

static void describe(int status, char *ret, size_t cap)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == MSG_EXIT_NOMEM)
		snprintf(ret, cap, "exceeded its memory");
	else if (WIFEXITED(status))
		snprintf(ret, cap, "ended by itself (status %d)", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGSYS)
		snprintf(ret, cap, "tried a forbidden system call (signal %d)", SIGSYS);
	else if (WTERMSIG(status) == SIGKILL)
		snprintf(ret, cap, "was killed (signal %d)", SIGKILL);
	else
		snprintf(ret, cap, "crashed (signal %d)", WTERMSIG(status));
}

void child_reap(struct child *c, char *ret, size_t cap)
{
	wait_for_end(c->pid);
	struct rusage used;
	describe(collect(c, &used), ret, cap);
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

void child_kill_count(struct child *c, uint64_t *cpu_us)
{
	struct rusage used = {0};
	if (!c->pid)
		return;
	(void)collect(c, &used);
	*cpu_us += microseconds(&used.ru_utime) + microseconds(&used.ru_stime);
}

void child_kill(struct child *c)
{
	uint64_t cpu_us = 0;
	child_kill_count(c, &cpu_us);
}

uint64_t child_peak_kb(const struct child *c)
{
	char text[4096];
	snprintf(text, sizeof text, "/proc/%d/status", (int)c->pid);
	AUTO_FD fd = open(text, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *line = strstr(text, "VmHWM:");
	return line ? strtoull(line + 6, NULL, 10) : 0;
}
