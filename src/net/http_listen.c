#include "net/http_listen.h"

#include "base/io.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that wait to be accepted. */
#define BACKLOG 1024

struct address {
	struct sockaddr_storage a;
	socklen_t len;
};

static st_t read_port(const char *s, uint16_t *ret, struct err *e)
{
	uint32_t v = 0;
	size_t n = strspn(s, "0123456789");
	if (n == 0 || n > 5 || s[n])
		return fail(e, ST_MALFORMED, 0, "'%s' is not a port (0 to 65535)", s);
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	if (v > UINT16_MAX)
		return fail(e, ST_MALFORMED, 0, "'%s' is not a port (0 to 65535)", s);
	*ret = (uint16_t)v;
	return ST_OK;
}

static bool read_ip(const char *ip, uint16_t port, bool v6, struct address *ret)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)&ret->a;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&ret->a;
	*ret = (struct address){.len = v6 ? sizeof *a6 : sizeof *a4};
	ret->a.ss_family = v6 ? AF_INET6 : AF_INET;
	if (v6) {
		a6->sin6_port = htons(port);
		return inet_pton(AF_INET6, ip, &a6->sin6_addr) == 1;
	}
	a4->sin_port = htons(port);
	return inet_pton(AF_INET, strcmp(ip, "localhost") ? ip : "127.0.0.1", &a4->sin_addr) == 1;
}

/* ADDRESS:PORT or [ADDRESS]:PORT */
static st_t read_where(const char *where, struct address *ret, struct err *e)
{
	char ip[HTTP_NAME_MAX];
	uint16_t port = 0;
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;
	bool v6 = n >= 2 && where[0] == '[' && where[n - 1] == ']';
	if (n == 0 || n >= sizeof ip)
		return fail(e, ST_MALFORMED, 0, "'%s' is not ADDRESS:PORT", where);
	TRY(read_port(colon + 1, &port, e));
	size_t skip = v6 ? 1 : 0;
	memcpy(ip, where + skip, n - 2 * skip);
	ip[n - 2 * skip] = '\0';
	if (!read_ip(ip, port, v6, ret))
		return fail(e, ST_MALFORMED, 0, "'%s' is not a numeric address", ip);
	return ST_OK;
}

static st_t name_socket(int sock, char ret[HTTP_NAME_MAX], struct err *e)
{
	struct address x = {.len = sizeof x.a};
	char ip[INET6_ADDRSTRLEN] = "";
	if (getsockname(sock, (struct sockaddr *)&x.a, &x.len) != 0)
		return fail_errno(e, "socket");
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)&x.a;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&x.a;
	bool v6 = x.a.ss_family == AF_INET6;
	if (!v6 && x.a.ss_family != AF_INET)
		return fail(e, ST_MALFORMED, 0, "the inherited socket is not one of TCP");
	inet_ntop(x.a.ss_family, v6 ? (const void *)&a6->sin6_addr : &a4->sin_addr, ip, sizeof ip);
	snprintf(ret, HTTP_NAME_MAX, v6 ? "[%s]:%u" : "%s:%u", ip,
	         ntohs(v6 ? a6->sin6_port : a4->sin_port));
	return ST_OK;
}

st_t http_listen(const char *where, int *ret_sock, char ret_name[HTTP_NAME_MAX], struct err *e)
{
	struct address x;
	int on = 1;
	TRY(read_where(where, &x, e));
	AUTO_FD s = socket(x.a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return fail_errno(e, "socket");
	/* A server that was restarted gets its port back at once. */
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return fail_errno(e, "socket");
	if (bind(s, (struct sockaddr *)&x.a, x.len) != 0 || listen(s, BACKLOG) != 0)
		return fail_errno(e, "%s", where);
	TRY(name_socket(s, ret_name, e));
	*ret_sock = s;
	s = -1;
	return ST_OK;
}

st_t http_listen_inherited(int sock, char ret_name[HTTP_NAME_MAX], struct err *e)
{
	int listens = 0, type = 0;
	socklen_t n = sizeof listens, m = sizeof type;
	if (getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 ||
	    getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &m) != 0)
		return fail(e, ST_MALFORMED, 0, "descriptor %d is not a socket", sock);
	if (!listens || type != SOCK_STREAM)
		return fail(e, ST_MALFORMED, 0, "the inherited socket does not listen");
	TRY(name_socket(sock, ret_name, e));
	int flags = fcntl(sock, F_GETFL);
	if (flags < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(sock, F_SETFD, FD_CLOEXEC) != 0)
		return fail_errno(e, "the inherited socket");
	return ST_OK;
}
