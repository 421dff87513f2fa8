#include "proc/broker/server.h"

#include "proc/broker/child.h"
#include "sandbox/roles.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Above the numbers that the descriptors get. */
#define OUT_OF_THE_WAY 16

static char env_locale[] = "LC_ALL=C.UTF-8";
static char env_zone[] = "TZ=UTC0";
static char *const environment[] = {env_locale, env_zone, NULL};

void server_hold_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static st_t place_fds(int sock, int dir, struct err *e)
{
	int a = fcntl(sock, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	int b = fcntl(dir, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	if (a < 0 || b < 0 || dup2(a, SANDBOX_FD_SOCK) < 0 || dup2(b, SANDBOX_FD_OUT) < 0)
		return fail_errno(e, "dup");
	return close_range(SANDBOX_FD_OUT + 1, ~0u, 0) ? fail_errno(e, "close_range") : ST_OK;
}

st_t server_exec(const char *program, const char *const *args, unsigned nargs, int sock, int dir,
                 struct err *e)
{
	char *argv[SERVER_ARGS_MAX + 2] = {(char *)(uintptr_t)program};
	char *path;
	if (nargs > SERVER_ARGS_MAX)
		return fail(e, ST_LIMIT, 0, "%s: too many arguments", program);
	for (unsigned i = 0; i < nargs; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	TRY(child_find(program, &path, e));
	TRY(place_fds(sock, dir, e));
	execve(path, argv, environment);
	return fail_errno(e, "%s", path);
}
