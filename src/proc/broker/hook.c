#include "proc/broker/hook.h"

#include "base/io.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char env_path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
static char env_locale[] = "LC_ALL=C.UTF-8";
static char *const environment[] = {env_path, env_locale, NULL};

/* In memory, so that a hook that does not read cannot make us wait. */
static st_t make_input(const char *line, int *ret, struct err *e)
{
	AUTO_FD fd = memfd_create("alert", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "memfd");
	TRY(io_write_all(fd, line, strlen(line), e));
	TRY(io_write_all(fd, "\n", 1, e));
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fail_errno(e, "memfd");
	*ret = fd;
	fd = -1;
	return ST_OK;
}

static int plan_fds(posix_spawn_file_actions_t *a, int input)
{
	int bad = posix_spawn_file_actions_adddup2(a, input, 0);
	if (!bad)
		bad = posix_spawn_file_actions_addopen(a, 1, "/dev/null", O_WRONLY, 0);
	return bad ? bad : posix_spawn_file_actions_addclosefrom_np(a, 3);
}

/* A process group of its own, signals as they are by default. */
static int plan_attributes(posix_spawnattr_t *a)
{
	sigset_t set;
	sigemptyset(&set);
	int bad = posix_spawnattr_setsigmask(a, &set);
	sigfillset(&set);
	if (!bad)
		bad = posix_spawnattr_setsigdefault(a, &set);
	if (!bad)
		bad = posix_spawnattr_setpgroup(a, 0);
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
	return bad ? bad : posix_spawnattr_setflags(a, flags);
}

static st_t start(char *const *argv, int input, pid_t *ret, struct err *e)
{
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t attr;
	if (posix_spawn_file_actions_init(&fds))
		return fail(e, ST_NOMEM, 0, "hook: out of memory");
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&fds);
		return fail(e, ST_NOMEM, 0, "hook: out of memory");
	}
	int bad = plan_fds(&fds, input);
	if (!bad)
		bad = plan_attributes(&attr);
	if (!bad)
		bad = posix_spawn(ret, argv[0], &fds, &attr, argv, environment);
	posix_spawn_file_actions_destroy(&fds);
	posix_spawnattr_destroy(&attr);
	errno = bad;
	return bad ? fail_errno(e, "hook %s", argv[0]) : ST_OK;
}

/* Whether it ended by itself. */
static bool wait_for_end(pid_t pid)
{
	AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, HOOK_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

st_t hook_run(char *const *argv, const char *line, struct err *e)
{
	AUTO_FD input = -1;
	pid_t pid;
	int status = 0;
	TRY(make_input(line, &input, e));
	TRY(start(argv, input, &pid, e));
	bool ended = wait_for_end(pid);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!ended)
		return fail(e, ST_TIMEOUT, 0, "hook %s: killed after %d s", argv[0],
		            HOOK_TIMEOUT_MS / 1000);
	if (WIFSIGNALED(status))
		return fail(e, ST_CONFLICT, 0, "hook %s: signal %d", argv[0], WTERMSIG(status));
	if (WEXITSTATUS(status))
		return fail(e, ST_CONFLICT, 0, "hook %s: exit status %d", argv[0], WEXITSTATUS(status));
	return ST_OK;
}
