#include "net/fetch_wire.h"

#include "net/wire.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define OFF(m) offsetof(struct frame, m)
#define U32(m, lo, hi) {WIRE_U32, OFF(m), (hi), (lo)}
#define U64(m, hi) {WIRE_U64, OFF(m), (hi), 0}
#define TEXT(m) {WIRE_LINE, OFF(m), sizeof ((struct frame *)NULL)->m, 0}
#define REST(lo) {WIRE_REST, OFF(bytes), FRAME_BYTES_MAX, (lo)}

#define FIELDS_MAX 10

static const struct {
	const char *name;
	enum frame_side from;
	struct wire_field fields[FIELDS_MAX];
} frames[FRAME_TYPES] = {
	[FRAME_ALLOW] = {"ALLOW", FRAME_CLIENT, {U32(may, 1, FETCH_MAY_ALL), TEXT(url)}},
	[FRAME_SETUP] = {"SETUP", FRAME_CLIENT, {U32(per_host, 1, FETCH_PER_HOST_MAX),
	                 U32(connect_ms, 1, FETCH_TIMEOUT_MS_MAX), U64(send_max, UINT64_MAX),
	                 TEXT(proxy)}},
	[FRAME_REQUEST] = {"REQUEST", FRAME_CLIENT, {U64(id, UINT64_MAX), U32(method, 0, FRAME_HEAD),
	                   U64(max, FETCH_FILE_MAX), U32(timeout_ms, 1, FETCH_TIMEOUT_MS_MAX),
	                   U32(nbody, 0, FETCH_BODY_MAX), U64(from, FETCH_FILE_MAX),
	                   U64(bandwidth, FETCH_FILE_MAX), TEXT(url), TEXT(content_type)}},
	[FRAME_SEND] = {"SEND", FRAME_CLIENT, {U64(id, UINT64_MAX), REST(1)}},
	[FRAME_HELLO] = {"HELLO", FRAME_FETCHER, {U32(missing, 0, 7), U32(landlock_abi, 0, 255)}},
	[FRAME_PART] = {"PART", FRAME_FETCHER, {U64(id, UINT64_MAX), REST(1)}},
	[FRAME_DONE] = {"DONE", FRAME_FETCHER, {U64(id, UINT64_MAX), U32(status, 100, 999),
	                U64(size, FETCH_FILE_MAX), TEXT(content_type), REST(0)}},
	[FRAME_FAILED] = {"FAILED", FRAME_FETCHER, {U64(id, UINT64_MAX),
	                  U32(failure, 0, FETCH_FAILURES - 1), TEXT(error)}},
	[FRAME_CANCEL] = {"CANCEL", FRAME_CLIENT, {U64(id, UINT64_MAX)}},
	[FRAME_CLOSE] = {"CLOSE", FRAME_CLIENT, {{0}}},
	[FRAME_SENT] = {"SENT", FRAME_FETCHER, {U64(sent, UINT64_MAX)}},
};

_Static_assert(FETCH_MAY_GET == 1 << FRAME_GET && FETCH_MAY_POST == 1 << FRAME_POST &&
               FETCH_MAY_HEAD == 1 << FRAME_HEAD, "one bit each");
_Static_assert(FETCH_URL_MAX + FETCH_TYPE_MAX + 64 <= FRAME_MAX, "a request fits into a packet");

enum frame_side frame_sender(enum frame_type type)
{
	return frames[type].from;
}

void frame_write(const struct frame *f, struct buf *b)
{
	buf_u32le(b, (uint32_t)f->type);
	wire_write(frames[f->type].fields, f, b);
}

st_t frame_read(struct rd in, enum frame_side from, struct frame *ret, struct err *e)
{
	uint32_t type = rd_u32le(&in);
	TRY(rd_check(&in, e, "fetcher: frame"));
	if (type >= FRAME_TYPES || frames[type].from != from)
		return fail(e, ST_MALFORMED, 0, "fetcher: frame %u out of turn", type);
	ret->type = (enum frame_type)type;
	if (!wire_read(frames[type].fields, &in, ret))
		return fail(e, ST_MALFORMED, in.pos, "fetcher: frame %s: bad field", frames[type].name);
	return ST_OK;
}

st_t frame_send(int sock, const struct buf *packet, struct err *e)
{
	struct iovec io = {.iov_base = packet->data, .iov_len = packet->len};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	ssize_t n;
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? fail_errno(e, "fetcher: send") : ST_OK;
}

st_t frame_recv(int sock, uint8_t buf[FRAME_MAX], size_t *ret_len, struct err *e)
{
	struct iovec io = {.iov_base = buf, .iov_len = FRAME_MAX};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	/* The kernel reports once that the peer ended without reading all of ours. */
	ssize_t n;
	do
		n = recvmsg(sock, &m, MSG_DONTWAIT);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return fail_errno(e, "fetcher: receive");
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return fail(e, ST_MALFORMED, 0, "fetcher: a packet longer than any frame, or a descriptor");
	*ret_len = (size_t)n;
	return ST_OK;
}

/* The part of the URL between "//" and the next of "/?#": user name, host and port. */
static bool authority_is_good(const char *s)
{
	size_t n = strcspn(s, "/?#");
	return n > 0 && !memchr(s, '@', n) && !memchr(s, '\\', n);
}

bool fetch_url_is_good(const char *s)
{
	size_t n = strnlen(s, FETCH_URL_MAX);
	if (n == FETCH_URL_MAX || !wire_is_printable(s, n) || memchr(s, ' ', n) || memchr(s, '#', n))
		return false;
	if (!strncmp(s, "http://", 7))
		return authority_is_good(s + 7);
	return !strncmp(s, "https://", 8) && authority_is_good(s + 8);
}
