/* Messages: framing, descriptors, and everything that a hostile peer may send instead. */
#include "proc/msg.h"
#include "scan/scan.h"
#include "test/t.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int a, b; /* the two ends */

static void open_pair(void)
{
	int v[2] = {-1, -1};
	T_EQ(ipc_pair(v, NULL), ST_OK);
	a = v[0];
	b = v[1];
}

static void close_pair(void)
{
	close(a);
	close(b);
}

static int count_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Sends raw bytes with any number of descriptors. */
static void send_raw(const void *p, size_t len, const int *fds, size_t n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
	struct iovec io = {.iov_base = (void *)(uintptr_t)p, .iov_len = len};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	if (n) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	}
	T_EQ(sendmsg(a, &m, 0), len);
}

static void packets_keep_their_borders(void)
{
	struct ipc_packet in;
	enum ipc_got got;
	open_pair();
	T_EQ(ipc_send(a, "one", 3, -1, true, NULL), ST_OK);
	T_EQ(ipc_send(a, "second", 6, -1, true, NULL), ST_OK);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(in.len, 3);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(in.len, 6);
	T_MEM(in.bytes, "second", 6);
	T_EQ(in.fd, -1);
	T_EQ(ipc_recv(b, false, &in, &got, NULL), ST_OK);
	T_EQ(got, IPC_NOTHING);
	close(a);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(got, IPC_END);
	close(b);
}

/* A worker that dies with requests unread: the kernel reports a reset before what it had said. */
static void last_words_are_heard(void)
{
	struct ipc_packet in;
	enum ipc_got got = IPC_NOTHING;
	open_pair();
	T_EQ(ipc_send(b, "unread", 6, -1, true, NULL), ST_OK);
	T_EQ(ipc_send(a, "last", 4, -1, true, NULL), ST_OK);
	close(a);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(got, IPC_PACKET);
	T_EQ(in.len, 4);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(got, IPC_END);
	close(b);
}

static void a_descriptor_arrives_and_is_close_on_exec(void)
{
	struct ipc_packet in = {.fd = -1};
	enum ipc_got got;
	open_pair();
	int null = open("/dev/null", O_RDONLY);
	T_EQ(ipc_send(a, "x", 1, null, true, NULL), ST_OK);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	struct stat x, y;
	T_EQ(fstat(null, &x), 0);
	T_EQ(fstat(in.fd, &y), 0);
	T_EQ(x.st_rdev, y.st_rdev);
	T_EQ(fcntl(in.fd, F_GETFD), FD_CLOEXEC);
	close(in.fd);
	close(null);
	close_pair();
}

static void too_many_descriptors_are_refused_and_closed(void)
{
	struct ipc_packet in;
	enum ipc_got got;
	int fds[16];
	open_pair();
	for (int i = 0; i < 16; i++)
		fds[i] = b;
	int before = count_fds();
	for (size_t n = 2; n <= 16; n++) {
		send_raw("x", 1, fds, n);
		T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_MALFORMED);
		T_EQ(in.fd, -1);
		T_EQ(count_fds(), before);
	}
	close_pair();
}

static void a_descriptor_on_an_empty_packet_is_refused_and_closed(void)
{
	struct ipc_packet in;
	enum ipc_got got;
	open_pair();
	int before = count_fds();
	send_raw("", 0, &b, 1);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_MALFORMED);
	T_EQ(count_fds(), before);
	close_pair();
}

static void a_packet_that_is_too_long_is_refused(void)
{
	static char big[IPC_BYTES_MAX + 1];
	struct ipc_packet in;
	enum ipc_got got;
	open_pair();
	int before = count_fds();
	send_raw(big, sizeof big, &b, 1);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_MALFORMED);
	T_EQ(count_fds(), before);
	send_raw(big, IPC_BYTES_MAX, NULL, 0);
	T_EQ(ipc_recv(b, true, &in, &got, NULL), ST_OK);
	T_EQ(in.len, IPC_BYTES_MAX);
	close_pair();
}

static void a_message_at_the_wrong_end_or_time_is_not_sent(void)
{
	struct msg m = {.type = MSG_DONE};
	struct msg_peer p = {.sock = -1, .self = WORKER, .state = S_LOADING};
	T_EQ(msg_send(&p, &m, -1, true, NULL), ST_MALFORMED);
	p.state = S_READY;
	p.self = BROKER;
	T_EQ(msg_send(&p, &m, -1, true, NULL), ST_MALFORMED);
}

static void found_survives_the_wire(void)
{
	static struct msg m, r;
	struct buf w = {0};
	struct msg_peer p = {.self = BROKER, .state = S_READY};
	m.type = MSG_FOUND;
	m.found.id = UINT64_C(0x123456789abcdef0);
	m.found.official = 1;
	memset(m.found.name, 'n', MSG_NAME_MAX - 1);
	memset(m.found.inner, 'i', MSG_PATH_MAX - 1);
	msg_write(&m, &w);
	T_TRUE(w.len <= IPC_BYTES_MAX);
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_OK);
	T_EQ(r.found.id, m.found.id);
	T_EQ(r.found.official, 1);
	T_STR(r.found.name, m.found.name);
	T_STR(r.found.inner, m.found.inner);
	buf_done(&w);
}

