#include "base/io.h"

#include <unistd.h>

void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

st_t io_pread_full(int fd, void *ret_buf, size_t n, uint64_t off, size_t *ret_n, struct err *e)
{
	size_t got = 0;
	while (got < n) {
		ssize_t k = pread(fd, (char *)ret_buf + got, n - got, (off_t)(off + got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "read");
		if (k == 0)
			break;
		got += (size_t)k;
	}
	*ret_n = got;
	return ST_OK;
}

st_t io_read_up_to(int fd, size_t n, const char *what, struct buf *ret, struct err *e)
{
	size_t got = 0;
	void *room = buf_room(ret, n);
	TRY(buf_check(ret, e, what));
	TRY(io_pread_full(fd, room, n, 0, &got, e));
	ret->len += got;
	return ST_OK;
}

st_t io_write_all(int fd, const void *p, size_t n, struct err *e)
{
	size_t done = 0;
	while (done < n) {
		ssize_t k = write(fd, (const char *)p + done, n - done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail_errno(e, "write");
		done += (size_t)k;
	}
	return ST_OK;
}
