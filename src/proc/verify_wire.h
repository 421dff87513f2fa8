/* What is said between the activator of updates and its vitrine-verifier, over a SOCK_SEQPACKET
 * socket.
 *
 * First descriptors: packets of one byte, enum verify_fd, each with its descriptor; VERIFY_FD_END,
 * without one, is the last. The verifier then closes its jail, and frames begin, a packet each:
 *
 *   OFFSET SIZE MEANING
 *   0      4    enum verify_type
 *   4      …    the fields of that type (net/wire.h)
 *
 *   verifier -> parent  HELLO, once the jail is closed
 *   parent -> verifier  REQUEST, then as many POLICY as its policy_size takes
 *   verifier -> parent  any number of ALIVE, EVENT, PROGRESS, and KEEP, which as many KEPT as its
 *                       keep_size takes follow at once; END, the last. An EVENT for each link
 *                       from CHAIN_CLOCK to CHAIN_FILES, in order, none behind one that is refused
 *
 * Invariants
 * 1. A frame that is read is complete and every field is in its range: the verifier reads what came
 *    from the network, so what it says is hostile input.
 * 2. What was accepted is written again as it came: nothing is read two ways. */
#ifndef VITRINE_PROC_VERIFY_WIRE_H
#define VITRINE_PROC_VERIFY_WIRE_H

#include "sandbox/ipc.h"
#include "update/chain.h"

enum verify_fd {
	VERIFY_FD_END,
	VERIFY_FD_TUF,
	VERIFY_FD_SPOOL,
	VERIFY_FD_OLD_VDB,
	VERIFY_FD_OLD_SOURCE,
	VERIFY_FD_FOLDER,
	VERIFY_FD_BUNDLE,
	VERIFY_FDS,
};

enum verify_side { VERIFY_PARENT, VERIFY_CHILD };

enum verify_type {
	VERIFY_REQUEST,  /* now seen flags have policy_size mirror */
	VERIFY_POLICY,   /* bytes */
	VERIFY_HELLO,    /* missing landlock_abi */
	VERIFY_ALIVE,
	VERIFY_EVENT,    /* link outcome status event_text */
	VERIFY_PROGRESS, /* what done size */
	VERIFY_KEEP,     /* path keep_size */
	VERIFY_KEPT,     /* bytes */
	VERIFY_END,      /* status text moved requests release mirrors mirror */
	VERIFY_TYPES,
};

enum verify_flag {
	VERIFY_HAVE = 1,
	VERIFY_WANT_SOURCE = 2,
	VERIFY_EVIDENCE_ONLY = 4,
	VERIFY_WANT_TILES = 8,
	VERIFY_WANT_PACKED = 16,
	VERIFY_FLAGS = 31, /* all of them */
};

/* Bytes of a policy or of a kept file in one frame. */
#define VERIFY_BYTES_MAX (IPC_BYTES_MAX - 64)

/* A file that is kept: metadata (TUF_TARGETS_MAX), statements, proofs, tiles. */
#define VERIFY_KEEP_MAX ((uint64_t)8 << 20)

#define VERIFY_WHAT_MAX 256

struct verify_frame {
	enum verify_type type;
	int64_t now, seen;
	uint32_t flags; /* enum verify_flag */
	uint8_t have[32];
	uint64_t policy_size;
	uint32_t missing, landlock_abi; /* struct sandbox_report */
	uint32_t link, outcome;         /* enum chain_link, chain_outcome */
	int32_t status;                 /* st_t */
	char event_text[sizeof((struct chain_event *)NULL)->text];
	char what[VERIFY_WHAT_MAX];
	uint64_t done, size;
	char path[UPDATE_PATH_MAX];
	uint64_t keep_size;
	char text[ERR_TEXT_MAX];
	uint64_t moved, requests;
	uint32_t mirrors, mirror; /* struct verify_cost; of a request: that is to be asked */
	struct chain_release release;
	struct rd bytes; /* points into the packet read */
};

/* Appends the frame. The caller keeps the ranges. */
void verify_frame_write(const struct verify_frame *f, struct buf *b);

/* Reads one packet that `from` sent. ST_MALFORMED, ST_TRUNCATED: it is none. */
st_t verify_frame_read(struct rd in, enum verify_side from, struct verify_frame *ret,
                       struct err *e);

/* Sends it, waiting for room. */
st_t verify_frame_send(int sock, const struct verify_frame *f, struct err *e);

/* Receives one, waiting, into *packet, which its bytes point to. -EPIPE: the other side is gone. */
st_t verify_frame_recv(int sock, enum verify_side from, struct ipc_packet *packet,
                       struct verify_frame *ret, struct err *e);

#endif