static void done_and_compiled_survive_the_wire(void)
{
	static struct msg m, r;
	struct buf w = {0};
	struct msg_peer p = {.self = BROKER, .state = S_READY};
	m.type = MSG_DONE;
	m.done = (struct msg_done){7, VERDICT_INCOMPLETE, "CL_TYPE_ZIP", 1, 2, 3};
	msg_write(&m, &w);
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_OK);
	T_STR(r.done.type_name, "CL_TYPE_ZIP");
	T_EQ(r.done.objects, 3);
	w.len = 0;
	p.state = C_RUNNING;
	m.type = MSG_COMPILED;
	m.compiled = (struct msg_compiled){1, 2, 3, 4, 5, 6, 7, 3, 6};
	msg_write(&m, &w);
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_OK);
	T_EQ(r.compiled.out_of_level, 7);
	T_EQ(r.compiled.missing, 3);
	T_EQ(p.state, C_ENDED);
	buf_done(&w);
}

static void long_texts_are_cut_and_terminated(void)
{
	char t[8];
	memset(t, 'x', sizeof t);
	msg_text(t, sizeof t, "0123456789");
	T_STR(t, "0123456");
	msg_text(t, sizeof t, "ab");
	T_STR(t, "ab");
}

static struct buf incomplete(uint64_t id)
{
	static struct msg m;
	struct buf w = {0};
	m.type = MSG_INCOMPLETE;
	m.incomplete.id = id;
	m.incomplete.why = ST_LIMIT;
	strcpy(m.incomplete.text, "limit");
	strcpy(m.incomplete.inner, "a/b");
	msg_write(&m, &w);
	return w;
}

static void every_cut_of_a_message_is_refused(void)
{
	static struct msg r;
	struct buf w = incomplete(1);
	for (size_t n = 0; n < w.len; n++) {
		struct msg_peer p = {.self = BROKER, .state = S_READY};
		T_TRUE(msg_parse(&p, w.data, n, 0, &r, NULL) > 0);
		T_EQ(p.state, S_READY);
	}
	buf_u8(&w, 0);
	struct msg_peer p = {.self = BROKER, .state = S_READY};
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	buf_done(&w);
}

static void a_message_in_the_wrong_state_is_refused(void)
{
	static struct msg r;
	struct buf w = incomplete(1);
	static const uint32_t states[] = {S_NEW,     S_LOADING, S_ENDED, C_NEW,
	                                  C_SOURCES, C_RUNNING, C_ENDED, I_NEW,
	                                  I_INPUTS, I_RUNNING, I_ENDED};
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct msg_peer p = {.self = BROKER, .state = states[i]};
		T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	}
	struct msg_peer p = {.self = WORKER, .state = S_READY};
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	p.self = BROKER;
	T_EQ(msg_parse(&p, w.data, w.len, 1, &r, NULL), ST_MALFORMED);
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_OK);
	buf_done(&w);
}

static void bad_fields_are_refused(void)
{
	static struct msg r;
	struct msg_peer p = {.self = BROKER, .state = S_READY};
	struct buf w = incomplete(1);
	/* 0 type, 4 id, 12 why, 16 length of text, 20 text */
	w.data[12] = 0; /* why: ST_OK */
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	w.data[12] = 100;
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	w.data[12] = ST_LIMIT;
	w.data[21] = '\0'; /* a NUL inside a text */
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	w.data[21] = 'i';
	w.data[17] = 1; /* a text of 261 bytes */
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	w.data[17] = 0;
	w.data[0] = 200; /* no such type */
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_MALFORMED);
	w.data[0] = MSG_INCOMPLETE;
	T_EQ(msg_parse(&p, w.data, w.len, 0, &r, NULL), ST_OK);
	buf_done(&w);
}

static void a_descriptor_with_a_refused_message_is_closed(void)
{
	static struct msg r;
	enum ipc_got got;
	int fd = -1;
	open_pair();
	struct msg_peer p = {.sock = b, .self = BROKER, .state = S_READY};
	struct buf w = incomplete(1);
	int before = count_fds();
	send_raw(w.data, w.len, &b, 1);
	T_EQ(msg_recv(&p, true, &r, &fd, &got, NULL), ST_MALFORMED);
	T_EQ(fd, -1);
	T_EQ(count_fds(), before);
	buf_done(&w);
	close_pair();
}

int main(void)
{
	T_RUN(packets_keep_their_borders);
	T_RUN(last_words_are_heard);
	T_RUN(a_descriptor_arrives_and_is_close_on_exec);
	T_RUN(too_many_descriptors_are_refused_and_closed);
	T_RUN(a_descriptor_on_an_empty_packet_is_refused_and_closed);
	T_RUN(a_packet_that_is_too_long_is_refused);
	T_RUN(a_message_at_the_wrong_end_or_time_is_not_sent);
	T_RUN(found_survives_the_wire);
	T_RUN(done_and_compiled_survive_the_wire);
	T_RUN(long_texts_are_cut_and_terminated);
	T_RUN(every_cut_of_a_message_is_refused);
	T_RUN(a_message_in_the_wrong_state_is_refused);
	T_RUN(bad_fields_are_refused);
	T_RUN(a_descriptor_with_a_refused_message_is_closed);
	return t_end();
}
