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
#include <sys/stat.h>
#include <unistd.h>

/* Files of trusted metadata are no larger (a root, a targets file of many delegations). */
#define TRUSTED_MAX ((size_t)16 << 20)

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

static st_t copy_file(int from, int to, const char *name, struct err *e)
{
	struct buf b = {0};
	AUTO_FD in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FD out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat sb;
	if (in < 0 || out < 0 || fstat(in, &sb) != 0)
		return fail_errno(e, "tuf/%s", name);
	if ((uint64_t)sb.st_size > TRUSTED_MAX)
		return fail(e, ST_LIMIT, 0, "tuf/%s: too large", name);
	st_t st = io_read_up_to(in, (size_t)sb.st_size, name, &b, e);
	if (st == ST_OK)
		st = io_write_all(out, b.data, b.len, e);
	buf_done(&b);
	return st;
}

static st_t copy_folder(int from, int to, bool deeper, struct err *e);

static st_t copy_entry(int from, int to, const char *name, bool deeper, struct err *e)
{
	struct stat sb;
	if (fstatat(from, name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		return fail_errno(e, "tuf/%s", name);
	if (S_ISREG(sb.st_mode))
		return copy_file(from, to, name, e);
	if (!S_ISDIR(sb.st_mode) || !deeper)
		return ST_OK;
	if (mkdirat(to, name, 0700) != 0)
		return fail_errno(e, "tuf/%s", name);
	AUTO_FD in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FD out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0 || out < 0)
		return fail_errno(e, "tuf/%s", name);
	return copy_folder(in, out, false, e);
}

static st_t copy_folder(int from, int to, bool deeper, struct err *e)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	st_t st = d ? ST_OK : fail_errno(e, "tuf");
	for (struct dirent *de; st == ST_OK && (de = readdir(d));)
		if (de->d_name[0] != '.')
			st = copy_entry(from, to, de->d_name, deeper, e);
	if (d)
		closedir(d);
	else
		fd_closep(&fd);
	return st;
}

st_t update_temp_copy(const struct update_temp *t, int tuf_fd, struct err *e)
{
	return copy_folder(tuf_fd, t->fd, true, e);
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
