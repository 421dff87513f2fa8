#include "sandbox/ipc.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more descriptors than are allowed, so that a few too many are seen and closed here; the
 * kernel drops what exceeds even that and says so. */
#define FDS_ROOM 4

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_ROOM * sizeof(int))];
};

st_t ipc_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) != 0)
		return fail_errno(e, "socketpair");
	return ST_OK;
}

static void put_fd(struct msghdr *m, union control *c, int fd)
{
	memset(c, 0, sizeof *c);
	m->msg_control = c->bytes;
	m->msg_controllen = CMSG_SPACE(sizeof fd);
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
}

st_t ipc_send(int sock, const void *p, size_t len, int fd, bool wait, struct err *e)
{
	union control c;
	struct iovec io = {.iov_base = (void *)(uintptr_t)p, .iov_len = len};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	if (fd >= 0)
		put_fd(&m, &c, fd);
	ssize_t n;
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	return n < 0 ? fail_errno(e, "send message") : ST_OK;
}

/* Descriptors of one control message; all but the first are closed. Returns how many there were. */
static size_t take_fds(const struct cmsghdr *h, int *ret_fd)
{
	size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < n; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
		if (*ret_fd < 0)
			*ret_fd = fd;
		else
			close(fd);
	}
	return n;
}

/* False if there was anything but a single descriptor. */
static bool take_control(struct msghdr *m, int *ret_fd)
{
	size_t nfds = 0;
	bool foreign = false;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
			nfds += take_fds(h, ret_fd);
		else
			foreign = true;
	}
	return nfds <= 1 && !foreign;
}

st_t ipc_recv(int sock, bool wait, struct ipc_packet *ret, enum ipc_got *ret_got, struct err *e)
{
	union control c;
	struct iovec io = {.iov_base = ret->bytes, .iov_len = sizeof ret->bytes};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = c.bytes,
	                   .msg_controllen = sizeof c.bytes};
	ret->len = 0;
	ret->fd = -1;
	/* The kernel reports once that the peer ended without reading all of ours; what it had said
	 * before is still to be had behind that. */
	ssize_t n;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		*ret_got = IPC_NOTHING;
		return ST_OK;
	}
	if (n < 0)
		return fail_errno(e, "receive message");
	bool good = take_control(&m, &ret->fd);
	if (!good || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || (n == 0 && ret->fd >= 0)) {
		if (ret->fd >= 0)
			close(ret->fd);
		ret->fd = -1;
		return fail(e, ST_MALFORMED, 0, "message: cut, or not one descriptor");
	}
	ret->len = (size_t)n;
	*ret_got = n > 0 ? IPC_PACKET : IPC_END;
	return ST_OK;
}
