/* Where a dry run and `vitrine verify` let the verifier remember what it trusts: a folder that
 * nobody else can open, below $TMPDIR or /tmp, which is removed. */
#include "base/io.h"
#include "cli/update_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

st_t update_temp_make(struct update_temp *t, struct err *e)
{
	const char *base = getenv("TMPDIR");
	t->fd = -1;
	int n = snprintf(t->path, sizeof t->path, "%s/vitrine-XXXXXX",
	                 base && base[0] == '/' ? base : "/tmp");
	if (n < 0 || (size_t)n >= sizeof t->path)
		return fail(e, ST_LIMIT, 0, "$TMPDIR is too long");
	if (!mkdtemp(t->path))
		return fail_errno(e, "%s", t->path);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return t->fd < 0 ? fail_errno(e, "%s", t->path) : ST_OK;
}

/* One level of folders is all that the verifier's store has. */
static void empty_folder(int at, const char *name, bool deeper)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		fd_closep(&fd);
		return;
	}
	for (struct dirent *de; (de = readdir(d));) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (unlinkat(fd, de->d_name, 0) == 0 || !deeper)
			continue;
		empty_folder(fd, de->d_name, false);
		(void)!unlinkat(fd, de->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void update_temp_remove(struct update_temp *t)
{
	if (t->fd < 0)
		return;
	empty_folder(t->fd, ".", true);
	fd_closep(&t->fd);
	(void)!rmdir(t->path);
}

st_t update_block_signals(int *ret_fd, struct err *e)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fail_errno(e, "signals");
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return *ret_fd < 0 ? fail_errno(e, "signals") : ST_OK;
}

/* One that came meanwhile ends the program now. */
void update_unblock_signals(int *fd)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	fd_closep(fd);
	(void)!sigprocmask(SIG_UNBLOCK, &set, NULL);
}
