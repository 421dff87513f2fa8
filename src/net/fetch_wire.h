/* What is said between a process and its vitrine-fetcher: frames, each one packet of a
 * SOCK_SEQPACKET socket.
 *
 *   OFFSET SIZE MEANING
 *   0      4    enum frame_type
 *   4      …    the fields of that type in the order of struct frame, little-endian; a text is its
 *               length (4 bytes) and its bytes; `bytes` is the rest of the packet
 *
 *   starter -> fetcher  any number of ALLOW, then SETUP, once: what may be asked for. Later ones
 *                       end the fetcher, so who is handed the socket cannot change it
 *   client -> fetcher   any number of REQUEST, each followed by as many SEND as its body of nbody
 *                       bytes takes; CANCEL for one that need not be gone on with, and that is
 *                       answered all the same; CLOSE, the last one: nothing more is asked for
 *   fetcher -> client   HELLO, once, when SETUP was taken; then for each request, mixed with those
 *                       of others: any number of PART, then DONE (with the last bytes of the body)
 *                       or FAILED. PART only for the bytes of a file: after one, DONE has status
 *                       200 or 206. After CLOSE only SENT
 *
 * Invariants
 * 1. A frame that is read is complete and every field is in its range: the fetcher reads foreign
 *    HTTP, so what it says is hostile input like what it fetched.
 * 2. What was accepted is written again as it came: nothing is read two ways. */
#ifndef VITRINE_NET_FETCH_WIRE_H
#define VITRINE_NET_FETCH_WIRE_H

#include "base/buf.h"
#include "base/rd.h"
#include "net/fetch.h"
#include "net/fetch_scope.h"

#include <stdbool.h>

/* Bytes of a body in one frame: a full tile fits, and eight frames wait in a socket of default
 * size. */
#define FRAME_BYTES_MAX 24576u
#define FRAME_MAX (FRAME_BYTES_MAX + 4096u)

/* What is posted to witnesses and mirrors has some kilobytes. */
#define FETCH_BODY_MAX (16u << 20)

/* Of what is not streamed, and so kept in memory. Entry bundles, the largest files of a log, have
 * less than 17 MB. */
#define FETCH_ANSWER_MAX ((uint64_t)256 << 20)

/* A day: whoever wants to wait longer asks again. */
#define FETCH_TIMEOUT_MS_MAX (24u * 3600 * 1000)

/* Offsets and lengths of files (off_t). */
#define FETCH_FILE_MAX ((uint64_t)INT64_MAX)

#define FETCH_PROXY_MAX 256
#define FETCH_ERROR_MAX 256
#define FETCH_PER_HOST_MAX 64

enum frame_side { FRAME_CLIENT, FRAME_FETCHER };

enum frame_method { FRAME_GET, FRAME_POST, FRAME_HEAD };

enum frame_type {
	FRAME_SETUP,   /* per_host connect_ms send_max proxy */
	FRAME_REQUEST, /* id method max timeout_ms nbody from bandwidth url type */
	FRAME_SEND,    /* id bytes */
	FRAME_HELLO,   /* missing landlock_abi */
	FRAME_PART,    /* id bytes */
	FRAME_DONE,    /* id status size type bytes */
	FRAME_FAILED,  /* id failure error */
	FRAME_CANCEL,  /* id */
	FRAME_ALLOW,   /* may url */
	FRAME_CLOSE,
	FRAME_SENT,    /* sent */
	FRAME_TYPES,
};

struct frame {
	enum frame_type type;
	uint64_t id;
	uint32_t method;     /* enum frame_method */
	uint64_t max;        /* bytes of the answer */
	uint32_t timeout_ms; /* from the start of the transfer */
	uint32_t nbody;      /* bytes of the request's body, which SEND frames bring */
	uint64_t from;       /* first byte of the file that is wanted; 0: all, of any method */
	uint64_t bandwidth;  /* bytes a second at most; 0: no limit */
	uint32_t status;     /* HTTP */
	uint32_t failure;    /* enum fetch_failure */
	uint64_t size;       /* of the answer, all frames together */
	uint32_t per_host;   /* connections to one host at a time */
	uint32_t connect_ms; /* for name, connection and TLS */
	uint32_t may;        /* enum fetch_may */
	uint64_t send_max;   /* struct fetch_scope */
	uint64_t sent;       /* weight of all requests that were taken, fetch_scope_weight() */
	uint32_t missing, landlock_abi; /* struct sandbox_report */
	char url[FETCH_URL_MAX];
	char content_type[FETCH_TYPE_MAX];
	char proxy[FETCH_PROXY_MAX];
	char error[FETCH_ERROR_MAX];
	struct rd bytes;     /* points into the packet read */
};

/* Who sends frames of this type. */
enum frame_side frame_sender(enum frame_type type);

/* Appends the frame. The caller keeps the ranges. */
void frame_write(const struct frame *f, struct buf *b);

/* Reads one packet that `from` sent. ST_MALFORMED, ST_TRUNCATED: it is none. */
st_t frame_read(struct rd in, enum frame_side from, struct frame *ret, struct err *e);

/* Sends a packet, never waits, never raises SIGPIPE. A full socket is -EAGAIN. */
st_t frame_send(int sock, const struct buf *packet, struct err *e);

/* Receives a packet into buf[0..FRAME_MAX), without waiting. *ret_len 0: the other side is gone.
 * -EAGAIN: nothing there. ST_MALFORMED: longer than any frame. */
st_t frame_recv(int sock, uint8_t buf[FRAME_MAX], size_t *ret_len, struct err *e);

/* True if s is an URL that may be asked for: http or https in small letters, printable ASCII, no
 * user name (it would be sent as a password), shorter than FETCH_URL_MAX. */
bool fetch_url_is_good(const char *s);

#endif
