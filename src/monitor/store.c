#include "monitor/store.h"

#include "base/io.h"
#include "crypto/digest.h"
#include "monitor/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_NAME ".new"

static st_t open_folder(int at, const char *path, int *ret, struct err *e)
{
	if (mkdirat(at, path, 0700) != 0 && errno != EEXIST)
		return fail_errno(e, "%s", path);
	*ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "%s", path) : ST_OK;
}

static st_t take_lock(struct monitor_store *s, const char *path, struct err *e)
{
	s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return fail_errno(e, "%s/lock", path);
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return ST_OK;
	if (errno == EWOULDBLOCK)
		return fail(e, ST_CONFLICT, 0, "%s: another monitor uses this folder", path);
	return fail_errno(e, "%s/lock", path);
}

st_t monitor_store_open(const char *path, struct monitor_store *ret, struct err *e)
{
	*ret = (struct monitor_store){-1, -1, -1};
	struct monitor_store s = *ret;
	st_t st = open_folder(AT_FDCWD, path, &s.dir, e);
	if (st == ST_OK)
		st = take_lock(&s, path, e);
	if (st == ST_OK)
		st = open_folder(s.dir, "evidence", &s.evidence, e);
	if (st == ST_OK)
		*ret = s;
	else
		monitor_store_close(&s);
	return st;
}

void monitor_store_close(struct monitor_store *s)
{
	fd_closep(&s->evidence);
	fd_closep(&s->dir);
	fd_closep(&s->lock);
}

st_t monitor_store_read(const struct monitor_store *s, struct buf *ret, struct err *e)
{
	AUTO_FD fd = openat(s->dir, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat sb;
	size_t n;
	if (fd < 0 && errno == ENOENT)
		return ST_OK;
	if (fd < 0 || fstat(fd, &sb) != 0)
		return fail_errno(e, "state");
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size > MONITOR_STATE_MAX)
		return fail(e, ST_MALFORMED, 0, "state: no regular file, or too large");
	if (sb.st_size == 0)
		return fail(e, ST_MALFORMED, 0, "state: the file is empty");
	void *room = buf_room(ret, (size_t)sb.st_size);
	TRY(buf_check(ret, e, "state"));
	TRY(io_pread_full(fd, room, (size_t)sb.st_size, 0, &n, e));
	ret->len += n;
	return ST_OK;
}

static st_t write_file(int dir, const char *name, struct rd bytes, struct err *e)
{
	AUTO_FD fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t n = rd_left(&bytes);
	if (fd < 0)
		return fail_errno(e, "%s", name);
	TRY(io_write_all(fd, rd_take(&bytes, n), n, e));
	return fsync(fd) ? fail_errno(e, "%s", name) : ST_OK;
}

static st_t replace(int dir, const char *name, struct rd bytes, struct err *e)
{
	TRY(write_file(dir, NEW_NAME, bytes, e));
	if (renameat(dir, NEW_NAME, dir, name) != 0)
		return fail_errno(e, "%s", name);
	return fsync(dir) ? fail_errno(e, "%s", name) : ST_OK;
}

st_t monitor_store_write(const struct monitor_store *s, struct rd state, struct err *e)
{
	return replace(s->dir, "state", state, e);
}

st_t monitor_store_evidence(const struct monitor_store *s, const char *name, struct rd bytes,
                            struct err *e)
{
	uint8_t sum[32];
	char hex[65], want[72];
	struct rd copy = bytes;
	size_t n = rd_left(&copy);
	TRY(digest_bytes(DIGEST_SHA256, rd_take(&copy, n), n, sum, e));
	hex_encode(sum, sizeof sum, hex);
	snprintf(want, sizeof want, "%s.note", hex);
	if (strcmp(name, want))
		return fail(e, ST_MALFORMED, 0, "evidence: its name is not its digest");
	struct stat sb;
	if (fstatat(s->evidence, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && sb.st_size == (off_t)n)
		return ST_OK;
	return replace(s->evidence, name, bytes, e);
}
