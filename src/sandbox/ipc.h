/* Messages between processes: whole packets over SOCK_SEQPACKET, at most one descriptor in each.
 * The other side may be a worker that hostile bytes took over, so everything that arrives is
 * bounded and what does not fit is refused.
 *
 * Invariants
 * 1. A received packet is complete: one that was cut is ST_MALFORMED, never half read.
 * 2. No descriptor leaks: those of a refused packet are closed before ipc_recv() returns.
 * 3. Received descriptors are close-on-exec. */
#ifndef VITRINE_SANDBOX_IPC_H
#define VITRINE_SANDBOX_IPC_H

#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a packet: a signature name and an inner path at their longest, and some numbers. */
#define IPC_BYTES_MAX 4096

struct ipc_packet {
	size_t len;
	int fd; /* -1: none; else the receiver owns it */
	uint8_t bytes[IPC_BYTES_MAX];
};

enum ipc_got {
	IPC_NOTHING, /* nothing there yet (only without wait) */
	IPC_PACKET,
	IPC_END, /* the other side is gone, or sent an empty packet, which nothing of ours does */
};

/* Two connected, close-on-exec sockets. */
st_t ipc_pair(int ret[2], struct err *e);

/* Sends one packet and, unless fd is -1, a copy of the descriptor. Never raises SIGPIPE. Without
 * `wait` a full socket is -EAGAIN. */
st_t ipc_send(int sock, const void *p, size_t len, int fd, bool wait, struct err *e);

/* ST_MALFORMED: the packet was cut, or carried more than one descriptor or anything else. */
st_t ipc_recv(int sock, bool wait, struct ipc_packet *ret, enum ipc_got *ret_got, struct err *e);

#endif
