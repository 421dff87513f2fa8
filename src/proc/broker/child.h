/* Starting, ending and judging the jailed processes. Runs in the broker. */
#ifndef VITRINE_PROC_BROKER_CHILD_H
#define VITRINE_PROC_BROKER_CHILD_H

#include "base/st.h"
#include "proc/msg.h"

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	struct msg_peer peer;
};

/* Where an executable of ours is: beside the running program (build tree), in its libexec folder,
 * or in the one compiled in. The caller frees *ret. */
st_t child_find(const char *name, char **ret, struct err *e);

/* Starts the program with the socket as SANDBOX_FD_SOCK, `out_fd` (or -1) as SANDBOX_FD_OUT, no
 * other descriptor but stderr (the jail takes that away), and an environment of ours. */
st_t child_start(const char *path, const char *arg, int out_fd, uint32_t state, struct child *ret,
                 struct err *e);

/* Waits a moment for a child that closed its socket, kills it if it does not end, and writes how it
 * ended: "crashed (signal 11)", "exceeded its memory", … The child is gone afterwards. */
void child_reap(struct child *c, char *ret, size_t cap);

/* Kills it at once. Nothing happens when there is none. */
void child_kill(struct child *c);

/* The same, and adds the processor time that it used, microseconds. */
void child_kill_count(struct child *c, uint64_t *cpu_us);

/* Its largest use of memory so far, KiB; 0: unknown. Not what wait4() says: that counts what its
 * parent had before exec as well. */
uint64_t child_peak_kb(const struct child *c);

#endif
