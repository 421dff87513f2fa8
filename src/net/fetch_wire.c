#include "net/fetch_wire.h"

#include "base/num.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum field_kind {
	F_END,
	F_U32,  /* min to max */
	F_U64,  /* at most max */
	F_TEXT, /* printable ASCII, less than max bytes */
	F_REST, /* min to max bytes up to the end */
};

struct field {
	uint8_t kind;
	uint16_t off; /* in struct frame */
	uint64_t max;
	uint32_t min;
};

#define OFF(m) offsetof(struct frame, m)
#define U32(m, lo, hi) {F_U32, OFF(m), (hi), (lo)}
#define U64(m, hi) {F_U64, OFF(m), (hi), 0}
#define TEXT(m) {F_TEXT, OFF(m), sizeof ((struct frame *)NULL)->m, 0}
#define REST(lo) {F_REST, OFF(bytes), FRAME_BYTES_MAX, (lo)}

#define FIELDS_MAX 10

static const struct {
	const char *name;
	enum frame_side from;
	struct field fields[FIELDS_MAX];
} frames[FRAME_TYPES] = {
	[FRAME_SETUP] = {"SETUP", FRAME_CLIENT, {U32(per_host, 1, FETCH_PER_HOST_MAX),
	                 U32(connect_ms, 1, FETCH_TIMEOUT_MS_MAX), TEXT(proxy)}},
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
};

_Static_assert(FETCH_URL_MAX + FETCH_TYPE_MAX + 64 <= FRAME_MAX, "a request fits into a packet");

enum frame_side frame_sender(enum frame_type type)
{
	return frames[type].from;
}

static void write_field(const struct frame *f, const struct field *d, struct buf *b)
{
	const char *p = (const char *)f + d->off;
	size_t n;
	switch (d->kind) {
	case F_U32:
		buf_u32le(b, load_u32le(p));
		return;
	case F_U64:
		buf_u64le(b, load_u64le(p));
		return;
	case F_TEXT:
		n = strnlen(p, (size_t)d->max - 1);
		buf_u32le(b, (uint32_t)n);
		buf_add(b, p, n);
		return;
	default:
		buf_add(b, f->bytes.base, f->bytes.len);
	}
}

void frame_write(const struct frame *f, struct buf *b)
{
	buf_u32le(b, (uint32_t)f->type);
	for (const struct field *d = frames[f->type].fields; d->kind != F_END; d++)
		write_field(f, d, b);
}

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

static bool read_text(struct rd *r, char *dst, size_t cap)
{
	uint32_t n = rd_u32le(r);
	if (r->bad || n >= cap)
		return false;
	rd_copy(r, dst, n);
	dst[n] = '\0';
	return is_printable(dst, n);
}

static bool read_u32(struct rd *r, char *dst, const struct field *d)
{
	uint32_t v = rd_u32le(r);
	memcpy(dst, &v, sizeof v);
	return v >= d->min && v <= d->max;
}

static bool read_u64(struct rd *r, char *dst, const struct field *d)
{
	uint64_t v = rd_u64le(r);
	memcpy(dst, &v, sizeof v);
	return v <= d->max;
}

static bool read_field(struct rd *r, const struct field *d, struct frame *f)
{
	char *p = (char *)f + d->off;
	switch (d->kind) {
	case F_U32:
		return read_u32(r, p, d);
	case F_U64:
		return read_u64(r, p, d);
	case F_TEXT:
		return read_text(r, p, (size_t)d->max);
	default:
		f->bytes = rd_sub(r, rd_left(r));
		return f->bytes.len >= d->min && f->bytes.len <= d->max;
	}
}

st_t frame_read(struct rd in, enum frame_side from, struct frame *ret, struct err *e)
{
	uint32_t type = rd_u32le(&in);
	TRY(rd_check(&in, e, "fetcher: frame"));
	if (type >= FRAME_TYPES || frames[type].from != from)
		return fail(e, ST_MALFORMED, 0, "fetcher: frame %u out of turn", type);
	ret->type = (enum frame_type)type;
	for (const struct field *d = frames[type].fields; d->kind != F_END; d++)
		if (!read_field(&in, d, ret))
			return fail(e, ST_MALFORMED, in.pos, "fetcher: frame %s: bad field",
			            frames[type].name);
	TRY(rd_check(&in, e, frames[type].name));
	if (rd_left(&in) > 0)
		return fail(e, ST_MALFORMED, in.pos, "fetcher: frame %s: too long", frames[type].name);
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
	if (n == FETCH_URL_MAX || !is_printable(s, n) || memchr(s, ' ', n) || memchr(s, '#', n))
		return false;
	if (!strncmp(s, "http://", 7))
		return authority_is_good(s + 7);
	return !strncmp(s, "https://", 8) && authority_is_good(s + 8);
}
