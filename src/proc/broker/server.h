/* Becoming a server: the command that a person or systemd started opens what it needs and then is
 * replaced by the program that serves, which has nothing else and jails itself. */
#ifndef VITRINE_PROC_BROKER_SERVER_H
#define VITRINE_PROC_BROKER_SERVER_H

#include "base/st.h"

#define SERVER_ARGS_MAX 16

/* From here on SIGTERM and SIGINT wait until the server looks at them. Before others are told that
 * it is there: an order to end must not be lost, or end it otherwise, while it starts. */
void server_hold_signals(void);

/* Runs the program of ours in place of this one, with the socket as SANDBOX_FD_SOCK, the folder as
 * SANDBOX_FD_OUT, standard descriptors as they are, no others, and an environment of ours.
 * args[0..nargs) become its argv[1..]. Returns only if it fails. */
st_t server_exec(const char *program, const char *const *args, unsigned nargs, int sock, int dir,
                 struct err *e);

#endif
